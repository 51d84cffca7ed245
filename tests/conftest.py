"""What every test shares: an engine that runs in the test's own thread, and hints that are kept."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth import hashers
from django.core.management.color import no_style
from django.db import connection
from django.test import TransactionTestCase
from servestatic.middleware import ServeStaticMiddleware

from rollbacks import tasks


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for real processes comes first, so that other cores do the rest meanwhile."""
    waiting = {"surviving", "outages"}
    items.sort(key=lambda item: waiting.isdisjoint(item.path.parts))


@pytest.fixture(autouse=True)
def hints(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The deployments for which a worker was woken; no broker is needed."""
    sent: list[int] = []
    monkeypatch.setattr(tasks, "hint", sent.append)
    return sent


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password takes a fifth of a second to hash, and every scene has four people."""
    hashers.get_hashers.cache_clear()
    quick = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(settings, "PASSWORD_HASHERS", quick)


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_found_once() -> Iterator[None]:
    """Every client makes a site of its own, and finding 180 static files took most of its time."""
    find, found = ServeStaticMiddleware.add_files_from_finders, {}

    def find_once(self: ServeStaticMiddleware) -> None:
        if not found:
            find(self)
            found.update(self.files)
        self.files = found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ServeStaticMiddleware, "add_files_from_finders", find_once)
        yield


@pytest.fixture(autouse=True, scope="session")
def _what_a_migration_makes_is_kept() -> Iterator[None]:
    """A flush took most of its time to make content types and permissions anew."""
    kept = {"django_content_type", "auth_permission"}

    def empty(self: TransactionTestCase) -> None:
        tables = set(connection.introspection.django_table_names(only_existing=True)) - kept
        connection.ops.execute_sql_flush(
            connection.ops.sql_flush(no_style(), sorted(tables), reset_sequences=False)
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield
