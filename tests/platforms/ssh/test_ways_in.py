"""Jump hosts, agents, certificates: each tried with OpenSSH's own programs."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rollbacks.platforms.base import Done, PlatformError, Running, Secret, TargetRef
from tests.platforms.ssh.conftest import Shop
from tests.ports import LOOPBACK


def jump(shop: Shop, host: str, **more: Any) -> dict[str, Any]:
    return {"address": LOOPBACK, "port": shop.fleet.port(host), **more}


def entries(shop: Shop, host: str) -> int:
    return shop.fleet.log(host).count("Accepted publickey")


def target_of(
    shop: Shop, hosts: Sequence[str], credential: str | None = "", **connector: Any
) -> TargetRef:
    """`credential`: another one than the fleet's; None: none at all."""
    made = shop.fleet.target(**connector)
    listed = [each for each in made.settings["hosts"] if each["name"] in hosts]
    secret = made.credential if credential == "" else credential and Secret(credential)
    return replace(made, settings={**made.settings, "hosts": listed}, credential=secret)  # type: ignore[arg-type]


def there_and_back(shop: Shop, target: TargetRef) -> None:
    """One release comes and goes again, on the hosts of the target."""
    names = tuple(each["name"] for each in target.settings["hosts"])
    before = shop.trees()
    spec = replace(shop.spec("1-1.4.0"), instances=names)
    captured = shop.step.capture(target, spec, shop.control)
    assert isinstance(shop.step.apply(target, spec, captured, shop.control), Done)
    assert {shop.fleet.link(name) for name in names} == {"releases/1-1.4.0"}
    [*seen] = shop.platform.observe(target, names).instances
    assert {each.identity for each in seen} == {"releases/1-1.4.0"}
    assert isinstance(shop.step.undo(target, spec, captured, shop.control), Done)
    assert shop.trees() == before


def keygen(*arguments: object) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL)


def authority(path: Path) -> str:
    """A key that signs others; its public half."""
    keygen("-t", "ed25519", "-N", "", "-f", path)
    return path.with_suffix(".pub").read_text()


def key_of(shop: Shop, path: Path) -> Path:
    """The fleet's client key as files."""
    path.touch(mode=0o600)
    path.write_text(shop.fleet.private_key)
    path.with_suffix(".pub").write_bytes(shop.fleet.authorized_keys.read_bytes())
    return path


def test_one_way_through_a_jump_host_is_shared_by_all_hosts(shop: Shop) -> None:
    target = target_of(shop, ["web-1", "web-2"], jumps=[jump(shop, "web-3")])
    before = entries(shop, "web-3")
    seen = shop.platform.observe(target).instances
    assert [each.identity for each in seen] == ["", ""]
    assert entries(shop, "web-3") == before + 1
    there_and_back(shop, target)


def test_a_way_may_lead_through_several_hosts_each_with_a_user_and_key_of_its_own(
    shop: Shop, tmp_path: Path
) -> None:
    own, known = tmp_path / "own", tmp_path / "known"
    authority(own)
    with shop.fleet.authorized_keys.open("a") as keys:
        keys.write(own.with_suffix(".pub").read_text())
    known.write_text(shop.fleet.known_hosts.read_text())
    way = [
        jump(shop, "web-2", credential=f"file:{own}", known_hosts=str(known)),
        jump(shop, "web-3"),
    ]
    there_and_back(shop, target_of(shop, ["web-1"], jumps=way))
    assert entries(shop, "web-2") > 0
    assert entries(shop, "web-3") > 0


def test_a_jump_host_that_is_not_known_is_sent_nothing(shop: Shop) -> None:
    shop.fleet.trust(["web-1", "web-2"])
    target = target_of(shop, ["web-1", "web-2"], jumps=[jump(shop, "web-3")])
    seen = shop.platform.observe(target).instances
    said = f"the host key of the jump host {LOOPBACK}:{shop.fleet.port('web-3')} is not in known_"
    assert all(each.identity is None and said in each.message for each in seen)
    assert entries(shop, "web-3") == entries(shop, "web-1") == 0


def test_a_host_behind_a_jump_host_must_be_known_too(shop: Shop) -> None:
    shop.fleet.trust(["web-2", "web-3"])
    target = target_of(shop, ["web-1", "web-2"], jumps=[jump(shop, "web-3")])
    first, second = shop.platform.observe(target).instances
    assert first.identity is None
    assert "is not in known_hosts; nothing was sent" in first.message
    assert second.identity == ""
    assert entries(shop, "web-1") == 0


def test_a_jump_host_that_is_away_is_named_and_waited_for_once(shop: Shop) -> None:
    target = target_of(shop, ["web-1", "web-2"], jumps=[jump(shop, "web-3")], connect_timeout=1)
    spec = replace(shop.spec("1-1.4.0"), instances=("web-1", "web-2"))
    captured = shop.step.capture(target, spec, shop.control)
    shop.fleet.pause("web-3")
    progress = shop.step.apply(target, spec, captured, shop.control)
    shop.fleet.resume("web-3")
    assert isinstance(progress, Running)
    assert progress.message.startswith("web-1, web-2: no answer from the jump host")
    assert isinstance(shop.step.apply(target, spec, captured, shop.control), Done)


def test_a_jump_host_may_leave_in_the_middle(shop: Shop) -> None:
    target = target_of(shop, ["web-1", "web-2"], jumps=[jump(shop, "web-3")])
    spec = replace(shop.spec("1-1.4.0"), instances=("web-1", "web-2"))
    captured = shop.step.capture(target, spec, shop.control)
    shop.fleet.stop("web-3")
    progress = shop.step.apply(target, spec, captured, shop.control)
    assert isinstance(progress, Running)
    assert "refused the connection" in progress.message
    shop.fleet.start("web-3")
    assert isinstance(shop.step.apply(target, spec, captured, shop.control), Done)


