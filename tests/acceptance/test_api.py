"""Acceptance A29 to A37 and A39: the API, through the middleware and as programs call it."""

from typing import Any

import pytest

from accounts.models import AuditEvent, UserGroup
from accounts.rows import Permissions, Row, Scope
from accounts.vocabulary import AccountPermission, Action, PermissionType
from dashboard.models import Application, Environment
from tests.api.callers import (
    BRIEF,
    BRIEF_GROUP,
    administrator,
    brief_group,
    data,
    program,
    signed_in,
    with_key,
    without_nulls,
)
from tests.graphql.conftest import Caller
from tests.scene import Scene, group

UPDATE = """
mutation($userGroup: UpdateUserGroupPermissionsInput!) {
  updateUserGroupPermissions(input: $userGroup) {
    permissions {
      accountPermissions { accountPermissionTypes }
      appPermissions {
        permissionType
        applications { filterType appIds }
        services { filterType serviceIds }
        environments { filterTypes envIds }
        workflows { filterTypes envIds }
        deployments { filterTypes envIds }
        pipelines { filterTypes envIds }
        provisioners { filterType provisionerIds }
        actions
      }
    }
  }
}
"""
ONLY_ROW = Row(
    PermissionType.ALL,
    frozenset({Action.ROLLBACK_WORKFLOW}),
    None,
    frozenset({Scope.NON_PRODUCTION}),
)


@pytest.fixture
def api(shop: Scene) -> Caller:
    return signed_in(administrator())


@pytest.fixture
def on_call(shop: Scene) -> UserGroup:
    """The group of the brief; before the call it has an account permission."""
    return brief_group(AccountPermission.MANAGE_APPLICATIONS)


def held(group: UserGroup) -> Permissions:
    return UserGroup.objects.get(pk=group.pk).permissions_held


def update(group: UserGroup, permissions: Any, **more: Any) -> dict[str, Any]:
    sent = {"userGroupId": group.public_id, "permissions": permissions, **more}
    return {"userGroup": sent}


def problems(error: Any) -> dict[str, str]:
    """The sentences by the path of what they are about."""
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    found = error["extensions"]["problems"]
    return {".".join(map(str, each["path"])): each["message"] for each in found}


def test_A30_the_text_of_the_brief_is_accepted_byte_for_byte(
    api: Caller, on_call: UserGroup
) -> None:
    answer = api.post(BRIEF)
    assert answer.status_code == 200
    assert answer.content == (
        b'{"data": {"updateUserGroupPermissions": {"clientMutationId": "123"}}}'
    )


def test_A30_with_an_api_key_too(on_call: UserGroup) -> None:
    administrator()
    caller = program("terraform", UserGroup.objects.get(name="Administrators"))
    assert data(caller.ask(BRIEF), "updateUserGroupPermissions") == {"clientMutationId": "123"}
    assert held(on_call).rows == (ONLY_ROW,)


def test_A31_it_replaces_everything_account_permissions_too(
    api: Caller, on_call: UserGroup
) -> None:
    assert held(on_call).account
    api.ask(BRIEF)
    assert held(on_call) == Permissions(frozenset(), (ONLY_ROW,))


def test_A32_the_documented_variables_come_back_as_they_were_sent(
    api: Caller, shop: Scene, on_call: UserGroup
) -> None:
    apps = [str(shop.service.application_id), str(Application.objects.create(name="Bank").pk)]
    environments = [
        str(shop.environment.pk),
        str(Environment.objects.create(application_id=apps[1], name="vault",
                                       environment_type="PRODUCTION").pk),
    ]  # fmt: skip
    account = ["READ_USERS_AND_GROUPS", "MANAGE_USERS_AND_GROUPS", "MANAGE_TAGS",
               "ADMINISTER_OTHER_ACCOUNT_FUNCTIONS", "MANAGE_TEMPLATE_LIBRARY",
               "VIEW_AUDITS"]  # fmt: skip
    crud = ["CREATE", "DELETE", "READ", "UPDATE"]
    sent = {
        "accountPermissions": {"accountPermissionTypes": account},
        "appPermissions": [
            {"permissionType": "ALL", "applications": {"appIds": apps}, "actions": crud},
            {
                "permissionType": "SERVICE",
                "applications": {"filterType": "ALL"},
                "services": {"filterType": "ALL"},
                "actions": crud,
            },
            {
                "permissionType": "ENV",
                "applications": {"appIds": apps},
                "environments": {"envIds": environments},
                "actions": ["READ", "UPDATE"],
            },
        ],
    }
    answer = data(api.ask(UPDATE, update(on_call, sent)), "updateUserGroupPermissions")
    shown = without_nulls(answer["permissions"])
    assert shown["appPermissions"] == sent["appPermissions"]
    assert sorted(shown["accountPermissions"]["accountPermissionTypes"]) == sorted(account)


def test_A33_managing_groups_needs_seeing_them(api: Caller, on_call: UserGroup) -> None:
    before = held(on_call)
    account = {"accountPermissionTypes": ["MANAGE_USERS_AND_GROUPS"]}
    error = api.refused(UPDATE, update(on_call, {"accountPermissions": account}))
    path = "input.permissions.accountPermissions.accountPermissionTypes"
    assert problems(error) == {
        path: "Manage Users and Groups needs View Users and User Groups too: choose both."
    }
    assert held(on_call) == before


def test_A34_without_a_group_id_nothing_is_run(api: Caller, on_call: UserGroup) -> None:
    before = held(on_call)
    error = api.refused(BRIEF.replace(f'userGroupId: "{BRIEF_GROUP}"', ""))
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "userGroupId" in error["message"]
    assert held(on_call) == before


