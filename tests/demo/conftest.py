"""Real processes: a fleet for the module, and what it takes to talk to it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from rollbacks.demo.fleet import Host

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class RunningFleet:
    directory: Path
    hosts: list[Host]
    process: subprocess.Popen[str]


@contextmanager
def running_fleet(directory: Path, *names: str) -> Iterator[RunningFleet]:
    process = subprocess.Popen(
        [sys.executable, "-m", "rollbacks.demo.fleet", str(directory), *names],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    with process:
        hosts = [Host(**each) for each in json.loads(process.stdout.readline())]
        yield RunningFleet(directory, hosts, process)
        process.stdin.close()
        process.wait(timeout=5)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFleet]:
    """Two hosts."""
    with running_fleet(tmp_path_factory.mktemp("fleet"), "web-1", "web-2") as running:
        yield running


def manage(*arguments: str, state: Path, **environment: str) -> subprocess.Popen[str]:
    """A `manage.py` command of its own, in its own state directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LASTGOOD_")}
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=kept | {"LASTGOOD_STATE_DIR": str(state)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
