"""What the API lists and lets do is what the brute-force oracle says, in random worlds."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User, UserGroup
from dashboard.models import Deployment
from tests.graphql.conftest import Caller
from tests.pages.factories import make_person
from tests.permissions.oracle import World, expected, expected_roll_back, expected_sight
from tests.permissions.test_oracle import SEED, deploy_everywhere
from tests.permissions.worlds import put, worlds

pytestmark = pytest.mark.django_db
LISTS = """{
  applications { nodes { name } }
  environments { nodes { name } }
  executions(filters: {isCurrent: true}) { nodes { ... on WorkflowExecution {
    environment { name } } } }
}"""
CONFIRM = 'query { rollbackConfirmation(executionId: "%s") { execution { id } } }'


def test_the_api_answers_what_the_oracle_answers() -> None:
    UserGroup.objects.all().delete()
    make_person("engineer")
    allowed = 0
    for number, (world, _) in enumerate(worlds(SEED + 2, 5, environments=4)):
        with transaction.atomic():
            put(world)
            deployments = deploy_everywhere()
            for actor in User.objects.filter(username__in=world.people, is_active=True):
                story = (f"seed {SEED + 2}, world {number}", actor.username)
                caller = Caller(Client(), {})
                caller.client.force_login(actor)
                _compare_lists(world, actor.username, caller.ask(LISTS)["data"], story)
                for where, deployment in deployments.items():
                    allowed += _compare_rollback(world, actor, caller, where, deployment, story)
            transaction.set_rollback(True)
    assert allowed > 5


def _compare_lists(world: World, name: str, shown: Mapping[str, Any], story: object) -> None:
    seen = {each["name"] for each in shown["applications"]["nodes"]}
    assert seen == {each for each in world.applications if expected_sight(world, name, each)}, story
    visible = {each for each in world.environments if expected(world, name, "view", each)}
    assert {each["name"] for each in shown["environments"]["nodes"]} == visible, story
    ran = {each["environment"]["name"] for each in shown["executions"]["nodes"]}
    assert ran == visible, story


def _compare_rollback(
    world: World, actor: User, caller: Caller, where: str, deployment: Deployment, story: object
) -> bool:
    answer = caller.ask(CONFIRM % deployment.pk)
    codes = [each["extensions"]["code"] for each in answer.get("errors", ())]
    may = expected_roll_back(world, actor.username, where)
    hidden = not expected(world, actor.username, "view", where)
    assert codes == ([] if may else ["NOT_FOUND"] if hidden else ["FORBIDDEN"]), (story, where)
    return may
