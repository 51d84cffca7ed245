"""`make bench-hosts`: what hosts cost us, beside bare asyncssh, `ssh`, Ansible and pyinfra.

All in one run, on the same real sshd, which many hosts of a directory each share. First what the
client's CPU does for each of 500 hosts, then how long it takes to flip the same link on 50 and on
200: ours with everything there is to a rollback (asking before, the journal, the look that proves
it), theirs by their module for links. Every host is looked at afterwards, each time.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from dashboard.models import Status
from rollbacks.platforms.base import Done, StepSpec, TargetRef
from rollbacks.platforms.ssh import Ssh
from rollbacks.platforms.ssh.commands import sent
from tests.artifacts import checksum, zip_artifact
from tests.platforms.ssh.control import RecordingControl
from tests.scene import Scene, run, scene
from tests.sshd import Fleet

ANSIBLE = os.environ.get("LASTGOOD_BENCH_ANSIBLE", "ansible-playbook")
PYINFRA = os.environ.get("LASTGOOD_BENCH_PYINFRA", "pyinfra")
SSHDS = 20
MANY = int(os.environ.get("LASTGOOD_BENCH_HOSTS", "500"))
AT_ONCE = 50
ROUNDS = 2
FLIP = 'cd "$1" && ln -s -- "$2" .new && mv -f -T .new current && readlink current'
Json = dict[str, Any]


def _say(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")


@dataclass
class Farm:
    """So many hosts on a few sshd; each host has a directory of its own."""

    fleet: Fleet
    count: int

    @property
    def infrastructure(self) -> Json:
        every = self.fleet.infrastructure
        return {
            "directory": f"{self.fleet.directory}/farm/{{name}}",
            "hosts": [
                {**every["hosts"][number % SSHDS], "name": f"host-{number}"}
                for number in range(self.count)
            ],
        }

    @property
    def hosts(self) -> Sequence[Json]:
        found: Sequence[Json] = self.infrastructure["hosts"]
        return found

    def directory(self, host: Json) -> Path:
        return self.fleet.directory / "farm" / str(host["name"])

    def links(self) -> set[str]:
        return {os.readlink(self.directory(host) / "current") for host in self.hosts}

    def target(self) -> TargetRef:
        made = self.fleet.target(concurrency=AT_ONCE, connect_timeout=60, command_timeout=60)
        return replace(made, settings=self.infrastructure)

    def furnish(self) -> None:
        """Two releases, of which the first is current."""
        for host in self.hosts:
            for name in ("1-a", "2-b"):
                (self.directory(host) / "releases" / name).mkdir(parents=True, exist_ok=True)
            current = self.directory(host) / "current"
            current.unlink(missing_ok=True)
            current.symlink_to("releases/1-a")


Sow = Callable[[int], Farm]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(SSHDS, tmp_path_factory.mktemp("farm")) as running:
        key = running.directory / "key"
        key.touch(mode=0o600)
        key.write_text(running.private_key)
        yield running


# What the client's CPU does


def _own_cpu() -> float:
    return time.process_time()


def _childrens_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _measured(clock: Callable[[], float], act: Callable[[], object]) -> float:
    began = clock()
    act()
    return clock() - began


def _by_us(farm: Farm) -> None:
    """The undo of a step: look, switch the link, remove what is left."""
    step = Ssh.steps["ssh.install"]
    names = tuple(str(host["name"]) for host in farm.hosts)
    spec = StepSpec("Install", "ssh.install", {}, {}, None, names, "2-b")
    found = {
        str(host["name"]): {
            "directory": str(farm.directory(host)),
            "link": "releases/1-a",
            "resolves": True,
            "has_release": True,
            "has_releases": True,
            "levels": 0,
        }
        for host in farm.hosts
    }
    assert isinstance(step.undo(farm.target(), spec, {"hosts": found}, RecordingControl()), Done)


def _by_asyncssh(farm: Farm) -> None:
    """As short as it can be said: connect, run one command, leave."""
    key = asyncssh.import_private_key(farm.fleet.private_key)

    async def flip(host: Json, turn: asyncio.Semaphore) -> None:
        line = sent(FLIP, str(farm.directory(host)), "releases/1-a")
        async with (
            turn,
            asyncssh.connect(
                host["address"],
                host["port"],
                username=farm.fleet.connector["user"],
                client_keys=[key],
                known_hosts=str(farm.fleet.known_hosts),
                config=None,
                agent_path=None,
            ) as connection,
        ):
            answer = await connection.run(line, check=True)
            assert answer.stdout == "releases/1-a\n"

    async def go() -> None:
        turn = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(flip(host, turn) for host in farm.hosts))

    asyncio.run(go())


def _by_ssh(farm: Farm) -> None:
    """One process for each host."""
    fixed = [
        "ssh", "-F", "none", "-i", str(farm.fleet.directory / "key"), "-o", "BatchMode=yes",
        "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={farm.fleet.known_hosts}",
    ]  # fmt: skip

    def flip(host: Json) -> None:
        line = sent(FLIP, str(farm.directory(host)), "releases/1-a")
        where = f"{farm.fleet.connector['user']}@{host['address']}"
        done = subprocess.run(
            [*fixed, "-p", str(host["port"]), where, line],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "releases/1-a\n"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(flip, farm.hosts))


def test_the_clients_cpu_for_each_host(fleet: Fleet) -> None:
    farm = Farm(fleet, MANY)
    used: dict[str, list[float]] = {"ours": [], "asyncssh": [], "ssh": []}
    ways = {"ours": _by_us, "asyncssh": _by_asyncssh, "ssh": _by_ssh}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            farm.furnish()
            for host in farm.hosts:
                current = farm.directory(host) / "current"
                current.unlink()
                current.symlink_to("releases/2-b")
            clock = _childrens_cpu if name == "ssh" else _own_cpu
            used[name].append(_measured(clock, lambda way=way: way(farm)))  # type: ignore[misc]
            assert farm.links() == {"releases/1-a"}
    best = {name: min(each) / MANY * 1000 for name, each in used.items()}
    _say(
        f"{MANY} hosts, client CPU for each: {best['ours']:.1f} ms; "
        f"{best['ours'] / best['asyncssh']:.2f} of bare asyncssh, "
        f"{best['ours'] / best['ssh']:.2f} of a process of ssh"
    )
    assert best["ours"] <= 1.5 * best["asyncssh"]
    assert best["ours"] <= best["ssh"] / 5


# How long a flip takes


def _scene_on(farm: Farm) -> Scene:
    made = scene(
        connector={**farm.target().connector},
        settings=farm.infrastructure,
        credential=f"file:{farm.fleet.directory / 'key'}",
        definition={"phases": [{"name": "Hosts", "steps": [_STEP]}]},
    )
    for version in ("a", "b"):
        content = zip_artifact({"index.html": version})
        path = farm.fleet.directory / f"{version}.zip"
        path.write_bytes(content)
        artifact = made.artifact(version)
        artifact.location, artifact.checksum = str(path), checksum(content)
        artifact.save()
    return made


_STEP = {"name": "Install", "kind": "ssh.install", "timeout": 600}


def _ansible(farm: Farm, home: Path) -> Callable[[], None]:
    """Its module for links, with pipelining, as many forks as we visit hosts at once."""
    inventory = {
        "all": {
            "hosts": {
                host["name"]: {
                    "ansible_host": host["address"],
                    "ansible_port": host["port"],
                    "directory": str(farm.directory(host)),
                }
                for host in farm.hosts
            },
            "vars": {
                "ansible_user": farm.fleet.connector["user"],
                "ansible_ssh_private_key_file": str(farm.fleet.directory / "key"),
                "ansible_ssh_common_args": f"-o UserKnownHostsFile={farm.fleet.known_hosts}",
                "ansible_python_interpreter": "/usr/bin/python3",
            },
        }
    }
    file = {"src": "releases/1-a", "dest": "{{ directory }}/current", "state": "link"}
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.file": file}]}
    (home / "inventory.json").write_text(json.dumps(inventory))
    (home / "play.json").write_text(json.dumps([play]))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_FORKS": str(AT_ONCE),
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=no",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "LC_ALL": "C.UTF-8",
    }
    command = [ANSIBLE, "-i", str(home / "inventory.json"), str(home / "play.json")]
    return lambda: _run(command, environment, home)


def _pyinfra(farm: Farm, home: Path) -> Callable[[], None]:
    hosts = [
        (
            str(host["name"]),
            {
                "ssh_hostname": host["address"],
                "ssh_port": host["port"],
                "ssh_user": farm.fleet.connector["user"],
                "ssh_key": str(farm.fleet.directory / "key"),
                "ssh_known_hosts_file": str(farm.fleet.known_hosts),
                "directory": str(farm.directory(host)),
            },
        )
        for host in farm.hosts
    ]
    (home / "inventory.py").write_text(f"hosts = {hosts!r}\n")
    (home / "deploy.py").write_text(
        "from pyinfra import host\n"
        "from pyinfra.operations import files\n"
        "files.link(path=f'{host.data.directory}/current', target='releases/1-a')\n"
    )
    command = [PYINFRA, "--parallel", str(AT_ONCE), "-y", "inventory.py", "deploy.py"]
    return lambda: _run(command, {"PATH": os.environ["PATH"], "HOME": str(home)}, home)


def _run(command: Sequence[str], environment: Json, directory: Path) -> None:
    done = subprocess.run(
        command, env=environment, cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [50, 200])
def test_the_same_link_on_many_hosts(fleet: Fleet, count: int, tmp_path: Path) -> None:
    farm = Farm(fleet, count)
    subprocess.run(["rm", "-rf", str(fleet.directory / "farm")], check=True)
    for host in farm.hosts:
        farm.directory(host).mkdir(parents=True)
    shop = _scene_on(farm)
    first = shop.deploy("a")
    assert first.status == Status.SUCCEEDED, first.message
    bad = shop.deploy("b")
    assert bad.status == Status.SUCCEEDED, bad.message
    rollback = shop.confirm(bad)
    ours = _measured(time.monotonic, lambda: run(rollback))
    rollback.refresh_from_db()
    assert rollback.code == "VERIFIED", rollback.message
    assert farm.links() == {f"releases/{first.pk}-a"}
    theirs = {}
    for name, tool in (("Ansible", _ansible), ("pyinfra", _pyinfra)):
        farm.furnish()
        for host in farm.hosts:
            current = farm.directory(host) / "current"
            current.unlink()
            current.symlink_to("releases/2-b")
        act = tool(farm, tmp_path)
        theirs[name] = _measured(time.monotonic, act)
        assert farm.links() == {"releases/1-a"}
    said = ", ".join(f"{name} {took / ours:.1f} times as long" for name, took in theirs.items())
    _say(f"{count} hosts: Lastgood {ours:.1f} s; {said}")
    assert theirs["Ansible"] >= 5 * ours
