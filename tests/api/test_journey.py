"""The brief's call by a plain program, and what the people of that group may do from then on."""

import httpx
import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts import administration, policy
from accounts.models import User, UserGroup
from accounts.vocabulary import AccountPermission
from dashboard.models import (
    Application,
    Artifact,
    Deployment,
    Environment,
    EnvironmentType,
    Infrastructure,
    Service,
    Workflow,
)
from tests.acceptance.browser import Browser
from tests.api.callers import BRIEF, administrator, brief_group, data, signed_in
from tests.scene import Scene, group, person, revise

NON_PRODUCTION, PRODUCTION = EnvironmentType.NON_PRODUCTION, EnvironmentType.PRODUCTION


def deployed(shop: Scene, application: Application, name: str, kind: EnvironmentType) -> Deployment:
    """A new environment in which a service was deployed twice; what runs there now."""
    environment = Environment.objects.create(
        application=application, name=name, environment_type=kind
    )
    service, _ = Service.objects.get_or_create(
        application=application, name="storefront", deployment_type="SSH", artifact_type="ZIP"
    )
    workflow, is_new = Workflow.objects.get_or_create(
        application=application, name="Deploy", workflow_type="BASIC", service=service
    )
    if is_new:
        revise(workflow, {})
    hosts = Infrastructure.objects.create(
        environment=environment,
        name="hosts",
        connector=shop.infrastructure.connector,
        settings={"hosts": ["web-1"]},
    )
    for version in ("1", "2"):
        artifact, _ = Artifact.objects.get_or_create(service=service, version=version)
        current = shop.deploy(version, workflow=workflow, infrastructure=hosts, artifact=artifact)
    return current


def may_roll_back(user: User, deployment: Deployment) -> bool:
    """Policy, the ⋮ menu and the API say the same."""
    user = User.objects.get(pk=user.pk)
    environment = Deployment.objects.get(pk=deployment.pk).target.infrastructure.environment
    by_policy = policy.may_roll_back(user, environment)
    browser = Browser(user)
    page = browser.get("deployment_menu", deployment.pk)
    by_page = page.status_code == 200 and browser.is_offered(deployment)
    ask = f'{{ rollbackConfirmation(executionId: "{deployment.pk}") {{ isEligible }} }}'
    answer = signed_in(user).ask(ask)
    by_api = "errors" not in answer and answer["data"]["rollbackConfirmation"]["isEligible"]
    assert by_policy == by_page == by_api
    return by_policy


@pytest.fixture
def _called(live_shop: Scene, live_server: LiveServer) -> None:
    """A program with a key has sent the text of the brief to a running server."""
    brief_group(AccountPermission.VIEW_AUDITS)
    administrator()
    holders = [UserGroup.objects.get(name="Administrators")]
    _, key = administration.create_key("terraform", holders, by=None, now=timezone.now())
    answer = httpx.post(
        f"{live_server.url}/graphql", json={"query": BRIEF}, headers={"x-api-key": key}
    )
    assert answer.status_code == 200
    assert answer.json() == {"data": {"updateUserGroupPermissions": {"clientMutationId": "123"}}}


@pytest.mark.usefixtures("_called")
def test_the_group_of_the_brief_rolls_back_everywhere_but_in_production(live_shop: Scene) -> None:
    shop = live_shop
    managers = group("Managers", account=[AccountPermission.MANAGE_APPLICATIONS])
    on_call = UserGroup.objects.get(name="On call")
    both = person("both", on_call, managers)
    only = person("only", on_call)
    bank = Application.objects.create(name="Bank")
    here = shop.service.application
    for application in (here, bank):
        staging = deployed(shop, application, "staging", NON_PRODUCTION)
        vault = deployed(shop, application, "vault", PRODUCTION)
        assert may_roll_back(both, staging)
        assert not may_roll_back(both, vault)
        assert not may_roll_back(only, staging)

    later = deployed(shop, bank, "made afterwards", NON_PRODUCTION)
    assert may_roll_back(both, later), "what is created later is covered at once"

    environment = later.target.infrastructure.environment
    environment.environment_type = PRODUCTION
    environment.save()
    assert not may_roll_back(both, later), "what becomes production is covered no more at once"

    seen = data(signed_in(both).ask("{ environments { nodes { name type } } }"), "environments")[
        "nodes"
    ]
    assert {each["type"] for each in seen} == {"NON_PRODUCTION"}
