"""The site that is one process on SQLite, with its disk full."""

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.demo.site import Browser
from tests.outages.embedded import PASSWORD, Embedded
from tests.outages.program import Program, eventually
from tests.outages.shop import BAD, GOOD, Gate, catalogue, gated, trees
from tests.sshd import Fleet


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    made = Gate(tmp_path_factory.mktemp("gate") / "gate")
    yield made
    made.open()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(2, tmp_path_factory.mktemp("fleet")) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, fleet: Fleet, gate: Gate
) -> Iterator[tuple[Embedded, Program]]:
    """With a good version on its hosts."""
    directory = tmp_path_factory.mktemp("state")
    targets = {"Gated": (fleet.hosts, gated(gate))}
    path = directory / "shop.yaml"
    path.write_text(catalogue(fleet, directory, targets))
    embedded = Embedded(directory)
    try:
        embedded.manage("migrate", "--verbosity", "0")
        embedded.manage("apply", str(path))
        superuser = ("--noinput", "--username", "admin", "--email", "admin@example.org")
        embedded.manage("createsuperuser", *superuser)
        created = embedded.manage("apikey", "create", "ci", "--group", "Operators")
        key = next(word for word in created.split() if word.startswith("lgk_"))
        embedded.start()
        eventually(embedded.is_ready, 180)
        program = Program(embedded.url, key)
        program.release(targets, GOOD, within=120)
        yield embedded, program
    finally:
        gate.open()
        embedded.end()


def test_with_a_full_disk_nothing_is_done_that_cannot_be_written_down(
    site: tuple[Embedded, Program], fleet: Fleet, gate: Gate
) -> None:
    embedded, program = site
    before = trees(fleet)
    [bad] = program.release(["Gated"], BAD, within=120).values()
    deployed = trees(fleet)
    gate.close()
    rollback = program.roll_back(bad)
    at_work = "SELECT 1 FROM dashboard_step WHERE status = 'RUNNING'"
    eventually(lambda: bool(embedded.ask(at_work)), 20)
    with Browser(embedded.url, "admin", PASSWORD) as browser:
        embedded.let_write(False)
        try:
            gate.open()
            _is_told(embedded, program, browser, rollback)
            assert trees(fleet) == deployed
            assert embedded.process
            assert embedded.process.poll() is None
            assert embedded.status(rollback) == "RUNNING"
        finally:
            embedded.let_write(True)
    ended = program.finished([rollback], within=120)
    assert [status for status, _ in ended.values()] == ["SUCCESS"], ended
    assert trees(fleet) == before
    eventually(embedded.is_ready, 30)


def _is_told(embedded: Embedded, program: Program, browser: Browser, rollback: str) -> None:
    """For as long as it takes until nobody can rely on the lease any more, and longer."""

    def says_why() -> bool:
        found = embedded.readiness()
        return found is not None and found.status_code == 503 and "disk" in found.text

    began = time.monotonic()
    eventually(says_why, 30)
    with pytest.raises(httpx.HTTPStatusError, match="503"):
        program.ask_once("{ viewer { name } }")
    # SQLite needs room even to open its file, unless somebody has it open.
    for shown in (browser.get(f"/deployments/{rollback}/"), browser.post("/sign-out/")):
        assert shown.status_code == 503 or f"Deployment {rollback}" in shown.text
        assert shown.status_code == 200 or "its disk may be full" in shown.text
    time.sleep(max(0.0, began + 15 - time.monotonic()))
