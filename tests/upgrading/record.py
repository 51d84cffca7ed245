"""Records what a release leaves in the database when it is caught in the middle of things.

    python -m tests.upgrading.record

writes journals/<version>.sql, a dump of a SQLite database, and journals/<version>.json, what the
hosts ran at that moment. Run it before every release, look at the two files and commit them;
test_journals then keeps every later release able to go on from there. Never record an old version
again: the files are what that release wrote, not what today's code would.
"""

import json
import os
import sqlite3
import tempfile
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.models import Deployment, Infrastructure
    from tests.lab import Fleet
    from tests.scene import Scene

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HOSTS = 3


def main() -> None:
    """Record this version in a database of its own."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    with tempfile.TemporaryDirectory() as directory:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            "LASTGOOD_STATE_DIR": directory,
            "LASTGOOD_SECRET_KEY": "recorded",
        }
        os.environ.pop("LASTGOOD_DATABASE_URL", None)
        runs = _recorded()
        dump = _dump(Path(directory, "lastgood.sqlite3"))
    assert directory not in dump
    (HERE / "journals" / f"{version}.sql").write_text(dump)
    (HERE / "journals" / f"{version}.json").write_text(json.dumps(runs, indent=1) + "\n")


def _dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def _recorded() -> dict[str, str]:
    """Let everything happen that is to be recorded; what the hosts run then."""
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("migrate", verbosity=0)

    from accounts.models import User
    from rollbacks import platforms, tasks
    from tests.lab import Fleet, Lab
    from tests.scene import scene

    fleet = Fleet({})
    platforms.PLATFORMS["SSH"] = Lab(fleet)
    tasks.hint = lambda deployment_id: None
    steps = [{"name": "Install", "kind": "lab.install"}, {"name": "Note", "kind": "lab.note"}]
    shop = scene(definition={"phases": [{"name": "Hosts", "steps": steps}]})
    for story in STORIES:
        _tell(shop, fleet, story)
    User.objects.update(password="!")
    connections.close_all()
    return dict(sorted(fleet.runs.items()))


def _tell(shop: "Scene", fleet: "Fleet", story: Callable[["Story"], None]) -> None:
    name = story.__name__
    hosts = [f"{name}-{number}" for number in range(1, HOSTS + 1)]
    story(Story(shop, fleet, hosts, shop.another_infrastructure(name, hosts)))
    fleet.silent.clear()
    fleet.broken.clear()


class Story:
    """Hosts of its own, on which 1.4.1 was deployed."""

    def __init__(
        self, shop: "Scene", fleet: "Fleet", hosts: list[str], infrastructure: "Infrastructure"
    ) -> None:
        self.shop, self.fleet, self.hosts = shop, fleet, hosts
        self.infrastructure = infrastructure
        self.deploy("1.4.1")

    def start(self, version: str) -> "Deployment":
        return self.shop.start(version, infrastructure=self.infrastructure)

    def deploy(self, version: str) -> "Deployment":
        return self.shop.deploy(version, infrastructure=self.infrastructure)

    def leave_after(self, changes: int, deployment: "Deployment") -> None:
        """Its worker dies after so many changes, and its lease has ended."""
        from tests.engine import faults

        points = faults.Points()
        points.die_at(changes)
        self.fleet.after_change = points
        assert not faults.work(deployment, "recorder")
        self.fleet.after_change = lambda host: None
        faults.expire(deployment)


def rolling_back(story: Story) -> None:
    """A rollback, running, two hosts of three done."""
    bad = story.deploy("1.4.2")
    story.leave_after(2, story.shop.confirm(bad))


def deploying(story: Story) -> None:
    """A deployment, running forwards, one host of three done."""
    story.leave_after(1, story.start("1.4.2"))


def paused(story: Story) -> None:
    """A rollback whose result could not be seen, and a deployment that waits behind it."""
    bad = story.deploy("1.4.2")
    last = story.hosts[-1]

    def fall_silent(host: str) -> None:
        if host == last:
            story.fleet.point = look

    def look(label: str) -> None:
        if label == "observe":
            story.fleet.silent.add(last)

    story.fleet.after_change = fall_silent
    rollback = story.shop.roll_back(bad)
    assert rollback.status == "PAUSED", rollback.message
    story.fleet.after_change = story.fleet.point = lambda each: None
    story.start("1.4.3")


def aborting(story: Story) -> None:
    """A deployment that was aborted after one host of three, as its worker died."""
    from django.utils import timezone

    from rollbacks import actions

    deployment = story.start("1.4.2")
    story.leave_after(1, deployment)
    actions.abort(deployment, story.shop.engineer, timezone.now())


def undoing_itself(story: Story) -> None:
    """A deployment that failed on the third host, and undoes itself: one host of two is done."""
    story.fleet.broken[story.hosts[2]] = "apply"
    story.leave_after(3, story.start("1.4.2"))


def failed(story: Story) -> None:
    """A deployment that failed, and failed to undo itself."""
    story.fleet.broken[story.hosts[2]] = "apply"
    story.fleet.broken[story.hosts[0]] = "undo"
    assert story.deploy("1.4.2").code == "ROLLBACK_FAILED"


STORIES = (rolling_back, deploying, paused, aborting, undoing_itself, failed)

if __name__ == "__main__":
    main()
