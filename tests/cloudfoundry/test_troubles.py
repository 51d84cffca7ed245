"""What goes wrong on a foundation, and somebody else's hands: named, and taken back."""

import random
from itertools import count

import pytest
from django.utils import timezone

from dashboard.models import Deployment, Status
from rollbacks import actions, readiness
from rollbacks.plan import Configuration
from rollbacks.platforms.base import Inspection
from tests.engine.faults import finish
from tests.nightly import IS_NIGHTLY

from .conftest import Open
from .foundation import Drop, Error, Expire, FakeFoundation, Fate, broken, too_many
from .shop import SMALL, Shop, credential_of
from .test_every_type import CASES, DOWNSIZED, succeeded
from .wire import Wire

EACH_TYPE = ("BASIC", "CANARY", "BLUE_GREEN downsized")
WORDS = {
    Fate.CRASHES: "Exited with status 1",
    Fate.IS_NOT_PLACED: "insufficient resources",
    Fate.FLAPS: "",
}


def failed_and_back(deployment: Deployment) -> Deployment:
    assert (deployment.status, deployment.code) == (Status.FAILED, "ROLLED_BACK"), (
        deployment.message
    )
    return deployment


def inspected(shop: Shop, deployment: Deployment) -> Inspection:
    """What the dialog of its rollback says, of all steps together."""
    plan, refusals = actions.confirmation(
        deployment, shop.scene.engineer, Configuration.CURRENT, timezone.now()
    )
    assert plan is not None, refusals
    told = [each.inspection for each in readiness.of_plan(plan)]
    assert not [each.error for each in readiness.of_plan(plan) if each.error]
    return Inspection(
        tuple(each for one in told for each in one.differences),
        tuple(each for one in told for each in one.warnings),
        tuple(each for one in told for each in one.problems),
    )


def said(deployment: Deployment) -> str:
    steps = [each for phase in deployment.phases.all() for each in phase.steps.all()]
    return " ".join([deployment.message, *(each.message for each in steps)])


@pytest.mark.parametrize(
    ("case", "fate", "word"),
    [
        (case, fate, word)
        for case, by_day in (
            ("BASIC", Fate.CRASHES),
            ("CANARY", Fate.FLAPS),
            ("BLUE_GREEN", Fate.IS_NOT_PLACED),
        )
        for fate, word in WORDS.items()
        if IS_NIGHTLY or fate == by_day
    ],
)
def test_instances_that_do_not_come_up(open_shop: Open, case: str, fate: Fate, word: str) -> None:
    shop = open_shop(**CASES[case])
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    shop.hasten(3)
    shop.foundation.behave(f"{fate.name}-1.4.2", fate)
    bad = failed_and_back(shop.deploy(f"{fate.name}-1.4.2"))
    assert word in said(bad)
    assert shop.everything() == before


def test_staging_that_fails_is_told_in_the_words_of_cloud_foundry(open_shop: Open) -> None:
    shop = open_shop(is_docker=False)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    shop.foundation.behave("unstaged-1.4.2", Fate.FAILS_STAGING)
    bad = failed_and_back(shop.deploy("unstaged-1.4.2"))
    assert "could not stage the package" in said(bad)
    assert shop.everything() == before


