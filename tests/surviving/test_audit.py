"""The auditor sees what is wrong: each rule is shown a history that breaks it."""

import shlex
from dataclasses import replace
from typing import Any

from rollbacks.platforms.ssh import commands
from rollbacks.platforms.ssh.commands import Pending
from tests.surviving import audit
from tests.surviving.audit import Row
from tests.surviving.site import Claim
from tests.surviving.witness import Command

SEEN = {"instances": [{"key": "web-1", "verdict": "ROLLED_BACK"}]}
ROW = Row(8, "Hosts 1", "SUCCEEDED", "VERIFIED", "", rolls_back=7, epoch=2, after=SEEN)
CLAIMS = [Claim(8, 1, "one.1", 10.0), Claim(8, 2, "two.1", 20.0)]
TOLD: list[tuple[Any, ...]] = [(8, "QUEUED", 0), (8, "RUNNING", 0), (8, "SUCCEEDED", 2)]
STEP = (8, "Install", "SUCCEEDED", {"web-1": {"state": "DONE"}}, ["web-1"])


def switch(worker: str, at: float) -> Command:
    line = commands.switch("/srv/hosts-1", "7-1.4.2", "releases/6-1.4.1", Pending.RESTART)
    assert shlex.split(line)[0] == "sh"
    return Command("web-1", at, worker, line)


def work(*done: Command) -> audit._Work:
    return audit._Work([ROW], CLAIMS, list(done))


def test_a_command_after_another_worker_has_taken_over_is_seen() -> None:
    assert work(switch("one.1", 11.0)).stale() == []
    assert work(switch("two.1", 21.0)).stale() == []
    assert len(work(switch("one.1", 21.0)).stale()) == 1
    assert len(work(switch("one.1", 9.0)).stale()) == 1  # before anybody had it


def test_an_effect_that_came_twice_or_never_is_seen() -> None:
    once = switch("two.1", 21.0)
    assert work(once).repeated(["web-1"]) == []
    assert len(work(once, replace(once, at=22.0)).repeated(["web-1"])) == 1
    assert len(work().repeated(["web-1"])) == 1


def test_two_who_claim_the_same_are_seen() -> None:
    assert audit._epochs(CLAIMS) == []
    assert len(audit._epochs([*CLAIMS, Claim(8, 2, "one.1", 21.0)])) == 1


def test_an_end_that_is_wrong_or_told_twice_or_by_another_is_seen() -> None:
    assert audit._ends([ROW]) == []
    assert audit._told([ROW], TOLD) == []
    assert len(audit._ends([replace(ROW, status="FAILED")])) == 1
    assert len(audit._ends([ROW, replace(ROW, id=9)])) == 1
    assert len(audit._told([ROW], [*TOLD, TOLD[-1]])) == 1
    assert len(audit._told([ROW], [*TOLD[:2], (8, "SUCCEEDED", 1)])) == 1


def test_a_host_without_the_one_outcome_it_should_have_is_seen() -> None:
    assert audit._steps([STEP]) == []
    assert len(audit._steps([(*STEP[:3], {}, ["web-1"])])) == 1
    assert len(audit._steps([(*STEP[:3], {"web-1": {"state": "UNKNOWN"}}, ["web-1"])])) == 1
    assert audit._verdicts([ROW], ["web-1"]) == []
    assert len(audit._verdicts([ROW], ["web-1", "web-2"])) == 1
    assert len(audit._verdicts([replace(ROW, after=None)], ["web-1"])) == 1
