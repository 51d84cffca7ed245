"""A shop of many targets on a few hosts, and traffic: bad releases go out and are taken back.

Each target is one service in a directory of its own on every host of the fleet.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.operating.stack import eventually
from tests.sshd import Tree
from tests.surviving.catalogue import BAD, GOOD, declared
from tests.surviving.site import Site, Unanswered

ACTIVE = ("QUEUED", "RUNNING", "PAUSED", "ABORTING")
_LATEST = """
    SELECT i.name, d.id, d.status, d.rolls_back_id, a.version, d.code, d.message
    FROM dashboard_deployment d
    JOIN dashboard_artifact a ON a.id = d.artifact_id
    JOIN dashboard_target t ON t.id = d.target_id
    JOIN dashboard_infrastructure i ON i.id = t.infrastructure_id
    WHERE d.id IN (SELECT max(id) FROM dashboard_deployment GROUP BY target_id)
"""
_START = "mutation($i: StartExecutionInput!) { startExecution(input: $i) { execution { id } } }"
_PLAN = "query($id: String!) { rollbackConfirmation(executionId: $id) { plan { fingerprint } } }"
_ROLL_BACK = (
    "mutation($i: RollbackDeploymentInput!) { rollbackDeployment(input: $i) { execution { id } } }"
)
_KNOWN = '{ applicationByName(name: "Shop") { id } workflows { nodes { id name } } }'


@dataclass(frozen=True)
class Latest:
    """The newest execution of a target."""

    id: int
    status: str
    is_rollback: bool
    version: str
    why: str


@dataclass
class Shop:
    """What is deployed where, and how to ask for more."""

    site: Site
    targets: int
    before: dict[str, Tree] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    _application: str = ""

    def open(self, document: str = "", *more: str) -> None:
        """Declare everything and make a key for the API. The database is migrated, nothing runs.

        `document`: instead of so many targets; `more`: commands of manage.py.
        """
        path = self.site.directory / "shop.yaml"
        path.write_text(document or declared(self.site, self.names))
        made = self.site.manage(
            "migrate --verbosity 0", f"apply {path}", "apikey create ci --group Operators", *more
        )
        self.site.key = next(word for word in made.split() if word.startswith("lgk_"))

    def install(self) -> None:
        """The good release everywhere; how the hosts are then is how they shall be in the end."""
        traffic = Traffic(self)
        traffic.until(lambda: traffic.is_at_rest, 180)
        self.before = self.trees()

    def send_bad(self) -> None:
        """The bad release everywhere."""
        for name in self.names:
            self.deploy(name, BAD)
        eventually(
            lambda: all(each.status == "SUCCEEDED" for each in self.latest().values()),
            60 + self.targets * 2,
            "the end of all deployments",
        )

    def take_back(self) -> float:
        """Ask for a rollback of everything; how long the slowest answer took, in seconds."""
        took = []
        for last in self.latest().values():
            began = time.monotonic()
            self.roll_back(last.id)
            took.append(time.monotonic() - began)
        return max(took)

    def is_whole(self) -> bool:
        """Whether all is taken back; an execution that ended otherwise than well raises."""
        latest = self.latest()
        _require_no_trouble(latest)
        return all(each.is_rollback and each.status == "SUCCEEDED" for each in latest.values())

    def trees(self) -> dict[str, Tree]:
        """Every host, byte for byte."""
        return {host: self.site.fleet.tree(host) for host in self.site.fleet.hosts}

    def latest(self) -> dict[str, Latest]:
        """The newest execution of each infrastructure that has one."""
        rows = self.site.rows(_LATEST)
        return {
            name: Latest(pk, status, undoes is not None, version, f"{code} {message}")
            for name, pk, status, undoes, version, code, message in rows
        }

    def deploy(self, name: str, version: str) -> None:
        if not self._ids:
            known = self.site.ask(_KNOWN)
            self._application = known["applicationByName"]["id"]
            self._ids = {each["name"]: each["id"] for each in known["workflows"]["nodes"]}
        build = {"valueType": "BUILD_NUMBER", "buildNumber": {"buildNumber": version}}
        sent = {
            "applicationId": self._application,
            "entityId": self._ids[name],
            "executionType": "WORKFLOW",
            "serviceInputs": [{"name": "web", "artifactValueInput": build}],
        }
        self.site.ask(_START, i=sent)

    def roll_back(self, deployment: int) -> None:
        plan = self.site.ask(_PLAN, id=str(deployment))["rollbackConfirmation"]["plan"]
        sent = {"executionId": str(deployment), "fingerprint": plan["fingerprint"], "notes": "Bad"}
        self.site.ask(_ROLL_BACK, i=sent)

    @property
    def names(self) -> list[str]:
        return [f"Hosts {number}" for number in range(1, self.targets + 1)]


class Traffic:
    """Keeps every target busy: the bad release goes out, is taken back, goes out again."""

    def __init__(self, shop: Shop, *, goes_on: bool = False) -> None:
        self.shop = shop
        self.goes_on = goes_on
        self.refused = 0
        self.is_at_rest = False

    def until(self, holds: Callable[[], object], within: float, each: float = 0.1) -> None:
        """Let it flow until something holds; an execution that ends otherwise than well raises."""
        deadline = time.monotonic() + within
        while True:
            self.flow()
            if holds():
                return
            assert time.monotonic() < deadline, f"not within {within:g} s: {self.shop.latest()}"
            time.sleep(each)

    def end(self, within: float) -> None:
        """Take back what is out, begin nothing more, and wait until all has ended."""
        self.goes_on = False
        self.until(lambda: self.is_at_rest, within)

    def flow(self) -> None:
        """Ask for the next execution wherever the last one has ended."""
        latest = self.shop.latest()
        _require_no_trouble(latest)
        wanted = [
            step
            for name in self.shop.names
            if (step := self._next(name, latest.get(name))) is not None
        ]
        self.is_at_rest = not wanted and not any(last.status in ACTIVE for last in latest.values())
        self._ask(wanted)

    def _next(self, name: str, last: Latest | None) -> Callable[[], None] | None:
        if last is None:
            return lambda: self.shop.deploy(name, GOOD)
        if last.status in ACTIVE:
            return None
        if last.version == BAD and not last.is_rollback:
            return lambda: self.shop.roll_back(last.id)
        return (lambda: self.shop.deploy(name, BAD)) if self.goes_on else None

    def _ask(self, wanted: Sequence[Callable[[], None]]) -> None:
        def ask(step: Callable[[], None]) -> None:
            try:
                step()
            except Unanswered:
                self.refused += 1  # asked again, if it was not taken

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, wanted))


def _require_no_trouble(latest: Mapping[str, Latest]) -> None:
    for name, last in latest.items():
        assert last.status in {"QUEUED", "RUNNING", "SUCCEEDED"}, f"{name}: {last}"
