"""What Lastgood stands on goes away under running rollbacks: broker, database, hosts, workers.

Everything is a process of its own, and whatever goes away is killed.
"""

import logging
import os
import time
from collections.abc import Iterator

import pytest

from tests.nightly import IS_NIGHTLY
from tests.operating.stack import make_image
from tests.outages.program import Program, eventually
from tests.outages.shop import BAD, GOOD, Gate, catalogue, gated, restarting, trees
from tests.outages.site import Crowded, Site
from tests.servers import PostgreSQL, Redis
from tests.sshd import Fleet

log = logging.getLogger(__name__)
MANY = [f"T{number:03}" for number in range(100 if IS_NIGHTLY else 8)]
SOME = MANY[:5]
TOGETHER, IMPATIENT = "Together", "Impatient"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("shop")
    image = make_image(tmp_path_factory.mktemp("stack") / "image")
    gate = Gate(directory / "gate")
    with Fleet(3, directory / "fleet") as fleet, PostgreSQL() as database, Redis() as broker:
        hosts = fleet.hosts
        targets = {name: ([hosts[at % 3]], gated(gate)) for at, name in enumerate(MANY)}
        targets[TOGETHER] = hosts, restarting(gate, 300)
        targets[IMPATIENT] = hosts, restarting(gate, 20)
        path = directory / "shop.yaml"
        path.write_text(catalogue(fleet, directory, targets))
        stack = Crowded(image, database, broker)
        try:
            assert stack.start("migrate").wait(120) == 0, stack.log("migrate").read_text()
            stack.start("web")
            stack.start("worker")
            created = stack.manage(f"apply {path}", "apikey create ci --group Operators")
            key = next(word for word in created.split() if word.startswith("lgk_"))
            eventually(stack.is_ready, 180, lambda: "getting ready")
            program = Program(stack.url, key)
            program.release(targets, GOOD, within=300)
            yield Site(stack, fleet, gate, program)
        finally:
            gate.open()
            stack.end()


@pytest.fixture(autouse=True)
def _is_whole(site: Site) -> Iterator[None]:
    """However a test ended, the next one finds everything up and nobody waiting."""
    yield
    site.gate.open()
    for server in (site.stack.broker, site.stack.database):
        if not server.answers():
            server.start()


def test_all_rollbacks_at_once_end_though_the_broker_loses_everything(site: Site) -> None:
    before = trees(site.fleet)
    bad = site.program.release(MANY, BAD, within=300)
    site.gate.close()

    rollbacks = []
    for deployment in bad.values():
        rollbacks.append(site.program.roll_back(deployment))
        site.stack.broker.flush()
    site.are_at_the_gate(rollbacks)
    site.stack.broker.flush()
    site.gate.open()

    opened = time.monotonic()
    ended = site.program.finished(rollbacks, within=90)
    log.info("All over %.1f s after the gate was opened.", time.monotonic() - opened)
    assert [status for status, _ in ended.values()] == ["SUCCESS"] * len(MANY), ended
    assert trees(site.fleet) == before


def test_a_host_that_stays_away_fails_the_rollback_and_a_continued_one_ends_it(site: Site) -> None:
    before = trees(site.fleet)
    [bad] = site.program.release([IMPATIENT], BAD, within=60).values()
    rollback = _in_the_midst(site, bad, IMPATIENT)
    site.fleet.pause("web-2")  # it hangs: nobody is told that the connection is gone
    try:
        site.gate.open()
        status, why = site.program.finished([rollback], within=90)[rollback]
        assert (status, "web-2" in why) == ("FAILED", True), why
        assert site.outcomes(rollback)["web-2"]["state"] == "UNKNOWN"
    finally:
        site.fleet.resume("web-2")

    continued = site.program.roll_back(bad)

    ended = site.program.finished([continued], within=60)
    assert ended[continued] == ("SUCCESS", ended[continued][1])
    assert trees(site.fleet) == before


def _in_the_midst(site: Site, bad: str, target: str) -> str:
    """A rollback that has switched all hosts, which wait at the gate before they restart."""
    site.gate.close()
    rollback = site.program.roll_back(bad)

    def are_switched() -> bool:
        links = [site.fleet.path(host, target) / "current" for host in site.fleet.hosts]
        return all(GOOD in os.readlink(link) for link in links)

    eventually(are_switched, 25)
    return rollback


def test_what_is_aborted_while_its_worker_is_dead_is_left_alone(site: Site) -> None:
    bad = site.program.release([*SOME, TOGETHER], BAD, within=120)
    site.gate.close()
    rollbacks = {name: site.program.roll_back(each) for name, each in bad.items()}
    site.are_at_the_gate(list(rollbacks.values()), "")
    site.stack.processes["worker"].kill()
    site.stack.processes["worker"].wait()
    try:
        for each in rollbacks.values():
            site.program.abort(each)
        site.gate.open()  # what hosts were in the midst of ends, and nothing follows
        time.sleep(2)
        left = trees(site.fleet)
        time.sleep(6)
        assert trees(site.fleet) == left
    finally:
        site.stack.start("worker")
    ended = site.program.finished(rollbacks.values(), within=90)
    assert trees(site.fleet) == left
    for name, each in rollbacks.items():
        status, why = ended[each]
        assert status == "ABORTED", why
        for host in _hosts(site, name):
            assert f"{host} at {_version(site, host, name)}" in why, why
    assert {_version(site, host, TOGETHER) for host in site.fleet.hosts} <= {GOOD, BAD}


def _hosts(site: Site, target: str) -> list[str]:
    return [host for host in site.fleet.hosts if site.fleet.path(host, target).exists()]


def _version(site: Site, host: str, target: str) -> str:
    link = site.fleet.path(host, target) / "current"
    return (link / "index.html").read_text()
