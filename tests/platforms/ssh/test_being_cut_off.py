"""A worker that dies at any point leaves what its successor can finish, in either direction."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from asyncssh.channel import SSHClientChannel

from rollbacks.platforms import everywhere
from rollbacks.platforms.artifacts import payload
from rollbacks.platforms.base import (
    ArtifactRef,
    Done,
    OutcomeState,
    PlatformError,
    Progress,
    Stopped,
)
from rollbacks.platforms.ssh.connection import Remote
from tests.nightly import IS_NIGHTLY
from tests.platforms.ssh.conftest import Shop
from tests.platforms.ssh.control import RecordingControl

# The "service": what runs is what the last restart found, and lives outside of what is compared.
RESTART = 'readlink current >"$RUNNING-$LASTGOOD_HOST" || : >"$RUNNING-$LASTGOOD_HOST"'
CHECK = 'test "$(cat "$RUNNING-$LASTGOOD_HOST")" = "$(readlink current)"'
WAYS: dict[str, dict[str, Any]] = {
    "restart and check": {"restart_command": RESTART, "health_check": {"command": CHECK}},
    "restart": {"restart_command": RESTART},
    "check": {"health_check": {"command": "test -d current/bin"}},
    "neither": {},
}
Cut = Callable[[int, Callable[[RecordingControl], Progress]], bool]


@pytest.fixture
def service(shop: Shop, quiet_watch: None) -> Shop:
    running = shop.fleet.directory / "running"
    shop.variables["RUNNING"] = str(running)
    shop.settings = {"health_timeout": 10}
    return shop


def runs(shop: Shop) -> list[str]:
    return [
        (shop.fleet.directory / f"running-{host}").read_text().strip() for host in shop.fleet.hosts
    ]


def stopped_before_change(number: int, call: Callable[[RecordingControl], Progress]) -> bool:
    """Cut off right before the change with this number; False where there is none any more."""
    try:
        call(RecordingControl(stop_at=number))
    except Stopped:
        return True
    return False


def killed_after_command(number: int, call: Callable[[RecordingControl], Progress]) -> bool:
    """Cut off when the command with this number has run and nothing of it was heard."""
    ran, run = 0, Remote.run

    async def cut(self: Remote, *args: Any, **options: Any) -> Any:
        nonlocal ran
        answer = await run(self, *args, **options)
        ran += 1
        if ran == number:
            raise Stopped("killed")
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Remote, "run", cut)
        try:
            call(RecordingControl())
        except Stopped:
            return True
    return False


CUTS = [
    ("restart and check", stopped_before_change),
    *((way, killed_after_command) for way in WAYS),
]


def next_to(number: int, cut: Cut) -> int:
    """Each piece that is sent is a point of its own: by day, every fifth of these will do."""
    return number + (5 if cut is stopped_before_change and not IS_NIGHTLY else 1)


@pytest.mark.parametrize("shop", [1], indirect=True)
@pytest.mark.parametrize(("way", "cut"), CUTS)
def test_a_deployment_cut_off_anywhere_is_finished_by_the_next_call(
    service: Shop, way: str, cut: Cut
) -> None:
    service.settings |= WAYS[way]
    service.deploy("1-1.4.0")
    before = service.trees()
    service.deploy("2-1.4.1")
    after = service.trees()
    service.roll_back("2-1.4.1")

    number = 1
    while cut(number, lambda control: service.deploy("2-1.4.1", control)):
        assert isinstance(service.deploy("2-1.4.1"), Done)
        assert service.trees() == after, f"cut off at {number}"
        if "restart" in way:
            assert runs(service) == ["releases/2-1.4.1"], f"cut off at {number}"
        service.roll_back("2-1.4.1")
        assert service.trees() == before
        number = next_to(number, cut)
    assert number > 2


@pytest.mark.parametrize("shop", [1], indirect=True)
@pytest.mark.parametrize(("way", "cut"), CUTS)
@pytest.mark.parametrize("is_first", [False, True])
def test_a_rollback_cut_off_anywhere_is_finished_by_the_next_call(
    service: Shop, way: str, cut: Cut, is_first: bool
) -> None:
    service.settings |= WAYS[way]
    if not is_first:
        service.deploy("1-1.4.0")
    before = service.trees()
    service.deploy("2-1.4.1")

    number = 1
    while cut(number, lambda control: service.roll_back("2-1.4.1", control)):
        assert isinstance(service.roll_back("2-1.4.1"), Done)
        assert service.trees() == before, f"cut off at {number}"
        if "restart" in way:
            assert runs(service) == ["" if is_first else "releases/1-1.4.0"]
        service.deploy("2-1.4.1")
        number = next_to(number, cut)
    assert number > 2


@pytest.mark.parametrize("shop", [1], indirect=True)
@pytest.mark.parametrize(("way", "cut"), CUTS)
@pytest.mark.parametrize("is_first", [False, True])
def test_a_deployment_cut_off_anywhere_can_be_rolled_back(
    service: Shop, way: str, cut: Cut, is_first: bool
) -> None:
    service.settings |= WAYS[way]
    if not is_first:
        service.deploy("1-1.4.0")
    before = service.trees()
    service.capture("2-1.4.1")

    number = 1
    while cut(number, lambda control: service.deploy("2-1.4.1", control)):
        assert isinstance(service.roll_back("2-1.4.1"), Done)
        assert service.trees() == before, f"cut off at {number}"
        if "restart" in way and not is_first:
            assert runs(service) == ["releases/1-1.4.0"]
        number = next_to(number, cut)
    assert number > 2


def test_an_upload_that_ends_early_is_no_release(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = payload.prepared

    def cut(artifact: ArtifactRef, *more: Any) -> Any:
        packed = whole(artifact, *more)
        packed.truncate(4 * 512)  # between two members: tar itself sees nothing wrong
        return packed

    shop.capture("1-1.4.0")
    monkeypatch.setattr(payload, "prepared", cut)

    with pytest.raises(PlatformError, match="upload was cut short"):
        shop.deploy("1-1.4.0")

    for host in shop.fleet.hosts:
        assert set(shop.fleet.tree(host)) == {"srv", "srv/shop", "srv/shop/releases"}


def test_a_stop_is_heeded_at_once_while_a_host_hangs(shop: Shop) -> None:
    shop.connector = {"connect_timeout": 60}
    shop.capture("1-1.4.0")
    shop.fleet.pause("web-2")
    control = RecordingControl()
    stop = threading.Timer(1, lambda: setattr(control, "stop_at", 1))
    began = time.monotonic()

    stop.start()
    with pytest.raises(Stopped):
        shop.deploy("1-1.4.0", control)

    assert time.monotonic() - began < 3


@pytest.mark.parametrize("shop", [1], indirect=True)
def test_a_lease_that_ends_while_a_host_opens_a_channel_sends_no_command(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a worker that is stopped just then, and wakes long after."""
    shop.capture("1-1.4.0")
    control, opening = RecordingControl(), SSHClientChannel._open
    before = shop.fleet.log("web-1").count("Starting session")

    async def opened_late(self: SSHClientChannel[bytes], *args: bytes) -> Any:
        answer = await opening(self, *args)
        control.stop_at = 1
        return answer

    monkeypatch.setattr(SSHClientChannel, "_open", opened_late)
    with pytest.raises(Stopped):
        shop.deploy("1-1.4.0", control)

    time.sleep(0.3)  # for what should not be there
    assert shop.fleet.log("web-1").count("Starting session") == before


