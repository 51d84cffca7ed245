"""Workers that die at every change on hosts and proxies: what they began is finished, or undone."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dashboard.models import Deployment
from rollbacks import execution
from rollbacks.platforms.ssh.connection import Remote
from tests.engine.faults import Crash, expire
from tests.hosts.conftest import Start
from tests.hosts.nginx import Visitor
from tests.hosts.pairs import Pair, pair_of
from tests.hosts.test_blue_green import succeeded
from tests.hosts.test_canary import canary
from tests.nightly import IS_NIGHTLY

SIDES = [True, False] if IS_NIGHTLY else [True]
# What only looks; anything else changes a host, or may.
LOOKS = ("missing=", "lastgood\\n", "grep -q 1.4.2")


class Dying:
    """Every worker dies at a change: after it, or before its second one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, after_effect: bool) -> None:
        self.is_on, self._changes = True, 0
        run = Remote.run

        async def dies(remote: Remote, command: str, *more: Any, **options: Any) -> Any:
            if not self.is_on or any(each in command for each in LOOKS):
                return await run(remote, command, *more, **options)
            self._changes += 1
            if not after_effect and self._changes % 2 == 0:
                raise Crash(command)
            answer = await run(remote, command, *more, **options)
            if after_effect:
                raise Crash(command)
            return answer

        monkeypatch.setattr(Remote, "run", dies)

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


@pytest.fixture
def pair(transactional_db: None, tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as running:
        yield running.enter_context(pair_of(2, tmp_path))


def die_through(
    monkeypatch: pytest.MonkeyPatch, deployment: Deployment, *, after_effect: bool
) -> int:
    with monkeypatch.context() as patched:
        ended, died = Dying(patched, after_effect=after_effect).work(deployment)
    succeeded(ended)
    return died


@pytest.mark.parametrize("after_effect", SIDES)
def test_blue_green_survives_workers_that_all_die_after_one_change(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, after_effect: bool
) -> None:
    succeeded(pair.deploy("1.4.1"))
    before = pair.everything()
    deployment = pair.start("1.4.2")
    with Visitor(pair.nginx) as visitor:
        assert die_through(monkeypatch, deployment, after_effect=after_effect) > 2
        assert pair.nginx.page() == (200, "1.4.2")
        rollback = pair.scene.confirm(Deployment.objects.get(pk=deployment.pk))
        assert die_through(monkeypatch, rollback, after_effect=after_effect) > 1
    assert visitor.faults == []
    assert pair.everything() == before


@pytest.mark.parametrize("after_effect", SIDES)
def test_a_canary_survives_workers_that_all_die_after_one_change(
    shop_of: Start, monkeypatch: pytest.MonkeyPatch, after_effect: bool
) -> None:
    shop = shop_of(2, workflow_type="CANARY", document=canary())
    succeeded(shop.deploy("1.4.1"))
    before = shop.trees()
    shop.publish("1.4.2")
    deployment = shop.scene.start("1.4.2")
    assert die_through(monkeypatch, deployment, after_effect=after_effect) > 2
    rollback = shop.scene.confirm(Deployment.objects.get(pk=deployment.pk))
    assert die_through(monkeypatch, rollback, after_effect=after_effect) > 1
    assert shop.trees() == before