def test_A34_an_unknown_group_is_not_found(api: Caller, on_call: UserGroup) -> None:
    before = held(on_call)
    answer = api.ask(BRIEF.replace(BRIEF_GROUP, "AAAAAAAAAAAAAAAAAAAAAA"))
    assert answer["data"] == {"updateUserGroupPermissions": None}
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert held(on_call) == before


@pytest.mark.parametrize("applications", [None, {}, {"appIds": []}, {"filterType": None}])
def test_A35_applications_are_all_or_some(
    api: Caller, on_call: UserGroup, applications: Any
) -> None:
    before = held(on_call)
    row = {
        "permissionType": "DEPLOYMENT",
        "actions": "READ",
        "applications": applications,
        "deployments": {"filterTypes": "PRODUCTION_ENVIRONMENTS"},
    }
    error = api.refused(UPDATE, update(on_call, {"appPermissions": row}))
    path = "input.permissions.appPermissions.0.applications"
    assert problems(error) == {path: "Choose applications, or all of them."}
    assert held(on_call) == before


def test_A36_without_a_client_mutation_id_it_is_null(api: Caller, on_call: UserGroup) -> None:
    answer = api.ask(BRIEF.replace('clientMutationId: "123"', ""))
    assert data(answer, "updateUserGroupPermissions") == {"clientMutationId": None}


def test_A36_the_same_call_twice_changes_nothing_the_second_time(
    api: Caller, on_call: UserGroup
) -> None:
    first = api.ask(BRIEF)
    row = on_call.app_permissions.get()
    recorded = AuditEvent.objects.count()
    assert api.ask(BRIEF) == first
    assert on_call.app_permissions.get() == row
    assert AuditEvent.objects.count() == recorded


def test_A37_rolling_back_is_no_action_of_services(api: Caller, on_call: UserGroup) -> None:
    before = held(on_call)
    row = {
        "permissionType": "SERVICE",
        "actions": ["ROLLBACK_WORKFLOW"],
        "applications": {"filterType": "ALL"},
        "services": {"filterType": "ALL"},
    }
    error = api.refused(UPDATE, update(on_call, {"appPermissions": [row]}))
    (said,) = problems(error).items()
    assert said[0] == "input.permissions.appPermissions.0.actions"
    assert said[1].startswith("ROLLBACK_WORKFLOW: not an action of type SERVICE.")
    assert held(on_call) == before


def test_the_group_of_somebody_else_stays(api: Caller, on_call: UserGroup) -> None:
    other = group("Others", Action.READ)
    before = held(other)
    api.ask(BRIEF)
    assert held(other) == before


WHO = "{ viewer { name isApiKey inWords { accountPermissionTypes appPermissions } } }"


def test_A29_a_key_has_the_rights_of_its_group_and_no_others_until_it_is_deleted(
    api: Caller, shop: Scene, on_call: UserGroup
) -> None:
    create = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { uuid key } }"
    viewers = UserGroup.objects.get(name="Viewers")
    sent = {"input": {"name": "reports", "userGroupIds": viewers.public_id}}
    made = data(api.ask(create, sent), "createApiKey")
    program = with_key(made["key"])
    shown = data(program.ask(WHO), "viewer")
    assert shown["isApiKey"]
    assert shown["inWords"] == {
        "accountPermissionTypes": [],
        "appPermissions": ["Read · Deployments: production, non-production · all applications"],
    }
    before = held(on_call)
    for mutation, field in ((BRIEF, "updateUserGroupPermissions"), (create, "createApiKey")):
        answer = program.ask(mutation, sent if mutation == create else None)
        assert answer["data"] == {field: None}
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert held(on_call) == before
    delete = (
        f'mutation {{ deleteApiKey(input: {{uuid: "{made["uuid"]}"}}) {{ clientMutationId }} }}'
    )
    data(api.ask(delete), "deleteApiKey")
    answer = program.post(WHO)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_A39_an_execution_tells_what_it_brought_and_what_it_would_return_to(shop: Scene) -> None:
    first, second = shop.deploy("1.4.1"), shop.deploy("1.4.2")
    ask = """query($id: String!) { execution(executionId: $id) { id status
        ... on WorkflowExecution { artifacts { buildNo artifactSource { name } }
        rollbackArtifacts { buildNo } startedAt endedAt createdAt application { name }
        notes } } }"""
    viewer = signed_in(shop.viewer)
    shown = data(viewer.ask(ask, {"id": str(second.pk)}), "execution")
    assert shown["status"] == "SUCCESS"
    assert shown["artifacts"] == [{"buildNo": "1.4.2", "artifactSource": {"name": "storefront"}}]
    assert shown["rollbackArtifacts"] == [{"buildNo": "1.4.1"}]
    assert shown["application"] == {"name": "Shop"}
    assert second.started_at
    assert shown["startedAt"] == int(second.started_at.timestamp() * 1000)
    assert shown["createdAt"] <= shown["startedAt"] <= shown["endedAt"]
    assert data(viewer.ask(ask, {"id": str(first.pk)}), "execution")["rollbackArtifacts"] == []
    rollback = shop.roll_back(second)
    assert data(viewer.ask(ask, {"id": str(rollback.pk)}), "execution")["artifacts"] == [
        {"buildNo": "1.4.1", "artifactSource": {"name": "storefront"}}
    ]
    again = data(viewer.ask(ask, {"id": str(second.pk)}), "execution")
    assert again["rollbackArtifacts"] == [{"buildNo": "1.4.1"}]
