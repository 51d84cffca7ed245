"""What policy and pages answer is what a brute-force oracle says, in random worlds, always."""

import os
import re
from random import Random

import pytest
from django.db import transaction
from django.urls import reverse

from accounts import grants, policy
from accounts.models import User, UserGroup
from accounts.vocabulary import AccountPermission, Right
from dashboard.models import Application, Deployment, Environment, Service
from tests.acceptance.browser import ROLLBACK, Browser
from tests.pages.factories import make_deployment, make_person, make_service, make_target
from tests.permissions.oracle import (
    DOINGS,
    World,
    expected,
    expected_account,
    expected_roll_back,
    expected_sight,
)
from tests.permissions.worlds import ACCOUNT, befall, put, worlds

pytestmark = pytest.mark.django_db
SEED = int(os.environ.get("LASTGOOD_TEST_SEED", "1"))
WORLDS = int(os.environ.get("LASTGOOD_TEST_WORLDS", "22"))
EVENTS = 7
OF_ENVIRONMENT = re.compile(r'<span class="strong">(.+?)</span>')
RIGHT = {
    "view": Right.VIEW_DEPLOYMENTS,
    "execute": Right.EXECUTE_WORKFLOW,
    "roll back": Right.ROLLBACK_WORKFLOW,
    "abort": Right.ABORT_WORKFLOW,
}


def test_policy_answers_what_the_oracle_answers_whatever_befalls_the_world() -> None:
    UserGroup.objects.all().delete()
    cases = 0
    for number, (world, random) in enumerate(worlds(SEED, WORLDS)):
        story = [f"seed {SEED}, world {number}"]
        with transaction.atomic():
            placed = put(world)
            cases += _compare(world, random, story)
            for _ in range(EVENTS):
                story.append(befall(random, world, placed))
                cases += _compare(world, random, story)
            transaction.set_rollback(True)
    assert cases >= 2_275 * WORLDS, f"seed {SEED}: {cases} cases"


def _compare(world: World, random: Random, story: list[str]) -> int:
    """Ask for lists about everybody and everything, and one by one about some."""
    assert not grants.difference(), story
    people = list(User.objects.filter(username__in=world.people))
    assert len(people) == len(world.people)
    cases = sum(_compare_lists(world, actor, story) for actor in people)
    environments = list(Environment.objects.all())
    for environment in random.sample(environments, min(2, len(environments))):
        cases += _compare_questions(world, random.choice(people), environment, story)
    return cases


def _compare_lists(world: World, actor: User, story: list[str]) -> int:
    name = actor.username
    for doing, right in RIGHT.items():
        found = Environment.objects.filter(pk__in=policy.environment_ids(actor, right))
        wanted = {each for each in world.environments if expected(world, name, doing, each)}
        assert set(found.values_list("name", flat=True)) == wanted, (story, name, doing)
    seen = Application.objects.filter(pk__in=policy.application_ids(actor))
    wanted = {each for each in world.applications if expected_sight(world, name, each)}
    assert set(seen.values_list("name", flat=True)) == wanted, (story, name, "sees")
    return len(RIGHT) * len(world.environments) + len(world.applications)


def _compare_questions(
    world: World, actor: User, environment: Environment, story: list[str]
) -> int:
    name, where = actor.username, environment.name
    for doing in DOINGS:
        wanted = expected(world, name, doing, where)
        assert policy.may(actor, RIGHT[doing], environment) == wanted, (story, name, doing, where)
    wanted = expected_roll_back(world, name, where)
    assert policy.may_roll_back(actor, environment) == wanted, (story, name, where)
    for each in ACCOUNT:
        wanted = expected_account(world, name, each)
        assert policy.holds(actor, AccountPermission(each)) == wanted, (story, name, each)
    return len(DOINGS) + 1 + len(ACCOUNT)


def test_pages_show_and_offer_what_the_oracle_says() -> None:
    UserGroup.objects.all().delete()
    make_person("engineer")
    shown = offered = 0
    for number, (world, _) in enumerate(worlds(SEED + 1, 3, environments=4)):
        with transaction.atomic():
            put(world)
            deployments = deploy_everywhere()
            for actor in User.objects.filter(username__in=world.people):
                story = (f"seed {SEED + 1}, world {number}", actor.username)
                shown += _compare_panels(world, actor, story)
                offered += _compare_menus(world, actor, deployments, story)
            transaction.set_rollback(True)
    assert shown > 20
    assert offered > 5


def deploy_everywhere() -> dict[str, Deployment]:
    """Two successes of one service in each environment: the newest, by environment."""
    made = {}
    services = {
        application.pk: make_service("everywhere", application)
        for application in Application.objects.all()
    }
    for environment in Environment.objects.all():
        target = make_target(services[environment.application_id], environment)
        make_deployment(target, "1.4.1")
        made[environment.name] = make_deployment(target, "1.4.2")
    return made


def _compare_panels(world: World, actor: User, story: object) -> int:
    """Each service's page shows the environments whose deployments the person may view."""
    shown, browser = 0, Browser(actor)
    for service in Service.objects.filter(name="everywhere"):
        answer = browser.client.get(reverse("service", args=[service.pk]))
        sees = expected_sight(world, actor.username, service.application.name)
        assert answer.status_code == _status(actor, sees), story
        if not sees:
            continue
        here = service.application.environments.values_list("name", flat=True)
        wanted = {each for each in here if expected(world, actor.username, "view", each)}
        assert set(OF_ENVIRONMENT.findall(answer.content.decode())) == wanted, story
        shown += len(wanted)
    return shown


def _compare_menus(
    world: World, actor: User, deployments: dict[str, Deployment], story: object
) -> int:
    """The menu offers Rollback Deployment to who may roll back, and none to who may not look."""
    offered, browser = 0, Browser(actor)
    for where, deployment in deployments.items():
        sees = expected(world, actor.username, "view", where)
        answer = browser.get("deployment_menu", deployment.pk)
        assert answer.status_code == _status(actor, sees), (story, where)
        wanted = expected_roll_back(world, actor.username, where)
        assert (ROLLBACK in answer.content.decode()) == wanted, (story, where)
        offered += wanted
    return offered


def _status(actor: User, sees: bool) -> int:
    """Absent and forbidden look the same; who may not sign in is asked to."""
    if not actor.is_active:
        return 302
    return 200 if sees else 404
