"""A worker that dies at any point leaves what its successor can finish, in either direction."""

import pytest

from rollbacks.platforms.base import Done, PlatformError, Running, Stopped
from tests.nightly import IS_NIGHTLY
from tests.platforms.ssh.control import RecordingControl
from tests.platforms.winrm.conftest import Shop, shop_for
from tests.winrm.host import Fleet
from tests.winrm.host.shells import Call, Lost
from tests.winrm.shop import THINGS

Case = tuple[str, str]
CASES: list[Case] = [
    ("site", "winrm.install"),
    ("site", "winrm.swap"),
    ("service", "winrm.swap"),
]
if IS_NIGHTLY:
    CASES += [(thing, "winrm.install") for thing in THINGS if thing != "site"]
    CASES += [(thing, "winrm.stage") for thing in THINGS]


@pytest.fixture(params=CASES, ids=" ".join)
def service(request: pytest.FixtureRequest, fleet: Fleet, quiet_watch: None) -> Shop:
    thing, kind = request.param
    shop = shop_for(fleet, thing, "BASIC" if kind == "winrm.install" else "BLUE_GREEN")
    shop.kind = kind
    return shop


# Each call passes twice: before it is packed, and as it is sent. By day, every other call will do.
BETWEEN = 2 if IS_NIGHTLY else 4


def cut(shop: Shop, number: int, act: str, release: str) -> bool:
    """Cut off right before the sending with this number; False where there is none any more."""
    try:
        getattr(shop, act)(release, RecordingControl(stop_at=number))
    except Stopped:
        return True
    return False


def test_cut_off_anywhere_it_is_finished_by_the_next_call(service: Shop) -> None:
    before = service.everything()
    service.deploy("2-1.4.1")
    after = service.everything()
    assert isinstance(service.roll_back("2-1.4.1"), Done)
    assert service.everything() == before
    number = 1
    while cut(service, number, "deploy", "2-1.4.1"):
        assert isinstance(service.deploy("2-1.4.1"), Done)
        assert service.everything() == after, f"cut off at {number}"
        is_cut = cut(service, number, "roll_back", "2-1.4.1")
        assert isinstance(service.roll_back("2-1.4.1"), Done)
        assert service.everything() == before, f"rollback cut off at {number}: {is_cut}"
        number += BETWEEN
    assert number > 9


def test_cut_off_anywhere_it_can_be_rolled_back(service: Shop) -> None:
    before = service.everything()
    service.capture("2-1.4.1")
    number = BETWEEN - 1
    while cut(service, number, "deploy", "2-1.4.1"):
        assert isinstance(service.roll_back("2-1.4.1"), Done)
        assert service.everything() == before, f"cut off at {number}"
        number += BETWEEN
    assert number > 9


def test_a_lost_answer_is_looked_at_and_nothing_is_done_twice(service: Shop) -> None:
    service.capture("2-1.4.1")
    lost: list[str] = []

    def lose(call: Call) -> None:
        words = f"{call.script} {sorted(call.parameters.items())}"
        if call.is_change and words not in lost:
            lost.append(words)
            raise Lost

    service.host.shells.after = lose
    service.host.shells.calls.clear()
    for _ in range(20):
        if isinstance(service.deploy("2-1.4.1"), Done):
            break
    assert len(service.host.shells.changes()) == len(lost) > 0, "once each, as without any loss"
    assert set(service.control.states.values()) <= {"DONE", "UNCHANGED"}


def test_what_was_restarted_but_not_seen_well_is_checked_by_the_next_call(shop: Shop) -> None:
    shop.settings["health_check"] = {"url": "http://{address}:{production}/"}

    def lose(call: Call) -> None:
        if call.script == "restart_pool":
            raise Lost

    shop.host.shells.after = lose
    assert isinstance(shop.deploy("1-broken"), Running)
    shop.host.shells.after = lambda call: None
    with pytest.raises(PlatformError, match="health check answered 500"):
        shop.deploy("1-broken")
    assert shop.host.shells.changes().count("restart_pool") == 1
