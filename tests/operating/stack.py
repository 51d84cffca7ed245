"""The services of compose.yaml as processes: its own commands, in a directory as the image's.

No container is involved: the interpreter, the user, the networks and the mounts are the test's.
"""

import compileall
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.ports import LOOPBACK, NO_AUTHORITIES, free_port
from tests.servers import PostgreSQL, Redis

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
BIN = Path(sys.executable).parent
TOKEN = "metrics-t0ken"
_MANAGE = """
import json, sys, django
from django.core.management import call_command
django.setup()
for command in json.loads(sys.argv[1]):
    call_command(*command)
"""


def copied_into_image() -> list[tuple[str, str]]:
    """(from the checkout, to the image's directory) of each COPY of the build stage."""
    found = re.findall(r"^COPY (?!--from)(\S+) (\S+)$", DOCKERFILE, re.MULTILINE)
    return [pair for pair in found if not pair[1].startswith("/tmp")]


def image_environment() -> dict[str, str]:
    """What the last stage sets."""
    stage = DOCKERFILE.rpartition("\nFROM ")[2]
    [line] = re.findall(r"^ENV (.*)$", stage, re.MULTILINE)
    return dict(each.split("=", 1) for each in shlex.split(line))


def make_image(directory: Path) -> Path:
    """A directory with what the image has of the checkout, and nothing else."""
    directory.mkdir()
    for source, target in copied_into_image():
        to = directory / source if target == "./" else directory / target
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, to)
    # As the build does; else every process would compile everything again.
    compileall.compile_dir(directory, quiet=1)
    return directory


@dataclass
class Stack:
    """Everything compose.yaml starts, once it is started."""

    image: Path
    database: PostgreSQL
    broker: Redis
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files = sorted(self.image.rglob("*"))

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("LASTGOOD_")}
        scratch = self.image.with_name("scratch")
        scratch.mkdir(exist_ok=True)
        given = image_environment() | {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "TMPDIR": str(scratch),
        }
        return {
            **kept,
            **given,
            "LASTGOOD_SECRET_KEY": "s" * 60,
            "LASTGOOD_AUDIT_KEY": "a" * 60,
            "LASTGOOD_DATABASE_URL": self.database.url,
            "LASTGOOD_BROKER_URL": self.broker.url,
            "LASTGOOD_METRICS_TOKEN": TOKEN,
            "LASTGOOD_API_CALLS_PER_MINUTE": "10000",
        }

    def start(self, service: str) -> subprocess.Popen[str]:
        """Start the service with its own command."""
        with self.log(service).open("a") as log:
            self.processes[service] = subprocess.Popen(
                self._here(COMPOSE["services"][service]["command"]),
                cwd=self.image,
                env=self.environment,
                stdout=log,
                stderr=log,
                text=True,
            )
        return self.processes[service]

    def run(
        self, *command: str, input: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """A command beside the services, in the same image."""
        return subprocess.run(
            self._here(command),
            cwd=self.image,
            env=self.environment | environment,
            input=input,
            capture_output=True,
            text=True,
            timeout=180,
        )

    def manage(self, *commands: str, **environment: str) -> str:
        """What these `manage.py` commands print; all succeed. One process for all, to save time."""
        lines = json.dumps([shlex.split(command) for command in commands])
        done = self.run(
            "python",
            "-c",
            _MANAGE,
            lines,
            DJANGO_SETTINGS_MODULE="dashboard.settings",
            **environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def log(self, service: str) -> Path:
        return self.image.with_name(f"{service}.log")

    def lines(self, service: str, *, others: bool = False) -> list[dict[str, Any]]:
        """What it has logged; every line is one JSON object, or this raises (`others`: or not)."""
        lines = self.log(service).read_text().splitlines()
        return [json.loads(line) for line in lines if not others or line.startswith("{")]

    def said(self, service: str, execution: str) -> list[str]:
        """What it has said of an execution."""
        lines = self.lines(service, others=True)
        return [each["message"] for each in lines if each.get("execution") == int(execution)]

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", verify=NO_AUTHORITIES).status_code == 200
        except httpx.TransportError:  # refused, or too busy with starting
            return False

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def _here(self, command: Sequence[str]) -> list[str]:
        """The command as this machine can run it: this interpreter, loopback, a free port."""
        assert command[0] in {"python", "celery"}, command
        program = sys.executable if command[0] == "python" else str(BIN / "celery")
        here = [program, *(LOOPBACK if each == "0.0.0.0" else each for each in command[1:])]
        if "serve" in command:
            here += ["--port", str(self.port)]
        return [each.replace(":8000/", f":{self.port}/") for each in here]


class Api:
    """A program with a key."""

    def __init__(self, stack: Stack, key: str) -> None:
        self._url, self._headers = f"{stack.url}/graphql", {"x-api-key": key}

    def ask(self, query: str, **variables: Any) -> Mapping[str, Any]:
        sent = {"query": query, "variables": variables}
        answer = httpx.post(
            self._url, json=sent, headers=self._headers, timeout=20, verify=NO_AUTHORITIES
        ).json()
        assert "errors" not in answer, answer
        data: Mapping[str, Any] = answer["data"]
        return data


def eventually(holds: Callable[[], bool], within: float, what: str) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen within {within:g} s"
        time.sleep(0.1)
