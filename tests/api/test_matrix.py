"""Every operation of the API by everybody: what is answered, and that a refusal changed nothing."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import ApiKey, AppPermission, User, UserGroup
from accounts.vocabulary import AccountPermission
from dashboard.graphql.schema import SCHEMA, undeclared
from dashboard.models import Deployment
from rollbacks import plan as plans
from tests.api.callers import program
from tests.graphql.conftest import Caller
from tests.scene import Scene, group, person

PEOPLE = ("engineer", "viewer", "stranger", "former", "admin", "keeper", "auditor")
ADMINISTERS = [AccountPermission.READ_USERS_AND_GROUPS, AccountPermission.MANAGE_USERS_AND_GROUPS]

Outcomes = dict[str, str]


def everybody(outcome: str, **but: str) -> Outcomes:
    """Who was deactivated is nobody."""
    return {**dict.fromkeys(PEOPLE, outcome), "former": "UNAUTHENTICATED", **but}


ANYBODY = everybody("data")
ADMIN = everybody("FORBIDDEN", admin="data")
KEEPER = everybody("FORBIDDEN", keeper="data")
LISTED = everybody("nothing", engineer="data", viewer="data")
FOUND = everybody("NOT_FOUND", engineer="data", viewer="data")
ENGINEER = everybody("NOT_FOUND", engineer="data", viewer="FORBIDDEN")

# Of each operation what is asked and who gets what; {names} are ids of `ids` below.
TABLE: dict[str, tuple[str, Outcomes]] = {
    "apiLimits": ("{ depth }", ANYBODY),
    "viewer": ("{ name permissions { appPermissions { actions } } }", ANYBODY),
    "user": ('(id: "{person}") { name }', ADMIN),
    "userByName": ('(name: "viewer") { name }', ADMIN),
    "users": ("{ nodes { name } }", ADMIN),
    "userGroup": ('(userGroupId: "{group}") { name }', ADMIN),
    "userGroupByName": ('(name: "Viewers") { name }', ADMIN),
    "userGroups": ("{ nodes { name } }", ADMIN),
    "previewUserGroupPermissions": (
        '(userGroupId: "{group}", permissions: {}) { membersAffected }', ADMIN),
    "apiKeys": ("{ nodes { name } }", KEEPER),
    "application": ('(applicationId: "{application}") { name }', FOUND),
    "applicationByName": ('(name: "Shop") { name }', FOUND),
    "applications": ("{ nodes { name } }", LISTED),
    "services": ("{ nodes { name } }", LISTED),
    "artifacts": ('(serviceId: "{service}") { nodes { buildNo } }', FOUND),
    "environments": ("{ nodes { name } }", LISTED),
    "infrastructureDefinitions": ('(environmentId: "{environment}") { nodes { name } }', FOUND),
    "workflows": ("{ nodes { name } }", LISTED),
    "execution": ('(executionId: "{current}") { status }', FOUND),
    "executions": ("{ nodes { id } }", LISTED),
    "deployments": ("{ nodes { id } }", LISTED),
    "rollbackConfirmation": ('(executionId: "{current}") { isEligible }', ENGINEER),
    "createUser": ('(input: {name: "New", email: "new@shop.example"}) { user { id } }', ADMIN),
    "updateUser": ('(input: {id: "{person}", name: "Sam"}) { user { id } }', ADMIN),
    "deleteUser": ('(input: {id: "{person}"}) { clientMutationId }', ADMIN),
    "deactivateUser": ('(input: {id: "{person}"}) { user { id } }', ADMIN),
    "reactivateUser": ('(input: {id: "{person}"}) { user { id } }', ADMIN),
    "createUserGroup": ('(input: {name: "New"}) { userGroup { id } }', ADMIN),
    "updateUserGroup": (
        '(input: {userGroupId: "{group}", name: "Newer"}) { userGroup { id } }', ADMIN),
    "deleteUserGroup": ('(input: {userGroupId: "{group}"}) { clientMutationId }', ADMIN),
    "addUserToUserGroup": (
        '(input: {userGroupId: "{empty}", userId: "{person}"}) { userGroup { id } }', ADMIN),
    "removeUserFromUserGroup": (
        '(input: {userGroupId: "{group}", userId: "{viewer}"}) { userGroup { id } }', ADMIN),
    "updateUserGroupPermissions": (
        '(input: {userGroupId: "{group}", permissions: {}}) { clientMutationId }', ADMIN),
    "addUserGroupPermissions": (
        '(input: {userGroupId: "{empty}", permissions: {accountPermissions: '
        "{accountPermissionTypes: READ_USERS_AND_GROUPS}}}) { clientMutationId }", ADMIN),
    "createApiKey": ('(input: {name: "new", userGroupIds: "{empty}"}) { uuid }', KEEPER),
    "updateApiKey": ('(input: {uuid: "{key}", expiresAt: null}) { apiKey { uuid } }', KEEPER),
    "deleteApiKey": ('(input: {uuid: "{key}"}) { clientMutationId }', KEEPER),
    "startExecution": (
        '(input: {applicationId: "{application}", entityId: "{workflow}", '
        'executionType: WORKFLOW, serviceInputs: {name: "storefront", artifactValueInput: '
        '{valueType: BUILD_NUMBER, buildNumber: {buildNumber: "1.4.1"}}}}) '
        "{ execution { id } }", ENGINEER),
    "rollbackDeployment": (
        '(input: {executionId: "{current}", fingerprint: "{fingerprint}"}) { execution { id } }',
        ENGINEER),
    "abortExecution": ('(input: {executionId: "{queued}"}) { execution { id } }', ENGINEER),
    "resumeExecution": (
        '(input: {executionId: "{queued}"}) { execution { id } }',
        {**ENGINEER, "engineer": "CONFLICT"}),
    "decideExecution": (
        '(input: {executionId: "{queued}", action: RETRY}) { execution { id } }',
        {**ENGINEER, "engineer": "CONFLICT"}),
}  # fmt: skip


def root(name: str) -> Any:
    """The type that has the mutation or query of this name, and its keyword."""
    queries = SCHEMA._schema.query_type
    assert queries
    return "query" if name in queries.fields else "mutation"


def test_the_table_has_every_operation() -> None:
    schema = SCHEMA._schema
    assert schema.query_type
    assert schema.mutation_type
    assert set(TABLE) == {*schema.query_type.fields, *schema.mutation_type.fields}


def test_every_field_says_what_it_needs() -> None:
    assert undeclared(SCHEMA) == []
    assert len(SCHEMA.declarations) > 40


@pytest.fixture
def callers(shop: Scene) -> dict[str, Caller]:
    """`former` still sends the cookie of a session that was; the others are signed in."""
    person("admin", group("Administrators", account=ADMINISTERS))
    person("keeper", group("Keepers", account=[AccountPermission.MANAGE_API_KEYS]))
    person("auditor", group("Auditors", account=[AccountPermission.VIEW_AUDITS]))
    User.objects.filter(username="former").update(is_active=True)
    callers = {name: Caller(Client(), {}) for name in PEOPLE}
    for name, caller in callers.items():
        caller.client.force_login(User.objects.get(username=name))
    User.objects.filter(username="former").update(is_active=False)
    return callers


@pytest.fixture
def ids(shop: Scene, callers: dict[str, Caller]) -> dict[str, str]:
    shop.deploy("1.4.1")
    current = shop.deploy("1.4.2")
    plan = plans.rollback(current, plans.Configuration.CURRENT)
    program("ci", group("Empty"))
    return {
        "person": str(person("sam").pk),
        "viewer": str(shop.viewer.pk),
        "group": UserGroup.objects.get(name="Viewers").public_id,
        "empty": UserGroup.objects.get(name="Empty").public_id,
        "key": ApiKey.objects.get().prefix,
        "application": str(shop.service.application_id),
        "service": str(shop.service.pk),
        "environment": str(shop.environment.pk),
        "workflow": str(shop.workflow.pk),
        "current": str(current.pk),
        "fingerprint": plan.fingerprint,
    }


def outcome(answer: Any, field: str) -> str:
    body = answer.json()
    if "errors" in body:
        (error,) = body["errors"]
        assert body.get("data") in (None, {field: None})
        return str(error["extensions"]["code"])
    found = body["data"][field]
    return "nothing" if found.get("nodes") == [] else "data"


def state() -> list[list[Any]]:
    """Everything that a mutation could have changed, but the record of its refusal."""
    models: list[Any] = [User, UserGroup, User.groups.through, AppPermission, ApiKey, Deployment]
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("name", TABLE)
def test_who_gets_what(
    shop: Scene, callers: dict[str, Caller], ids: dict[str, str], name: str
) -> None:
    asked, expected = TABLE[name]
    if "{queued}" in asked:
        ids["queued"] = str(shop.start("1.4.3").pk)
    for each, value in ids.items():
        asked = asked.replace(f"{{{each}}}", value)
    found = {}
    for who, caller in callers.items():
        with transaction.atomic():
            before = state()
            found[who] = outcome(caller.post(f"{root(name)} {{ {name}{asked} }}"), name)
            if found[who] != "data" or root(name) == "query":
                assert state() == before, f"{name} by {who}: {found[who]}, yet it changed something"
            transaction.set_rollback(True)
    assert found == expected
