"""The Script step on real sshd."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rollbacks.platforms.base import Done, OutcomeState, PlatformError, StepSpec
from rollbacks.platforms.ssh.script import Script
from tests.platforms.ssh.conftest import Shop
from tests.platforms.ssh.control import RecordingControl

STEP = Script()


def spec(shop: Shop, command: str, **settings: Any) -> StepSpec:
    model = Script.settings_model.model_validate({"command": command, **settings})
    return replace(shop.spec("7-1.4.1"), kind="ssh.script", settings=model.model_dump())


def run(shop: Shop, what: StepSpec, *, back: bool = False, **connector: Any) -> RecordingControl:
    control = RecordingControl()
    call = STEP.undo if back else STEP.apply
    assert isinstance(call(shop.fleet.target(**connector), what, {}, control), Done)
    return control


@pytest.mark.parametrize("shop", [2], indirect=True)
def test_variables_arrive_untouched_and_say_where_and_which_way(shop: Shop) -> None:
    value = "a 'b' \"c\" $HOME `id` \\ \n ü *"
    what = replace(
        spec(shop, 'printf "%s|" "$VALUE" "$LASTGOOD_HOST" "$LASTGOOD_DIRECTION"; echo; env'),
        variables={"VALUE": value},
    )
    for back, direction in ((False, "deploy"), (True, "rollback")):
        what = replace(what, settings={**what.settings, "undo_command": what.settings["command"]})
        control = run(shop, what, back=back)
        said = dict(control.lines)
        assert said["web-1"].startswith(f"{value}|web-1|{direction}|")
        assert said["web-2"].startswith(f"{value}|web-2|{direction}|")
        for line in (
            "LASTGOOD_RELEASE=7-1.4.1",
            "LASTGOOD_VERSION=1.4.1",
            "LASTGOOD_SERVICE=storefront",
            "LASTGOOD_ENVIRONMENT=production",
        ):
            assert line in said["web-1"].splitlines()
        assert set(control.states.values()) == {OutcomeState.DONE}


def test_a_hosts_own_variable_goes_before_the_workflows(shop: Shop) -> None:
    target = shop.fleet.target()
    hosts = [{**host, "variables": {"PORT": 8080}} for host in target.settings["hosts"]]
    target = replace(target, settings={**target.settings, "hosts": hosts})
    what = replace(spec(shop, 'echo "$PORT"'), variables={"PORT": "1"})
    control = RecordingControl()

    STEP.apply(target, what, {}, control)

    assert dict(control.lines) == dict.fromkeys(shop.fleet.hosts, "8080")


def test_the_working_directory_may_be_relative_to_the_service(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    control = run(shop, spec(shop, "pwd -P", working_directory="current"))
    expected = shop.fleet.path("web-1", "releases/1-1.4.0").resolve()
    assert ("web-1", str(expected)) in control.lines


def test_a_failing_script_fails_its_host_and_shows_its_last_words(shop: Shop) -> None:
    what = spec(shop, 'test "$LASTGOOD_HOST" != web-2 || { echo disk full >&2; exit 3; }')
    control = RecordingControl()

    with pytest.raises(PlatformError, match="web-2: the script ended with 3: disk full") as failed:
        STEP.apply(shop.fleet.target(), what, {}, control)

    assert failed.value.permanent
    assert control.states["web-2"] == OutcomeState.FAILED
    assert control.states["web-1"] == control.states["web-3"] == OutcomeState.DONE


def test_what_is_kept_of_the_output_is_bounded_and_always_text(shop: Shop) -> None:
    control = run(shop, spec(shop, r"seq 100000; printf '\377\n'"))
    lines = dict(control.lines)["web-1"].splitlines()
    assert len(lines) == 200
    assert lines[-2:] == ["100000", "\ufffd"]


def test_without_an_undo_command_there_is_nothing_to_undo(shop: Shop) -> None:
    control = run(shop, spec(shop, "exit 1"), back=True)
    assert set(control.states.values()) == {OutcomeState.UNCHANGED}


def test_a_silent_host_is_waited_for_and_the_others_run_once(shop: Shop, tmp_path: Path) -> None:
    count = tmp_path / "count"
    what = spec(shop, f"echo x >>{count}-$LASTGOOD_HOST", patience=3)
    shop.fleet.stop("web-2")

    with pytest.raises(PlatformError, match=r"web-2: .* refused .*; the script did not run"):
        STEP.apply(shop.fleet.target(), what, {}, control := RecordingControl())

    assert control.states["web-2"] == OutcomeState.FAILED
    assert Path(f"{count}-web-1").read_text() == "x\n"
    shop.fleet.start("web-2")
    run(shop, what)


def test_a_script_that_does_not_end_is_given_up(shop: Shop) -> None:
    began = time.monotonic()
    with pytest.raises(PlatformError, match="no end of the command within 1 s; it may still run"):
        STEP.apply(
            shop.fleet.target(),
            spec(shop, "echo begun; sleep 20", time_limit=1),
            {},
            control := RecordingControl(),
        )
    assert time.monotonic() - began < 6
    assert ("web-1", "begun") in control.lines


def test_the_preview_names_the_command(shop: Shop) -> None:
    what = spec(shop, "up", undo_command="down")
    assert {c.after for c in STEP.preview(shop.fleet.target(), what, None)} == {"up"}
    assert {c.after for c in STEP.preview(shop.fleet.target(), what, {})} == {"down"}
