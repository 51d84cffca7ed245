"""The Script step: a person's own PowerShell, untouched."""

from dataclasses import replace
from typing import Any

import pytest

from rollbacks.platforms.base import Done, OutcomeState, PlatformError, StepSpec, Stopped
from rollbacks.platforms.winrm import script
from rollbacks.platforms.winrm.script import Script
from tests.platforms.ssh.control import RecordingControl
from tests.platforms.winrm.conftest import Shop
from tests.winrm.host.disk import Refused
from tests.winrm.host.shells import Call, Lost

STEP = Script()
TEXT = 'param() # it\'s "quoted" $(whoami) `n\r\nStop-Cache -Force\n'


def spec(shop: Shop, **settings: Any) -> StepSpec:
    model = Script.settings_model.model_validate({"command": TEXT, "patience": 0, **settings})
    return replace(shop.spec("7-1.4.1"), kind="winrm.script", settings=model.model_dump())


def run(shop: Shop, what: StepSpec, *, back: bool = False) -> RecordingControl:
    control = RecordingControl()
    call = STEP.undo if back else STEP.apply
    assert isinstance(call(shop.target, what, {}, control), Done)
    return control


def means(shop: Shop, text: str, said: str = "", code: int = 0) -> list[dict[str, str]]:
    """Tell the hosts what the script does; the environments it was run in."""
    seen: list[dict[str, str]] = []

    def act(environment: dict[str, str]) -> tuple[str, int]:
        seen.append(environment)
        return said, code

    for host in shop.fleet.hosts.values():
        host.shells.people[text] = act
    return seen


@pytest.mark.parametrize("fleet", [2], indirect=True)
def test_the_text_arrives_as_it_is_and_variables_beside_it(shop: Shop) -> None:
    seen = means(shop, TEXT, "one\ntwo")
    value = "a 'b' \"c\" $env:X `n \\ \n ü"
    what = replace(spec(shop, undo_command=TEXT), variables={"VALUE": value})
    control = run(shop, what)
    assert sorted(each["LASTGOOD_HOST"] for each in seen) == ["web-1", "web-2"]
    assert {each["VALUE"] for each in seen} == {value}
    assert {each["LASTGOOD_DIRECTION"] for each in seen} == {"deploy"}
    assert {each["LASTGOOD_DIRECTORY"] for each in seen} == {"C:\\Artifacts\\storefront"}
    assert dict(control.lines) == {"web-1": "one\ntwo", "web-2": "one\ntwo"}
    assert set(control.states.values()) == {OutcomeState.DONE}
    run(shop, what, back=True)
    assert {each["LASTGOOD_DIRECTION"] for each in seen} == {"deploy", "rollback"}


def test_without_an_undo_script_nothing_is_done(shop: Shop) -> None:
    control = run(shop, spec(shop), back=True)
    assert control.states == {"web-1": OutcomeState.UNCHANGED}
    assert shop.host.shells.calls == []
    assert STEP.preview(shop.target, spec(shop), {}) == ()
    assert STEP.preview(shop.target, spec(shop), None)[0].after == TEXT


def test_a_program_that_fails_and_a_script_that_throws_are_said(shop: Shop) -> None:
    means(shop, TEXT, "half done", code=3)
    with pytest.raises(PlatformError, match="ran a program that ended with 3") as failed:
        run(shop, spec(shop))
    assert failed.value.permanent

    def throws(environment: dict[str, str]) -> tuple[str, int]:
        raise Refused("no such cache")

    shop.host.shells.people[TEXT] = throws
    with pytest.raises(PlatformError, match="the script failed: no such cache"):
        run(shop, spec(shop))


def test_a_lost_answer_is_not_asked_for_again(shop: Shop) -> None:
    seen = means(shop, TEXT)

    def lose(call: Call) -> None:
        if call.script == TEXT:
            raise Lost

    shop.host.shells.after = lose
    with pytest.raises(PlatformError, match="whether the script ended is not known") as failed:
        run(shop, spec(shop))
    assert failed.value.permanent
    assert len(seen) == 1


def test_a_host_that_comes_back_in_time_runs_it_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "PAUSE_SECONDS", 0.05)
    seen, tries = means(shop, TEXT), [0]

    def lose(call: Call) -> None:
        tries[0] += 1
        if tries[0] < 3:
            raise Lost

    shop.host.shells.before = lose
    run(shop, spec(shop, patience=30))
    assert len(seen) == 1


def test_who_may_not_act_runs_nothing(shop: Shop, quiet_watch: None) -> None:
    seen = means(shop, TEXT)
    number = 1
    while True:
        control = RecordingControl(stop_at=number)
        try:
            STEP.apply(shop.target, spec(shop), {}, control)
        except Stopped:
            number += 1
            continue
        break
    assert number > 3
    assert len(seen) <= 3, "the last try, and those stopped before the exit code was asked for"
