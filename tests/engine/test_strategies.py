"""What follows a failed step: as the workflow says, through any crash, by whoever may decide."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.policy import Denied
from accounts.vocabulary import AccountPermission, Action, Verb
from dashboard.models import Deployment, Status, Step, StepStatus
from dashboard.operating.stuck import stuck
from rollbacks import actions, decisions, lifecycle
from rollbacks.definition import DefinitionError, parse
from rollbacks.eligibility import Code, Refused
from rollbacks.runtime import Runtime
from rollbacks.strategies import FailureAction
from tests.engine import faults
from tests.engine.conftest import three_phases
from tests.lab import Fleet
from tests.nightly import IS_NIGHTLY
from tests.scene import Scene, group, person, revise, run, verdicts

SOON = {"delay": 0, "max_delay": 0}
INSTALL = {"name": "Install", "kind": "lab.install"}
NOTE = {"name": "Tell", "kind": "lab.note"}


def phases(strategy: Any, **more: Any) -> dict[str, Any]:
    """One phase on all hosts whose only step has this failure strategy."""
    step = {**INSTALL, "failure_strategy": strategy}
    return {"phases": [{"name": "Hosts", "steps": [step], **more}]}


def heal_at(fleet: Fleet, verb: str, number: int) -> None:
    """web-2 is mended right before the n-th call of the verb from now on."""
    calls = 0

    def point(label: str) -> None:
        nonlocal calls
        calls += label == verb
        if calls == number:
            fleet.broken.clear()

    fleet.point = point


def codes(deployment: Deployment) -> list[str]:
    return [event.code for event in deployment.events.order_by("pk") if event.code]


def step_of(deployment: Deployment, name: str = "Install") -> Step:
    return Step.objects.get(phase__deployment=deployment, name=name)


def decide(deployment: Deployment, action: str, shop: Scene) -> Deployment:
    actions.decide(deployment, FailureAction(action), shop.engineer, timezone.now())
    return run(deployment)


# Retry


def test_a_retried_step_succeeds_and_the_history_tells_each_retry(
    shop: Scene, fleet: Fleet
) -> None:
    revise(shop.workflow, phases({"action": "RETRY", "retries": 3, **SOON}))
    fleet.broken = {"web-2": "apply"}
    heal_at(fleet, "apply", 3)
    done = shop.deploy("1.4.1")
    assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED")
    assert codes(done).count("RETRYING") == 2
    told = [event.message for event in done.events.filter(code="RETRYING").order_by("pk")]
    assert told[0] == "Install: web-2: exit status 1. Retry 1 of 3 in 0 s."
    assert (step_of(done).retries, step_of(done).attempts) == (2, 3)


def test_once_retries_are_spent_the_deployment_is_rolled_back(shop: Scene, fleet: Fleet) -> None:
    first = dict(fleet.runs)
    revise(shop.workflow, phases({"action": "RETRY", "retries": 2, **SOON}))
    fleet.broken = {"web-2": "apply"}
    done = shop.deploy("1.4.1")
    assert (done.status, done.code) == (Status.FAILED, "ROLLED_BACK")
    assert codes(done).count("RETRYING") == 2
    assert fleet.runs == first


def test_what_was_captured_before_the_first_attempt_is_what_is_returned_to(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    revise(shop.workflow, phases({"action": "RETRY", "retries": 2, **SOON}))
    fleet.broken = {"web-3": "apply"}
    done = shop.deploy("1.4.2")
    assert done.code == "ROLLED_BACK"
    assert step_of(done).captured == first
    assert fleet.runs == first


def test_a_target_has_a_budget_of_retries_that_all_its_executions_share(
    shop: Scene, fleet: Fleet, settings: Any
) -> None:
    settings.RETRIES_PER_HOUR = 3
    revise(shop.workflow, phases({"action": "RETRY", "retries": 2, **SOON}))
    fleet.broken = {"web-2": "apply"}
    spent = [codes(shop.deploy("1.4.1")).count("RETRYING") for _ in range(3)]
    assert spent == [2, 1, 0]
    later = Deployment.objects.get(pk=shop.start("1.4.1").pk)
    for deployment in Deployment.objects.exclude(pk=later.pk):
        deployment.events.update(at=timezone.now() - timedelta(hours=1, seconds=1))
    assert codes(run(later)).count("RETRYING") == 2


def test_the_wait_before_a_retry_is_drawn_from_nothing_to_a_doubled_ceiling(
    shop: Scene, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []

    def uniform(self: Runtime, low: float, high: float) -> float:
        asked.append((low, high))
        return 0

    monkeypatch.setattr(Runtime, "uniform", uniform)
    revise(shop.workflow, phases({"action": "RETRY", "retries": 5, "delay": 4, "max_delay": 20}))
    fleet.broken = {"web-2": "apply"}
    shop.deploy("1.4.1")
    assert asked == [(0, 4), (0, 8), (0, 16), (0, 20), (0, 20)]


def test_a_rollback_step_is_retried_too(shop: Scene, fleet: Fleet) -> None:
    undo = {"undo": "Install", "failure_strategy": {"action": "RETRY", **SOON}}
    revise(shop.workflow, phases("ROLLBACK_WORKFLOW", rollback_steps=[undo]))
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = shop.deploy("1.4.2")
    fleet.broken = {"web-2": "undo"}
    heal_at(fleet, "undo", 2)
    done = shop.roll_back(bad)
    assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED")
    assert fleet.runs == first


# Ignore


def test_an_ignored_failure_lets_the_execution_go_on_and_is_told(shop: Scene, fleet: Fleet) -> None:
    steps = [{**INSTALL, "failure_strategy": "IGNORE"}, NOTE]
    revise(shop.workflow, {"phases": [{"name": "Hosts", "steps": steps}]})
    fleet.broken = {"web-2": "apply"}
    done = shop.deploy("1.4.1")
    assert (done.status, done.code) == (Status.SUCCEEDED, "UNVERIFIED")
    assert done.message == "Seen on 2 of 3 instances: 1.4.1. Failed and ignored: Install."
    assert step_of(done).status == StepStatus.IGNORED
    assert step_of(done).message == "web-2: exit status 1"
    assert [call for call in fleet.calls if call[0] == "note"] == [
        ("note", "Tell", host) for host in ("web-1", "web-2", "web-3")
    ]


def test_ignoring_a_failed_undo_does_not_make_a_rollback_a_success(
    shop: Scene, fleet: Fleet
) -> None:
    undo = {"undo": "Install", "failure_strategy": "IGNORE"}
    revise(shop.workflow, phases("ROLLBACK_WORKFLOW", rollback_steps=[undo]))
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    fleet.broken = {"web-2": "undo"}
    done = shop.roll_back(bad)
    assert (done.status, done.code) == (Status.FAILED, "VERIFICATION_FAILED")
    assert verdicts(done) == {"web-1": "ROLLED_BACK", "web-2": "DIFFERENT", "web-3": "ROLLED_BACK"}


# Rollback of a phase, abort


def test_rollback_phase_undoes_the_failed_phase_and_leaves_earlier_ones(
    canary: Scene, fleet: Fleet
) -> None:
    revise(canary.workflow, {"phases": three_phases()})
    canary.deploy("1.4.1")
    first = dict(fleet.runs)
    revise(canary.workflow, {"failure_strategy": "ROLLBACK_PHASE", "phases": three_phases()})
    fleet.broken = {"web-2": "apply"}
    done = canary.deploy("1.4.2")
    assert (done.status, done.code) == (Status.FAILED, "PHASE_ROLLED_BACK")
    assert done.message == (
        "Install: web-2: exit status 1. Canary 2 was rolled back; earlier phases stay deployed."
    )
    assert fleet.runs == {**first, "web-1": f"{done.pk}-1.4.2"}
    back = done.phases.filter(direction="BACK")
    assert [phase.name for phase in back] == ["Rollback Canary 2"]
    assert canary.target.current_deployment_id != done.pk
    assert verdicts(done) == {"web-1": "DEPLOYED", "web-2": "ROLLED_BACK", "web-3": "UNTOUCHED"}


def test_an_instance_of_two_phases_keeps_what_the_earlier_one_brought(
    canary: Scene, fleet: Fleet
) -> None:
    """The later phase found it there, so going back to before the later phase is to keep it."""
    everywhere = {"name": "The rest", "steps": [NOTE, {**INSTALL, "name": "Reinstall"}]}
    shared = {"failure_strategy": "ROLLBACK_PHASE", "phases": [three_phases()[0], everywhere]}
    revise(canary.workflow, shared)
    fleet.broken = {"web-2": "apply"}
    done = canary.deploy("1.4.1")
    assert (done.status, done.code) == (Status.FAILED, "PHASE_ROLLED_BACK")
    assert fleet.runs == {"web-1": f"{done.pk}-1.4.1", "web-2": "", "web-3": ""}
    assert verdicts(done) == {"web-1": "DEPLOYED", "web-2": "ROLLED_BACK", "web-3": "ROLLED_BACK"}


def test_the_nearest_strategy_counts(canary: Scene, fleet: Fleet) -> None:
    document = three_phases()
    document[1]["failure_strategy"] = "ROLLBACK_PHASE"
    document[2]["steps"] = [{**INSTALL, "failure_strategy": "IGNORE"}]
    revise(canary.workflow, {"failure_strategy": "ABORT_WORKFLOW", "phases": document})
    fleet.broken = {"web-3": "apply"}
    assert canary.deploy("1.4.1").code == "UNVERIFIED"
    fleet.broken = {"web-2": "apply"}
    assert canary.deploy("1.4.2").code == "PHASE_ROLLED_BACK"
    fleet.broken = {"web-1": "apply"}
    assert canary.deploy("1.4.3").status == Status.ABORTED


def test_abort_workflow_undoes_nothing_and_says_what_is_where(canary: Scene, fleet: Fleet) -> None:
    revise(canary.workflow, {"failure_strategy": "ABORT_WORKFLOW", "phases": three_phases()})
    fleet.broken = {"web-2": "apply"}
    done = canary.deploy("1.4.1")
    assert done.status == Status.ABORTED
    assert done.message == (
        "Install: web-2: exit status 1. Aborted, as the workflow says. "
        "Left as they are: web-1 at 1.4.1, web-2 at nothing of ours."
    )
    assert not done.phases.filter(direction="BACK").exists()


# A person decides


@pytest.fixture
def waiting(canary: Scene, fleet: Fleet) -> Deployment:
    """A canary whose second phase has failed, and which asks what to do."""
    asks = {"action": "MANUAL_INTERVENTION", "timeout": 3600, "then": "ROLLBACK_PHASE"}
    revise(canary.workflow, {"failure_strategy": asks, "phases": three_phases()})
    fleet.broken = {"web-2": "apply"}
    return canary.deploy("1.4.1")


def test_manual_intervention_pauses_with_the_choices(canary: Scene, waiting: Deployment) -> None:
    assert (waiting.status, waiting.code) == (Status.PAUSED, "MANUAL_INTERVENTION")
    assert waiting.decision_due_at is not None
    until = f"{waiting.decision_due_at:%Y-%m-%d %H:%M %Z}"
    assert waiting.message == (
        "Install: web-2: exit status 1. Decide what is to follow: "
        f"if nobody does by {until}, its phase is rolled back."
    )
    assert [choice.label for choice in decisions.choices(waiting)] == [
        "Retry Install",
        "Ignore it and go on",
        "Roll back Canary 2 only",
        "Roll back all phases",
    ]
    with pytest.raises(Refused) as refused:
        actions.resume(waiting, canary.engineer, timezone.now())
    assert refused.value.refusals[0].code == Code.DECISION_NEEDED
    assert sum(stuck(timezone.now() + timedelta(minutes=5)).values()) == 0


def test_retrying_goes_on_from_the_failed_step(
    canary: Scene, fleet: Fleet, waiting: Deployment
) -> None:
    fleet.broken.clear()
    fleet.calls.clear()
    done = decide(waiting, "RETRY", canary)
    assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED")
    assert [host for _, _, host in fleet.calls] == ["web-2", "web-3"]
    assert done.decision_due_at is None


def test_a_step_that_fails_again_asks_again(
    canary: Scene, fleet: Fleet, waiting: Deployment
) -> None:
    again = decide(waiting, "RETRY", canary)
    assert (again.status, again.code) == (Status.PAUSED, "MANUAL_INTERVENTION")
    assert again.decision_due_at is not None
    assert waiting.decision_due_at is not None
    assert again.decision_due_at > waiting.decision_due_at


@pytest.mark.parametrize(
    ("action", "status", "code", "left"),
    [
        ("IGNORE", Status.SUCCEEDED, "UNVERIFIED", {"web-1", "web-3"}),
        ("ROLLBACK_PHASE", Status.FAILED, "PHASE_ROLLED_BACK", {"web-1"}),
        ("ROLLBACK_WORKFLOW", Status.FAILED, "ROLLED_BACK", set()),
    ],
)
def test_each_choice_does_what_it_says(
    canary: Scene,
    fleet: Fleet,
    waiting: Deployment,
    action: str,
    status: str,
    code: str,
    left: set[str],
) -> None:
    done = decide(waiting, action, canary)
    assert (done.status, done.code) == (status, code)
    assert {host for host, release in fleet.runs.items() if release} == left
    decided = done.events.get(code="DECIDED")
    assert decided.actor == canary.engineer
    row = AuditEvent.objects.get(verb=Verb.INTERVENTION)
    assert row.actor == canary.engineer


def test_a_paused_decision_can_be_aborted(canary: Scene, waiting: Deployment) -> None:
    actions.abort(waiting, canary.engineer, timezone.now())
    done = faults.finish(waiting)
    assert done.status == Status.ABORTED
    assert "web-1 at 1.4.1" in done.message


def test_without_a_decision_in_time_what_the_workflow_says_follows(
    canary: Scene, fleet: Fleet, waiting: Deployment
) -> None:
    now = timezone.now()
    assert waiting.pk not in lifecycle.due(now)
    assert lifecycle.claim(waiting.pk, "worker", now) is None
    Deployment.objects.filter(pk=waiting.pk).update(decision_due_at=now)
    assert lifecycle.due(now) == [waiting.pk]
    assert stuck(now + timedelta(minutes=5))["NOT_TAKEN"] == 1
    done = run(waiting)
    assert (done.status, done.code) == (Status.FAILED, "PHASE_ROLLED_BACK")
    assert "NOT_DECIDED" in codes(done)
    with pytest.raises(Refused):
        decide(done, "RETRY", canary)


def test_a_crash_after_the_time_is_over_does_not_begin_to_wait_anew(
    canary: Scene, fleet: Fleet, points: faults.Points
) -> None:
    asks = {"action": "MANUAL_INTERVENTION", "timeout": 3600, "then": "IGNORE"}
    revise(canary.workflow, {"failure_strategy": asks, "phases": three_phases()[:2]})
    fleet.broken = {"web-2": "apply"}
    for number in itertools.count(1):
        waiting = canary.deploy("1.4.1")
        assert waiting.code == "MANUAL_INTERVENTION"
        Deployment.objects.filter(pk=waiting.pk).update(decision_due_at=timezone.now())
        points.die_at(number)
        is_alive = faults.work(waiting)
        points.live()
        assert faults.finish(waiting).code == "UNVERIFIED", f"dying at point {number}"
        if is_alive:
            return


def test_nobody_decides_twice_or_what_is_not_offered(canary: Scene, waiting: Deployment) -> None:
    for absurd in ("END_EXECUTION", "ABORT_WORKFLOW", "MANUAL_INTERVENTION"):
        with pytest.raises(Refused):
            decide(waiting, absurd, canary)
    decide(waiting, "ROLLBACK_WORKFLOW", canary)
    with pytest.raises(Refused):
        decide(waiting, "RETRY", canary)


def test_executing_includes_every_choice_but_rolling_back(
    canary: Scene, waiting: Deployment
) -> None:
    operator = person("operator", group("Operators", Action.READ, Action.EXECUTE_WORKFLOW))
    now = timezone.now()
    for choice in (FailureAction.ROLLBACK_PHASE, FailureAction.ROLLBACK_WORKFLOW):
        with pytest.raises(Denied, match="Rollback Workflow"):
            actions.decide(waiting, choice, operator, now)
    for nobody in (canary.viewer, canary.stranger, canary.former):
        with pytest.raises(Denied):
            actions.decide(waiting, FailureAction.RETRY, nobody, now)
    roller = person(
        "roller",
        group(
            "Rollers",
            Action.ROLLBACK_WORKFLOW,
            account=[AccountPermission.MANAGE_APPLICATIONS],
        ),
    )
    with pytest.raises(Denied, match="Execute Workflow"):
        actions.decide(waiting, FailureAction.ROLLBACK_WORKFLOW, roller, now)
    actions.decide(waiting, FailureAction.IGNORE, operator, now)
    assert run(waiting).responsible == operator


def test_the_page_offers_the_choices_to_those_who_may_and_takes_one(
    canary: Scene, waiting: Deployment
) -> None:
    browser = Client()
    controls = reverse("deployment_controls", args=[waiting.pk])
    browser.force_login(canary.viewer)
    assert b"Retry Install" not in browser.get(controls).content
    browser.force_login(canary.engineer)
    page = browser.get(controls).content.decode()
    for label in ("Retry Install", "Roll back Canary 2 only", "Roll back all phases", "Abort"):
        assert label in page
    assert ">Resume<" not in page
    assert browser.post(reverse("decide", args=[waiting.pk, "NONSENSE"])).status_code == 404
    answer = browser.post(reverse("decide", args=[waiting.pk, "ROLLBACK_WORKFLOW"]))
    assert answer.status_code == 302
    assert run(waiting).code == "ROLLED_BACK"
    assert browser.post(reverse("decide", args=[waiting.pk, "RETRY"])).status_code == 409


def test_a_rollback_that_asks_can_be_ended_as_failed(shop: Scene, fleet: Fleet) -> None:
    undo = {"undo": "Install", "failure_strategy": "MANUAL_INTERVENTION"}
    revise(shop.workflow, phases("ROLLBACK_WORKFLOW", rollback_steps=[undo]))
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    fleet.broken = {"web-2": "undo"}
    paused = shop.roll_back(bad)
    assert paused.code == "MANUAL_INTERVENTION"
    assert [choice.action for choice in decisions.choices(paused)] == [
        FailureAction.RETRY, FailureAction.IGNORE, FailureAction.END_EXECUTION,
    ]  # fmt: skip
    done = decide(paused, "END_EXECUTION", shop)
    assert (done.status, done.code) == (Status.FAILED, "STEP_FAILED")


# Through crashes


@pytest.mark.parametrize(
    ("strategy", "code", "retries"),
    [
        ({"action": "RETRY", "retries": 2, **SOON}, "ROLLED_BACK", 2),
        ("IGNORE", "UNVERIFIED", 0),
        ("ROLLBACK_PHASE", "PHASE_ROLLED_BACK", 0),
        ("ABORT_WORKFLOW", "ABORTED", 0),
        ("MANUAL_INTERVENTION", "MANUAL_INTERVENTION", 0),
        ({"action": "RETRY", "retries": 1, **SOON, "then": "IGNORE"}, "UNVERIFIED", 1),
    ],
)
def test_a_crash_at_any_point_changes_nothing_about_what_follows(
    canary: Scene,
    fleet: Fleet,
    points: faults.Points,
    settings: Any,
    strategy: Any,
    code: str,
    retries: int,
) -> None:
    settings.RETRIES_PER_HOUR = 10_000
    revise(canary.workflow, {"failure_strategy": strategy, "phases": three_phases()[:2]})
    fleet.broken = {"web-2": "apply"}
    for number in itertools.count(1, 1 if IS_NIGHTLY else 3):
        fleet.runs = dict.fromkeys(fleet.runs, "")
        points.die_at(number)
        deployment = canary.start("1.4.1")
        is_alive = faults.work(deployment)
        points.live()
        done = faults.finish(deployment)
        assert done.code == code, f"dying at point {number}"
        assert codes(done).count("RETRYING") == retries, f"dying at point {number}"
        faults.require_nobody_is_stuck()
        if done.status == Status.PAUSED:
            decide(done, "ROLLBACK_WORKFLOW", canary)
        if is_alive:
            return


# What a workflow may say


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ("GIVE_UP", "Input should be"),
        ({"action": "IGNORE", "retries": 3}, "IGNORE takes no retries"),
        ({"action": "RETRY", "timeout": 3}, "RETRY takes no timeout"),
        ({"action": "RETRY", "retries": 0}, "greater than or equal to 1"),
        ({"action": "RETRY", "then": "RETRY"}, "RETRY cannot follow RETRY"),
        (
            {"action": "MANUAL_INTERVENTION", "then": {"action": "MANUAL_INTERVENTION"}},
            "MANUAL_INTERVENTION cannot follow MANUAL_INTERVENTION",
        ),
        ({"action": "RETRY", "then": {"action": "IGNORE", "then": "IGNORE"}}, "takes no then"),
    ],
)
def test_a_strategy_that_makes_no_sense_is_refused(
    fleet: Fleet, strategy: object, said: str
) -> None:
    for document in (
        {"failure_strategy": strategy},
        phases(strategy),
        {"phases": [{"name": "Hosts", "steps": [INSTALL], "failure_strategy": strategy}]},
    ):
        with pytest.raises(DefinitionError) as error:
            parse(document, "SSH", "BASIC")
        assert said in str(error.value)
        assert "failure_strategy" in error.value.problems[0][0]


@pytest.mark.parametrize(
    "strategy", ["ROLLBACK_PHASE", {"action": "RETRY", "then": "ROLLBACK_WORKFLOW"}]
)
def test_a_rollback_step_cannot_answer_its_failure_with_a_rollback(
    fleet: Fleet, strategy: object
) -> None:
    undo = {"undo": "Install", "failure_strategy": strategy}
    with pytest.raises(DefinitionError, match="cannot be answered by a rollback"):
        parse(phases("IGNORE", rollback_steps=[undo]), "SSH", "BASIC")


def test_a_definition_without_strategies_is_stored_as_it_was(fleet: Fleet) -> None:
    """Or every workflow would get a new revision with the release that brought them."""
    stored = parse({}, "SSH", "BASIC").model_dump(mode="json")
    assert stored["failure_strategy"] == "ROLLBACK_WORKFLOW"
    assert "failure_strategy" not in stored["phases"][0]
    assert "failure_strategy" not in stored["phases"][0]["steps"][0]


def test_a_stored_strategy_reads_as_it_was_written(fleet: Fleet) -> None:
    asks = {"action": "MANUAL_INTERVENTION", "timeout": 60.0, "then": "ABORT_WORKFLOW"}
    written = {"action": "RETRY", "retries": 2, "delay": 1.0, "max_delay": 9.0, "then": asks}
    stored = parse(phases(written), "SSH", "BASIC").model_dump(mode="json")
    assert stored["phases"][0]["steps"][0]["failure_strategy"] == written
    assert parse(stored, "SSH", "BASIC").model_dump(mode="json") == stored