@contextmanager
def agent(socket: Path, *keys: Path) -> Iterator[None]:
    """OpenSSH's own, with these keys."""
    process = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 20
        while not socket.exists():
            assert time.monotonic() < deadline, "the agent did not start"
            time.sleep(0.01)
        for key in keys:
            subprocess.run(
                ["ssh-add", "-q", str(key)],
                env={**os.environ, "SSH_AUTH_SOCK": str(socket)},
                check=True,
                stdin=subprocess.DEVNULL,
            )
        yield
    finally:
        process.terminate()
        process.wait()


def test_an_agent_keeps_the_key(shop: Shop, tmp_path: Path) -> None:
    socket, key = tmp_path / "agent", key_of(shop, tmp_path / "id")
    with agent(socket, key):
        there_and_back(shop, target_of(shop, shop.fleet.hosts, None, agent=str(socket)))
        way = [jump(shop, "web-3")]
        there_and_back(shop, target_of(shop, ["web-1"], None, agent=str(socket), jumps=way))


def test_an_agent_that_is_away_or_empty_or_of_strangers_is_named(
    shop: Shop, tmp_path: Path
) -> None:
    socket = tmp_path / "agent"
    target = target_of(shop, ["web-1"], None, agent=str(socket))
    with pytest.raises(PlatformError, match=r"cannot reach the SSH agent .*/agent: No such file"):
        shop.platform.observe(target)
    with agent(socket):
        [seen] = shop.platform.observe(target).instances
        assert "the SSH agent" in seen.message
        assert "has no key" in seen.message
    authority(tmp_path / "stranger")
    with agent(socket, tmp_path / "stranger"):
        [seen] = shop.platform.observe(target).instances
    assert "in with a key of the agent" in seen.message


def test_a_certificate_lets_in_where_the_key_alone_does_not(shop: Shop, tmp_path: Path) -> None:
    trusted, key = tmp_path / "users", tmp_path / "id"
    authority(trusted)
    authority(key)
    user = shop.fleet.connector["user"]
    keygen("-s", trusted, "-I", "lastgood", "-n", user, "-V", "+1h", key.with_suffix(".pub"))
    shop.fleet.options = f"TrustedUserCAKeys {trusted}.pub"
    for host in shop.fleet.hosts:
        shop.fleet.stop(host)
        shop.fleet.start(host)
    secret, certificate = key.read_text(), f"{key}-cert.pub"
    [seen] = shop.platform.observe(target_of(shop, ["web-1"], secret)).instances
    assert "in with the connector's key" in seen.message
    there_and_back(shop, target_of(shop, shop.fleet.hosts, secret, certificate=certificate))
    assert "ED25519-CERT" in shop.fleet.log("web-1")
    keygen("-s", trusted, "-I", "old", "-n", user, "-V", "-2h:-1h", key.with_suffix(".pub"))
    ended = target_of(shop, ["web-1"], secret, certificate=certificate)
    [seen] = shop.platform.observe(ended).instances
    assert "in with the connector's certificate" in seen.message


def test_a_certificate_that_cannot_be_used_is_named(shop: Shop, tmp_path: Path) -> None:
    authority(tmp_path / "users")
    authority(tmp_path / "other")
    keygen("-s", tmp_path / "users", "-I", "x", "-n", "root", tmp_path / "other.pub")
    for path, why in {
        tmp_path / "none": "No such file",
        tmp_path / "users": "it is no OpenSSH certificate",
        tmp_path / "other-cert.pub": "it is of another key than the connector's",
    }.items():
        with pytest.raises(PlatformError, match=f"cannot use the certificate {path}: {why}"):
            shop.platform.observe(target_of(shop, ["web-1"], certificate=str(path)))


def certified(shop: Shop, signer: Path, host: str, name: str = LOOPBACK) -> None:
    """The host shows a certificate of its key."""
    public = shop.fleet.host_key(host).with_suffix(".pub")
    keygen("-s", signer, "-h", "-I", host, "-n", name, "-V", "+1h", public)
    shop.fleet.options = "HostCertificate {directory}/host_key-cert.pub"
    shop.fleet.stop(host)
    shop.fleet.start(host)


def test_hosts_are_known_by_who_certified_them(shop: Shop, tmp_path: Path) -> None:
    public = authority(tmp_path / "hosts")
    for host in shop.fleet.hosts:
        certified(shop, tmp_path / "hosts", host)
    shop.fleet.known_hosts.write_text(f"@cert-authority * {public}")
    there_and_back(shop, shop.fleet.target())


def test_a_host_certified_by_others_or_for_others_is_sent_nothing(
    shop: Shop, tmp_path: Path
) -> None:
    public = authority(tmp_path / "hosts")
    authority(tmp_path / "strangers")
    certified(shop, tmp_path / "strangers", "web-1")
    certified(shop, tmp_path / "hosts", "web-2", name="db-1.example.com")
    certified(shop, tmp_path / "hosts", "web-3")
    shop.fleet.known_hosts.write_text(f"@cert-authority * {public}")
    seen = {each.key: each for each in shop.platform.observe(shop.fleet.target()).instances}
    assert "is not the one in known_hosts; nothing was sent" in seen["web-1"].message
    assert "nothing was sent" in seen["web-2"].message
    assert seen["web-3"].identity == ""
    assert entries(shop, "web-1") == entries(shop, "web-2") == 0
