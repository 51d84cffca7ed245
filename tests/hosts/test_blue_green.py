"""Blue/green on real hosts behind a real nginx: nobody's request fails, and all comes back."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.models import Deployment, Instance, Status, Step
from rollbacks import actions
from rollbacks.plan import Configuration
from tests.hosts.nginx import Visitor
from tests.hosts.pairs import Pair, pair_of
from tests.scene import revise, verdicts

Open = Callable[..., Pair]


@pytest.fixture
def open_pair(transactional_db: None, tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as running:
        yield lambda count=2, **choices: running.enter_context(pair_of(count, tmp_path, **choices))


def succeeded(execution: Deployment) -> Deployment:
    assert (execution.status, execution.code) == (Status.SUCCEEDED, "VERIFIED"), execution.message
    return execution


def outcomes(execution: Deployment, name: str) -> dict[str, str]:
    step = Step.objects.get(phase__deployment=execution, name=name)
    return {key: outcome["state"] for key, outcome in step.outcomes.items()}


def test_swap_and_rollback_without_one_failed_request(open_pair: Open) -> None:
    pair = open_pair(4)
    succeeded(pair.deploy("1.4.0"))  # to green: blue has nothing
    first = succeeded(pair.deploy("1.4.1"))
    assert (pair.nginx.color(), pair.nginx.page()) == ("blue", (200, "1.4.1"))
    before = pair.everything()
    with Visitor(pair.nginx) as visitor:
        bad = succeeded(pair.deploy("1.4.2"))
        assert (pair.nginx.color(), pair.nginx.page()) == ("green", (200, "1.4.2"))
        assert pair.has("blue") == {f"releases/{first.pk}-1.4.1"}
        rollback = succeeded(pair.scene.roll_back(bad))
    assert visitor.faults == []
    assert visitor.count > 20
    assert visitor.seen == {"1.4.1", "1.4.2"}
    assert pair.everything() == before
    assert verdicts(rollback) == {"storefront": "ROLLED_BACK"}
    [instance] = Instance.objects.all()
    assert (instance.version, instance.is_healthy, instance.size) == ("1.4.1", True, 2)
    assert instance.identity.startswith(f"blue serves; blue: releases/{first.pk}-1.4.1; green: ")
    assert outcomes(bad, "Stage") == dict.fromkeys(("web-3", "web-4", "storefront"), "DONE")
    assert outcomes(bad, "Swap") == {
        "web-3": "UNCHANGED", "web-4": "UNCHANGED", "proxy-1": "DONE", "storefront": "DONE",
    }  # fmt: skip
    assert outcomes(rollback, "Undo Swap") == {
        "web-1": "UNCHANGED", "web-2": "UNCHANGED", "proxy-1": "DONE", "storefront": "DONE",
    }  # fmt: skip


def test_a_release_that_is_not_well_never_serves(open_pair: Open) -> None:
    pair = open_pair()
    succeeded(pair.deploy("1.4.1"))
    before = pair.everything()
    check = {"url": "http://{address}:{http}/index.html", "expect_text": "1.4.1"}
    step = {"stage_health_check": check, "health_timeout": 0.2}
    document = {
        "phases": [
            {
                "name": "Blue/Green",
                "steps": [
                    {"name": "Stage", "kind": "ssh.stage", "settings": step},
                    {"name": "Swap", "kind": "ssh.swap"},
                ],
            }
        ]
    }
    revise(pair.scene.workflow, document)
    with Visitor(pair.nginx) as visitor:
        bad = pair.deploy("1.4.2")
    assert (bad.status, bad.code) == (Status.FAILED, "ROLLED_BACK"), bad.message
    assert "answered without '1.4.1'" in bad.message
    assert (visitor.seen, visitor.faults) == ({"1.4.1"}, [])
    assert pair.everything() == before


def test_a_switch_that_does_nothing_is_found_out(open_pair: Open) -> None:
    pair = open_pair()
    succeeded(pair.deploy("1.4.1"))
    before = pair.everything()
    proxies = pair.scene.infrastructure.settings["proxies"]
    pair.revise(proxies={**proxies, "switch_command": "true"})
    bad = pair.deploy("1.4.2")
    assert (bad.status, bad.code) == (Status.FAILED, "ROLLED_BACK"), bad.message
    assert "the switch command ended well, but it still sends to green" in bad.message
    assert pair.everything() == before


def test_a_front_that_says_nothing_sensible_stops_all_before_it_begins(open_pair: Open) -> None:
    pair = open_pair()
    before = pair.everything()
    proxies = pair.scene.infrastructure.settings["proxies"]
    pair.revise(proxies={**proxies, "show_command": "echo purple"})
    failed = pair.deploy("1.4.2")
    assert failed.status == Status.FAILED
    assert "must print blue or green, and printed 'purple'" in failed.message
    assert "Nothing was touched" in failed.message
    assert pair.everything() == before


@pytest.mark.parametrize("way", ["stopped", "gone", "lost"])
def test_the_old_color_is_mended_or_its_loss_is_said(open_pair: Open, way: str) -> None:
    """`restart_command` makes the page anew, as a service that is started does."""
    restart = "[ ! -e current ] || cp current/*.txt current/index.html"
    pair = open_pair()
    pair.scene.workflow.current_revision.definition["settings"]["restart_command"] = restart
    revise(pair.scene.workflow, pair.scene.workflow.current_revision.definition)
    first = succeeded(pair.deploy("1.4.1"))
    bad = succeeded(pair.deploy("1.4.2"))
    old = pair.fleet.path("web-2", f"releases/{first.pk}-1.4.1")
    before = pair.everything()
    if way == "lost":
        shutil.rmtree(old)
        (pair.fleet.directory / "1.4.1.zip").unlink()
        left = pair.everything()
        failed = pair.scene.roll_back(bad)
        assert (failed.status, failed.code) == (Status.FAILED, "NOT_READY"), failed.message
        assert f"web-2: releases/{first.pk}-1.4.1, which it ran before, is gone" in failed.message
        assert "cannot be sent again" in failed.message
        assert pair.everything() == left
        return
    if way == "gone":
        shutil.rmtree(old)
    else:
        (old / "index.html").unlink()
    with Visitor(pair.nginx) as visitor:
        rollback = succeeded(pair.scene.roll_back(bad))
    assert visitor.faults == []
    assert outcomes(rollback, "Undo Swap")["web-2"] == "DONE"
    log = Step.objects.get(phase__deployment=rollback, name="Undo Swap")
    said = {"stopped": "mended", "gone": "was gone and was sent again"}
    assert said[way] in log.outcomes["web-2"]["message"]
    assert (old / "index.html").read_text() == "1.4.1" * 50
    assert before["serving"] != pair.everything()["serving"]


def test_hosts_that_came_or_went_since_are_named(open_pair: Open) -> None:
    pair = open_pair(4)
    succeeded(pair.deploy("1.4.0"))
    succeeded(pair.deploy("1.4.1"))
    before = pair.everything()
    bad = succeeded(pair.deploy("1.4.2"))
    settings = pair.scene.infrastructure.settings
    hosts = [each for each in settings["hosts"] if each["name"] not in ("web-2", "web-3")]
    pair.revise(hosts=hosts, groups={"blue": ["web-1"], "green": ["web-4"]})
    rollback = succeeded(pair.scene.roll_back(bad))
    assert rollback.status == Status.SUCCEEDED
    now = pair.everything()
    assert now["serving"] == before["serving"]
    for host in ("web-1", "web-2", "web-4"):
        assert now["hosts"][host] == before["hosts"][host]
    pair.revise(hosts=settings["hosts"], groups=pair.groups)
    assert pair.has("green") == {pair.fleet.link("web-3"), pair.fleet.link("web-4")}


def test_the_plan_names_every_host_that_a_step_goes_back_on(
    open_pair: Open, client: Client
) -> None:
    """On the page, as in the API: the hosts on record, though they are one instance together."""
    pair = open_pair(4)
    succeeded(pair.deploy("1.4.1"))  # to green: blue has nothing
    bad = succeeded(pair.deploy("1.4.2"))
    engineer = pair.scene.engineer
    plan, refusals = actions.confirmation(bad, engineer, Configuration.CURRENT, timezone.now())
    assert plan is not None, refusals
    swap, stage = (step for phase in plan.phases for step in phase.steps)
    [serves] = swap.changes
    assert (serves.before, serves.after) == ("blue", "green (web-3, web-4)")
    assert [(each.what, each.before) for each in stage.changes] == [
        (f"current of {host} (blue)", f"releases/{bad.pk}-1.4.2") for host in ("web-1", "web-2")
    ]
    client.force_login(engineer)
    dialog = client.get(reverse("rollback", args=[bad.pk])).content.decode()
    assert "green (web-3, web-4)" in dialog
    assert "current of web-2 (blue)" in dialog


def test_a_newcomer_without_the_old_release_stops_the_way_back(open_pair: Open) -> None:
    pair = open_pair(4)
    settings = pair.scene.infrastructure.settings
    hosts = [each for each in settings["hosts"] if each["name"] != "web-2"]
    pair.revise(hosts=hosts, groups={"blue": ["web-1"], "green": ["web-3", "web-4"]})
    succeeded(pair.deploy("1.4.0"))
    succeeded(pair.deploy("1.4.1"))
    bad = succeeded(pair.deploy("1.4.2"))
    pair.revise(hosts=settings["hosts"], groups=pair.groups)
    before = pair.everything()
    failed = pair.scene.roll_back(bad)
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_READY"), failed.message
    assert "web-2 came to blue since and runs nothing" in failed.message
    assert pair.everything() == before


def test_what_serves_is_never_staged_to(open_pair: Open) -> None:
    """Rollback steps that forget the swap would take the release from under the feet of people."""
    pair = open_pair()
    succeeded(pair.deploy("1.4.1"))
    bad = succeeded(pair.deploy("1.4.2"))
    document: dict[str, Any] = pair.scene.workflow.current_revision.definition
    phases = document["phases"]
    phases[0]["rollback_steps"] = [{"undo": "Stage"}]
    revise(pair.scene.workflow, document)
    before = pair.everything()
    failed = pair.scene.roll_back(bad)
    assert failed.status == Status.FAILED
    assert "proxy-1 sends people to blue; nothing was changed there" in failed.message
    assert "Undo the swap first" in failed.message
    assert pair.everything() == before