def test_an_old_app_that_will_not_start_keeps_the_routes_where_they_are(open_shop: Open) -> None:
    shop = open_shop(**DOWNSIZED)
    succeeded(shop.deploy("old-1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.foundation.behave("old-1.4.1", Fate.NEVER_STARTS)
    shop.hasten(60, back=3)
    stuck = shop.scene.roll_back(bad)
    assert stuck.status == Status.FAILED, stuck.message
    assert "STARTING" in said(stuck)
    assert shop.served() == ["2"]
    assert shop.foundation.ask(shop.host).status == 200
    shop.foundation.behave("old-1.4.1", Fate.RUNS)
    shop.hasten(60)
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def aborted(shop: Shop, wire: Wire, bad: Deployment, word: str, number: int = 1) -> Deployment:
    """A rollback that somebody ends after its change of that number that has the word."""
    rollback, left = shop.scene.confirm(bad), count(number, -1)

    def abort(what: str) -> None:
        if word in what and next(left) == 1:
            wire.calm()
            actions.abort(rollback, shop.scene.engineer, timezone.now())

    wire.after = abort
    stopped = finish(rollback)
    assert stopped.status == Status.ABORTED, stopped.message
    return stopped


@pytest.mark.parametrize(
    ("case", "changes"),
    [(case, changes) for case in EACH_TYPE for changes in (1, 2)]
    if IS_NIGHTLY
    else [("BASIC", 1), ("CANARY", 2), ("BLUE_GREEN downsized", 2)],
)
def test_a_rollback_that_was_aborted_may_be_started_again_and_again(
    open_shop: Open, wire: Wire, case: str, changes: int
) -> None:
    shop = open_shop(**CASES[case])
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    aborted(shop, wire, bad, "", changes)
    assert set(shop.apps()) == {"1", "2"}
    aborted(shop, wire, bad, "DELETE /v3/apps")
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before
    assert set(shop.apps()) == {"1"}


def test_a_rollback_that_was_aborted_after_its_last_change_may_be_started_again(
    open_shop: Open, wire: Wire
) -> None:
    shop = open_shop(**DOWNSIZED)
    succeeded(shop.deploy("1.4.1"))
    route = shop.route(shop.test_host)["guid"]
    shop.somebody.job(shop.somebody.send("DELETE", f"/v3/routes/{route}"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))  # makes the route again, as one of its own
    aborted(shop, wire, bad, "DELETE /v3/routes")
    found = inspected(shop, bad)
    assert (found.problems, found.warnings) == ((), ())
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_a_new_app_that_somebody_has_deleted_need_not_come_back(open_shop: Open) -> None:
    shop = open_shop(workflow_type="CANARY")
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.somebody.job(shop.somebody.send("DELETE", f"/v3/apps/{shop.guid('2')}"))
    assert inspected(shop, bad).problems == ()
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


@pytest.mark.parametrize("case", EACH_TYPE if IS_NIGHTLY else ["BLUE_GREEN downsized"])
def test_somebody_elses_route_and_count_are_shown_and_taken_back(
    open_shop: Open, case: str
) -> None:
    shop = open_shop(**CASES[case])
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    theirs = shop.somebody.app(shop.place, "theirs")
    shop.map(shop.host, theirs)
    shop.scale("1", 1)
    found = inspected(shop, bad)
    lines = [line.strip() for each in found.differences for line in each.lines]
    assert any("theirs" in line for line in lines)
    assert "web: 1" in " ".join(lines)
    assert any(f"Somebody has mapped {shop.host} to theirs" in each for each in found.warnings)
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_somebody_elses_environment_comes_back_from_its_revision(open_shop: Open) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    path = f"/v3/apps/{shop.guid('1')}/environment_variables"
    shop.somebody.ask("PATCH", path, {"var": {"PASSWORD": "theirs", "MORE": "x"}})
    (warning,) = set(inspected(shop, bad).warnings)
    assert "Environment variables of shop-storefront__1" in warning
    assert "theirs" not in warning
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_somebody_elses_droplet_is_exchanged_for_the_one_of_before(open_shop: Open) -> None:
    shop = open_shop(**DOWNSIZED)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.somebody.deploy(shop.guid("1"), "registry.example/shop/web:theirs", instances=0)
    assert any("runs another droplet" in each for each in inspected(shop, bad).warnings)
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_a_binding_that_somebody_took_away_is_told_and_left(open_shop: Open) -> None:
    manifest = {**SMALL, "services": ["db"]}
    shop = open_shop(manifest=manifest)
    relation = {"space": {"data": {"guid": shop.place.space}}}
    made = {"type": "user-provided", "name": "db", "relationships": relation}
    shop.somebody.ask("POST", "/v3/service_instances", made)
    succeeded(shop.deploy("1.4.1"))
    assert shop.apps()["1"]["bindings"] == ["db"]
    bad = succeeded(shop.deploy("1.4.2"))
    bound = shop.somebody.ask("GET", "/v3/service_credential_bindings", app_guids=shop.guid("1"))
    shop.somebody.ask("DELETE", f"/v3/service_credential_bindings/{bound['resources'][0]['guid']}")
    (warning,) = set(inspected(shop, bad).warnings)
    assert "The service bindings of shop-storefront__1 were changed by somebody" in warning
    assert "leaves that as it is now" in warning


def test_an_old_app_that_was_deleted_is_a_problem_before_anything_is_touched(
    open_shop: Open, wire: Wire
) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    shop.somebody.job(shop.somebody.send("DELETE", f"/v3/apps/{shop.guid('1')}"))
    assert any("was deleted by somebody" in each for each in inspected(shop, bad).problems)
    wire.sent.clear()
    assert shop.scene.roll_back(bad).code == "NOT_READY"
    assert wire.sent == []


def test_a_rolling_deployment_of_somebody_is_told(open_shop: Open) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("slow-1.4.2"))
    shop.foundation.behave("slow-1.4.2", Fate.NEVER_STARTS)
    relation = {"app": {"data": {"guid": shop.guid("2")}}}
    shop.somebody.ask("POST", "/v3/deployments", {"relationships": relation})
    assert any(
        "rolling deployment of shop-storefront__2" in e for e in inspected(shop, bad).warnings
    )


@pytest.mark.parametrize(
    ("choices", "problem"),
    [
        ({"routes": ["shop.nowhere.example"]}, "has no domain for the route shop.nowhere.example"),
        ({"manifest": {**SMALL, "services": ["none"]}}, "There is no service instance none"),
        ({"manifest": {**SMALL, "stack": "cflinuxfs1"}}, "There is no stack cflinuxfs1"),
        ({"manifest": {**SMALL, "buildpacks": ["none"]}}, "There is no buildpack none"),
        ({"manifest": {**SMALL, "command": "((x))"}}, "((x)) in the manifest is no variable"),
    ],
)
def test_what_is_not_there_is_a_problem_before_anything_is_touched(
    open_shop: Open, wire: Wire, choices: dict[str, object], problem: str
) -> None:
    shop = open_shop(**choices)
    deployment = shop.deploy("1.4.1")
    assert deployment.code == "NOT_READY", deployment.message
    assert problem in said(deployment)
    assert wire.sent == []


@pytest.mark.parametrize(
    ("role", "kind", "problem"),
    [
        ("space_auditor", "user", "is only space_auditor in the space"),
        ("space_manager", "user", "it must be space_developer"),
        ("space_developer", "reader", "needs the scope cloud_controller.write"),
        (None, "user", "There is no organization"),
    ],
)
def test_a_missing_role_is_a_problem_before_anything_is_touched(
    open_shop: Open,
    foundation: FakeFoundation,
    wire: Wire,
    role: str | None,
    kind: str,
    problem: str,
) -> None:
    place = foundation.space()
    login = foundation.credential(role, *([place] if role else []), kind=kind)
    shop = open_shop(place=place, login=login)
    connector = shop.scene.infrastructure.connector
    connector.credential = credential_of(login, kind)
    connector.save()
    deployment = shop.deploy("1.4.1")
    assert deployment.status == Status.FAILED
    assert problem in said(deployment)
    assert wire.sent == []


def test_roles_taken_in_between_are_a_problem_of_the_rollback(open_shop: Open) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    login = shop.foundation.credential("space_auditor", shop.place)
    connector = shop.scene.infrastructure.connector
    connector.credential = credential_of(login)
    connector.save()
    assert any("it must be space_developer" in each for each in inspected(shop, bad).problems)


@pytest.mark.parametrize(
    "fault",
    [Error(too_many(0)), Expire(), *([Error(broken()), Drop(by_reset=True)] if IS_NIGHTLY else [])],
    ids=str,
)
def test_faults_that_pass_hold_nothing_up(open_shop: Open, fault: object) -> None:
    shop = open_shop(**DOWNSIZED)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    chance = random.Random(5)
    shop.foundation.fail(lambda asked: chance.random() < 0.1, fault, times=1000)
    bad = succeeded(finish(shop.start("1.4.2")))
    succeeded(finish(shop.scene.confirm(bad)))
    shop.foundation.heal()
    assert shop.everything() == before


def test_somebody_elses_app_on_the_route_stays_through_a_deployment(open_shop: Open) -> None:
    shop = open_shop(**DOWNSIZED)
    succeeded(shop.deploy("1.4.1"))
    theirs = shop.somebody.app(shop.place, "theirs")
    shop.map(shop.host, theirs)
    bad = succeeded(shop.deploy("1.4.2"))
    assert sorted(shop.served()) == ["2", "theirs"]
    succeeded(shop.scene.roll_back(bad))
    assert sorted(shop.served()) == ["1", "theirs"]


def test_weights_come_back_as_they_were(open_shop: Open) -> None:
    shop = open_shop(**DOWNSIZED)
    succeeded(shop.deploy("1.4.1"))
    theirs = shop.somebody.app(shop.place, "theirs")
    path = f"/v3/routes/{shop.route()['guid']}/destinations"
    parts = ((shop.guid("1"), 70), (theirs, 30))
    told = [{"app": {"guid": guid}, "weight": weight} for guid, weight in parts]
    shop.somebody.ask("PATCH", path, {"destinations": told})
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    weights = {each["app"]: each["weight"] for each in shop.route()["destinations"]}
    assert weights == {f"{shop.key}__2": 70, "theirs": 30}
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_a_policy_leaves_and_comes_back(open_shop: Open) -> None:
    shop = open_shop(workflow_type="CANARY", autoscaler=True)
    succeeded(shop.deploy("1.4.1"))
    shop.scales_by_itself("1", 2, 6)
    policy = shop.apps()["1"]["policy"]
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.apps()["1"]["policy"] is None
    assert shop.apps()["2"]["policy"] == policy
    shop.scale("2", 5)
    succeeded(shop.scene.roll_back(bad))
    assert shop.apps()["1"]["policy"] == policy
    assert shop.everything() == before
