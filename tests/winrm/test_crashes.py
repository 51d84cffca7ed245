"""Workers that die at every change, answers that are lost at every change: all ends well."""

import pytest

from dashboard.models import Deployment
from rollbacks import execution
from rollbacks.platforms.winrm.sessions import Remote
from tests.engine.faults import Crash, expire, finish
from tests.nightly import IS_NIGHTLY
from tests.scene import verdicts
from tests.winrm.conftest import Open
from tests.winrm.host.shells import Call, Lost
from tests.winrm.shop import THINGS, Shop
from tests.winrm.test_every_type import TYPES, succeeded

CASES = (
    [(thing, kind) for kind in TYPES for thing in THINGS]
    if IS_NIGHTLY
    else [
        ("service", "BASIC"),
        ("application", "CANARY"),
        ("site", "BLUE_GREEN"),
        ("service", "BLUE_GREEN"),
    ]
)
SIDES = [True, False] if IS_NIGHTLY else [True]
ONCE = {"switch_iis", "swap_bindings", "unpack"}


class Dying:
    """Every worker dies at a change: after it, or before its second one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, after_effect: bool) -> None:
        self.is_on, self._changes = True, 0
        call = Remote.call

        async def dies(remote: Remote, sent: Call) -> str:
            if not self.is_on or sent.script.startswith("look_"):
                return await call(remote, sent)  # type: ignore[arg-type]
            self._changes += 1
            if not after_effect and self._changes % 2 == 0:
                raise Crash(sent.script)
            answer = await call(remote, sent)  # type: ignore[arg-type]
            if after_effect:
                raise Crash(sent.script)
            return answer

        monkeypatch.setattr(Remote, "call", dies)

    def work(self, deployment: Deployment) -> tuple[Deployment, int]:
        """By one worker after the other; and how many died."""
        died = 0
        while died < 60:
            try:
                execution.execute(deployment.pk, f"worker {died}")
            except Crash:
                died += 1
                expire(deployment)
            else:
                break
        self.is_on = False
        return Deployment.objects.get(pk=deployment.pk), died


def forget(shop: Shop) -> None:
    for host in shop.fleet.hosts.values():
        host.shells.calls.clear()


@pytest.mark.parametrize(("thing", "workflow_type"), CASES)
@pytest.mark.parametrize("after_effect", SIDES)
def test_workers_that_all_die_after_one_change(
    open_shop: Open,
    monkeypatch: pytest.MonkeyPatch,
    thing: str,
    workflow_type: str,
    after_effect: bool,
) -> None:
    shop = open_shop(thing, workflow_type, hosts=1)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    deployment = shop.start("1.4.2")
    forget(shop)
    deployed, died = Dying(monkeypatch, after_effect=after_effect).work(deployment)
    bad = succeeded(deployed)
    assert died > 3, "the changes are no longer what they were"
    assert verdicts(bad) == {"web-1": "DEPLOYED"}
    changes = shop.changes()
    assert all(changes.count(each) <= 1 for each in ONCE), changes
    rollback = shop.scene.confirm(bad)
    forget(shop)
    back, died = Dying(monkeypatch, after_effect=after_effect).work(rollback)
    succeeded(back)
    assert died > 1, "the changes are no longer what they were"
    assert verdicts(back) == {"web-1": "ROLLED_BACK"}
    assert shop.everything() == before


@pytest.mark.parametrize(("thing", "workflow_type"), CASES if IS_NIGHTLY else CASES[1:])
@pytest.mark.parametrize("after_effect", SIDES)
def test_every_answer_is_lost_once(
    open_shop: Open, thing: str, workflow_type: str, after_effect: bool
) -> None:
    shop = open_shop(thing, workflow_type, hosts=1)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    lost: set[str] = set()

    def lose(call: Call) -> None:
        words = f"{call.script} {sorted(call.parameters.items())}"
        if call.is_change and words not in lost:
            lost.add(words)
            raise Lost

    shells = shop.fleet.hosts["web-1"].shells
    if after_effect:
        shells.after = lose
    else:
        shells.before = lose
    bad = succeeded(finish(shop.start("1.4.2")))
    succeeded(finish(shop.scene.confirm(bad)))
    assert len(lost) > 5
    assert shop.everything() == before