@pytest.mark.parametrize("shop", [1], indirect=True)
def test_a_worker_that_has_lost_its_lease_does_not_even_look(shop: Shop) -> None:
    """Though the connection of its last look is still open."""
    lease = RecordingControl()
    with everywhere.staying(lease.checkpoint):
        shop.platform.observe(shop.fleet.target())
        before = shop.fleet.log("web-1").count("Starting session")
        lease.stop_at = 1
        with pytest.raises(Stopped):
            shop.platform.observe(shop.fleet.target())
    time.sleep(0.3)  # for what should not be there
    assert before
    assert shop.fleet.log("web-1").count("Starting session") == before


@pytest.mark.parametrize("shop", [1], indirect=True)
def test_a_lease_that_ends_while_a_command_is_encrypted_sends_none(
    shop: Shop, quiet_watch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a worker that is stopped, or waits for its other threads, between check and call."""
    shop.capture("1-1.4.0")
    control, request = RecordingControl(), SSHClientChannel._make_request
    before = shop.fleet.log("web-1").count("Starting session")

    async def requested_late(self: SSHClientChannel[bytes], kind: bytes, *args: bytes) -> Any:
        assert kind == b"exec"
        control.stop_at = 1
        return await request(self, kind, *args)

    monkeypatch.setattr(SSHClientChannel, "_make_request", requested_late)
    with pytest.raises(Stopped):
        shop.deploy("1-1.4.0", control)

    time.sleep(0.3)  # for what should not be there
    assert shop.fleet.log("web-1").count("Starting session") == before
    assert control.states == {"web-1": OutcomeState.RUNNING}, "no fault of the host's"
