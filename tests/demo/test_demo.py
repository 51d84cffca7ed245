"""`make demo` as a newcomer meets it: a bad release on real hosts, taken back; nothing left over.

One story in one test, because starting the demo is what takes the time.
"""

import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.demo.conftest import manage
from tests.demo.site import Browser
from tests.ports import free_port


@dataclass
class Demo:
    """A running demo and what it printed."""

    process: subprocess.Popen[str]
    state: Path
    told: str

    @property
    def url(self) -> str:
        return self._find(r"^Lastgood is at (\S+)$")

    @property
    def site_pid(self) -> int:
        return int(self._find(r"process (\d+)"))

    @property
    def password(self) -> str:
        return self._find(r"^engineer (\S+)$")

    @property
    def pages(self) -> dict[str, str]:
        return dict(re.findall(r"^((?:web|qa)-\d) (http\S+)$", self.told, re.MULTILINE))

    def read_on(self, until: str) -> str:
        assert self.process.stdout
        text = ""
        while until not in text:
            line = self.process.stdout.readline()
            assert line, f"ended after:\n{self.told}{text}"
            text += line
        return text

    def versions(self, environment: str) -> set[str]:
        """What the hosts' own pages show."""
        pages = [url for name, url in self.pages.items() if name.startswith(environment)]
        shown = [httpx.get(url).text for url in pages]
        return {re.findall(r"<code>storefront (\S+)</code>", text)[0] for text in shown}

    def ask(self, query: str) -> list[tuple[object, ...]]:
        database = f"file:{self.state}/lastgood.sqlite3?mode=ro"
        with closing(sqlite3.connect(database, uri=True, timeout=10)) as connection:
            return connection.execute(query).fetchall()

    def _find(self, pattern: str) -> str:
        found = re.search(pattern, self.told, re.MULTILINE)
        assert found, self.told
        return found[1]


def eventually(holds: Callable[[], bool], within: float) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def session_members(leaders: set[int]) -> list[int]:
    """The processes that are left of these sessions (ours and those our children began)."""
    left = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) in leaders and fields[0] != "Z":
                left.append(int(entry.name))
    return left


def children(pid: int) -> set[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return {int(each) for each in listed.split()}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_a_newcomer_takes_the_bad_release_back_though_the_site_is_killed(tmp_path: Path) -> None:
    process = manage("demo", state=tmp_path, PORT=str(free_port()))
    demo = Demo(process, tmp_path / "demo", "")
    try:
        demo.told = demo.read_on(until="Ctrl-C")
        assert demo.versions("web") == demo.versions("qa") == {"1.4.2"}
        assert len(demo.pages) == 8

        rollback = roll_back_in_production(demo)
        os.kill(demo.site_pid, signal.SIGKILL)
        demo.read_on(until="goes on where it was")

        eventually(lambda: status(demo, rollback) == "SUCCEEDED", within=60)
        assert demo.versions("web") == {"1.4.1"}
        assert demo.versions("qa") == {"1.4.2"}
        assert demo.ask(f"select lease_epoch from dashboard_deployment where id = {rollback}") == [
            (2,)
        ]

        ours = children(process.pid)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=15)
        assert (process.returncode, errors) == (0, "")
        assert session_members(ours) == []
    finally:
        process.kill()
        process.communicate()


def roll_back_in_production(demo: Demo) -> int:
    """Confirm the dialog; the rollback's id, once it is being worked on."""
    (current,) = demo.ask(
        "select max(d.id) from dashboard_deployment d"
        " join dashboard_target t on t.current_deployment_id = d.id"
        " join dashboard_infrastructure i on t.infrastructure_id = i.id"
        " join dashboard_artifact a on d.artifact_id = a.id"
        " where i.name = 'web hosts' and a.version = '1.4.2'"
    )[0]
    with Browser(demo.url, "engineer", demo.password) as browser:
        shown = browser.submit(f"/deployments/{current}/rollback/", note="Prices are wrong")
    (rollback,) = demo.ask(f"select id from dashboard_deployment where rolls_back_id = {current}")[
        0
    ]
    assert isinstance(rollback, int)
    assert str(shown.url).endswith(f"/deployments/{rollback}/")
    eventually(lambda: is_being_undone(demo, rollback), within=10)
    return rollback


def is_being_undone(demo: Demo, rollback: int) -> bool:
    return bool(
        demo.ask(
            "select 1 from dashboard_step s join dashboard_phase p on s.phase_id = p.id"
            f" where p.deployment_id = {rollback} and s.status = 'RUNNING'"
        )
    )


def status(demo: Demo, deployment: int) -> object:
    return demo.ask(f"select status from dashboard_deployment where id = {deployment}")[0][0]
