"""Lets PostgreSQL itself write down who wrote to the journal, and whose execution it was then.

Workers connect under the name by which leases know them, so a write of one that is no longer the
owner shows, whatever the product's own checks believe.
"""

from collections.abc import Sequence
from typing import Any

import psycopg

from tests.surviving.site import Site

_WATCH = """
    CREATE TABLE written (
        at timestamptz DEFAULT clock_timestamp(),
        by_whom text DEFAULT current_setting('application_name'),
        owner text, what text
    );

    CREATE FUNCTION deployment_written() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.lease_epoch = OLD.lease_epoch AND NEW.lease_epoch > 0 THEN
            INSERT INTO written (owner, what)
            VALUES (NEW.lease_owner, 'execution ' || NEW.id || ' is ' || NEW.status);
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER written AFTER UPDATE ON dashboard_deployment
        FOR EACH ROW EXECUTE FUNCTION deployment_written();

    CREATE FUNCTION step_written() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO written (owner, what)
        SELECT d.lease_owner, 'step ' || NEW.id || ' of execution ' || d.id || ' is ' || NEW.status
        FROM dashboard_phase p JOIN dashboard_deployment d ON d.id = p.deployment_id
        WHERE p.id = NEW.phase_id;
        RETURN NULL;
    END $$;
    CREATE TRIGGER written AFTER UPDATE ON dashboard_step
        FOR EACH ROW EXECUTE FUNCTION step_written();

    CREATE FUNCTION event_written() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.epoch > 0 THEN
            INSERT INTO written (owner, what)
            SELECT d.lease_owner, 'event ' || NEW.status || ' of execution ' || d.id
            FROM dashboard_deployment d WHERE d.id = NEW.deployment_id;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER written AFTER INSERT ON dashboard_event
        FOR EACH ROW EXECUTE FUNCTION event_written();
"""


def watch(site: Site) -> None:
    """From now on; the tables are there."""
    assert site.database
    with psycopg.connect(site.database.url) as connection:
        connection.execute(_WATCH)


def count(site: Site) -> int:
    """How many writes of workers were seen."""
    [(found,)] = site.rows("SELECT count(*) FROM written WHERE position(':' IN by_whom) > 0")
    return int(found)


def of_others(site: Site) -> Sequence[tuple[Any, ...]]:
    """Writes of workers that were not the owner of what they wrote about."""
    query = "SELECT * FROM written WHERE position(':' IN by_whom) > 0 AND by_whom <> owner"
    return site.rows(query)
