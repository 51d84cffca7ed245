"""What a group may do, read and changed by the API: filters, refusals, adding, the preview."""

from typing import Any

import pytest

from accounts import administration
from accounts.models import User, UserGroup
from accounts.rows import Permissions, Row, Scope
from accounts.vocabulary import AccountPermission, Action, PermissionType
from dashboard.models import Application
from tests.acceptance.test_api import UPDATE as DOCUMENTED
from tests.acceptance.test_api import held, problems, update
from tests.api.callers import brief_group, data, signed_in, verbs, without_nulls
from tests.graphql.conftest import Caller
from tests.scene import Scene, group, person

UPDATE = DOCUMENTED.replace(" actions", " templates { filterType templateIds } actions")
ADD = UPDATE.replace("update", "add").replace("Update", "Add")
PREVIEW = """
query($id: String!, $permissions: UserGroupPermissionsInput!) {
  previewUserGroupPermissions(userGroupId: $id, permissions: $permissions) {
    gained { accountPermissionTypes appPermissions }
    lost { accountPermissionTypes appPermissions }
    membersAffected apiKeysAffected
  }
}
"""
EVERY_APP = {"filterType": "ALL"}
PRODUCTION = {"filterTypes": "PRODUCTION_ENVIRONMENTS"}


@pytest.fixture
def target(shop: Scene) -> UserGroup:
    return brief_group(AccountPermission.MANAGE_TAGS)


def row(kind: str, *actions: str, **filters: Any) -> dict[str, Any]:
    return {"permissionType": kind, "actions": list(actions), "applications": EVERY_APP, **filters}


def sent(api: Caller, target: UserGroup, *rows: dict[str, Any]) -> tuple[Row, ...]:
    """The rows that the group has after they were sent."""
    data(api.ask(UPDATE, update(target, {"appPermissions": rows})), "updateUserGroupPermissions")
    return held(target).rows


def refused(api: Caller, target: UserGroup, *rows: dict[str, Any]) -> dict[str, str]:
    """The sentences by path below the rows; nothing was changed."""
    before, recorded = held(target), verbs()
    found = problems(api.refused(UPDATE, update(target, {"appPermissions": rows})))
    assert held(target) == before
    assert verbs() == recorded
    return {path.removeprefix("input.permissions.appPermissions."): found[path] for path in found}


def only(*scopes: Scope, **choices: Any) -> dict[str, Any]:
    return {"scopes": frozenset(scopes), **choices}


@pytest.mark.parametrize(
    ("kind", "filters", "means"),
    [
        ("ALL", {}, only(Scope.EVERYTHING)),
        ("ALL", {"deployments": PRODUCTION}, only(Scope.PRODUCTION)),
        ("SERVICE", {"services": {"filterType": "ALL"}}, only(Scope.EVERYTHING)),
        ("PROVISIONER", {"provisioners": {"filterType": "ALL"}}, only(Scope.EVERYTHING)),
        ("TEMPLATE", {"templates": {"filterType": "ALL"}}, only(Scope.EVERYTHING)),
        (
            "WORKFLOW",
            {"workflows": {"filterTypes": ["NON_PRODUCTION_WORKFLOWS", "WORKFLOW_TEMPLATES"]}},
            only(Scope.NON_PRODUCTION, Scope.TEMPLATES),
        ),
        (
            "PIPELINE",
            {"pipelines": {"filterTypes": "PRODUCTION_PIPELINES"}},
            only(Scope.PRODUCTION),
        ),
        ("ENV", {"environments": PRODUCTION}, only(Scope.PRODUCTION)),
        ("DEPLOYMENT", {"deployments": PRODUCTION}, only(Scope.PRODUCTION)),
    ],
)
def test_filters_without_ids_mean_scopes_and_come_back(
    api: Caller, target: UserGroup, kind: str, filters: Any, means: Any
) -> None:
    asked = row(kind, "READ", **filters)
    (found,) = sent(api, target, asked)
    assert found == Row(PermissionType(kind), frozenset({Action.READ}), None, **means)
    require_round_trip(api, target)


def require_round_trip(api: Caller, target: UserGroup) -> None:
    """What is shown can be sent back, and then nothing changes."""
    had = held(target)
    shown = data(api.ask(ADD, update(target, {})), "addUserGroupPermissions")["permissions"]
    recorded = verbs()
    data(api.ask(UPDATE, update(target, without_nulls(shown))), "updateUserGroupPermissions")
    assert held(target) == had
    assert verbs() == recorded


@pytest.mark.parametrize(
    ("kind", "name", "ids", "attribute"),
    [
        ("SERVICE", "services", "serviceIds", "services"),
        ("ENV", "environments", "envIds", "environments"),
        ("WORKFLOW", "workflows", "envIds", "environments"),
        ("PIPELINE", "pipelines", "envIds", "environments"),
        ("DEPLOYMENT", "deployments", "envIds", "environments"),
        ("ALL", "deployments", "envIds", "environments"),
    ],
)
def test_filters_with_ids_name_things_and_come_back(
    api: Caller, shop: Scene, target: UserGroup, kind: str, name: str, ids: str, attribute: str
) -> None:
    thing = shop.service if attribute == "services" else shop.environment
    (found,) = sent(api, target, row(kind, "READ", **{name: {ids: str(thing.pk)}}))
    assert getattr(found, attribute) == {thing.pk}
    assert not found.scopes
    require_round_trip(api, target)


def test_types_and_ids_of_environments_may_be_combined(
    api: Caller, shop: Scene, target: UserGroup
) -> None:
    both = {"filterTypes": ["NON_PRODUCTION_ENVIRONMENTS"], "envIds": [str(shop.environment.pk)]}
    (found,) = sent(api, target, row("DEPLOYMENT", "READ", deployments=both))
    assert found.scopes == {Scope.NON_PRODUCTION}
    assert found.environments == {shop.environment.pk}
    require_round_trip(api, target)


def test_everything_of_a_type_comes_back_as_all_its_classes(api: Caller, target: UserGroup) -> None:
    everywhere = Row(
        PermissionType.DEPLOYMENT, frozenset({Action.READ}), None, frozenset({Scope.EVERYTHING})
    )
    administration.set_permissions(target, Permissions(rows=(everywhere,)), by=None)
    shown = data(api.ask(ADD, update(target, {})), "addUserGroupPermissions")["permissions"]
    assert shown["appPermissions"][0]["deployments"]["filterTypes"] == [
        "PRODUCTION_ENVIRONMENTS",
        "NON_PRODUCTION_ENVIRONMENTS",
    ]


def test_manage_applications_is_understood_and_answered_as_documented(
    api: Caller, target: UserGroup
) -> None:
    types = {"accountPermissionTypes": "MANAGE_APPLICATIONS"}
    answer = api.ask(UPDATE, update(target, {"accountPermissions": types}))
    shown = data(answer, "updateUserGroupPermissions")["permissions"]["accountPermissions"]
    assert shown == {"accountPermissionTypes": ["CREATE_AND_DELETE_APPLICATION"]}
    assert held(target).account == {AccountPermission.MANAGE_APPLICATIONS}
    literal = "{accountPermissions: {accountPermissionTypes: MANAGE_APPLICATIONS}}"
    asked = f'{{userGroupId: "{target.public_id}", permissions: {literal}}}'
    recorded = verbs()
    api.ask(f"mutation {{ updateUserGroupPermissions(input: {asked}) {{ clientMutationId }} }}")
    assert verbs() == recorded


@pytest.mark.parametrize("kind", ["DEPLOYMENT", "ENV", "WORKFLOW", "PIPELINE"])
@pytest.mark.parametrize("empty", [None, {}, {"filterTypes": []}, {"envIds": []}])
def test_what_is_filtered_by_environment_needs_a_filter(
    api: Caller, target: UserGroup, kind: str, empty: Any
) -> None:
    name = {"ENV": "environments"}.get(kind, f"{kind.lower()}s")
    (said,) = refused(api, target, row(kind, "READ", **{name: empty})).items()
    assert said[0] == f"0.{name}"
    assert said[1].startswith("Choose ")


@pytest.mark.parametrize("kind", ["SERVICE", "PROVISIONER", "TEMPLATE"])
def test_the_other_types_need_a_filter_too_and_are_told_what_to_send(
    api: Caller, target: UserGroup, kind: str
) -> None:
    (said,) = refused(api, target, row(kind, "READ")).items()
    assert said[0] == f"0.{kind.lower()}s"
    assert "all" in said[1]


def test_an_empty_filter_of_type_all_is_not_everything(api: Caller, target: UserGroup) -> None:
    assert list(refused(api, target, row("ALL", "READ", deployments={}))) == ["0.deployments"]


@pytest.mark.parametrize("name", ["provisioners", "templates"])
def test_what_lastgood_does_not_have_cannot_be_chosen(
    api: Caller, target: UserGroup, name: str
) -> None:
    ids = f"{name[:-1]}Ids"
    kind = name[:-1].upper()
    assert refused(api, target, row(kind, "READ", **{name: {ids: ["1"]}})) == {
        f"0.{name}": f"Lastgood has no {name}, so none can be chosen. Send filterType: ALL."
    }


def test_a_filter_of_another_type_is_refused(api: Caller, target: UserGroup) -> None:
    asked = row("DEPLOYMENT", "READ", deployments=PRODUCTION, services=EVERY_APP)
    assert refused(api, target, asked) == {
        "0.services": "This is not a filter of type DEPLOYMENT, which takes deployments."
    }


def test_all_and_some_together_are_refused(api: Caller, shop: Scene, target: UserGroup) -> None:
    application, service = str(shop.service.application_id), str(shop.service.pk)
    asked = row("SERVICE", "READ", services={"filterType": "ALL", "serviceIds": [service]})
    asked["applications"] = {"filterType": "ALL", "appIds": [application]}
    assert refused(api, target, asked) == {
        "0.applications": "Send filterType: ALL or appIds, not both.",
        "0.services": "Everything, or a choice: not both.",
    }


def test_everything_wrong_is_said_at_once(api: Caller, shop: Scene, target: UserGroup) -> None:
    good = row("DEPLOYMENT", "READ", deployments=PRODUCTION)
    found = refused(
        api,
        target,
        good,
        row("SERVICE", "ROLLBACK_WORKFLOW", services={"serviceIds": ["999999"]}),
        {"permissionType": "ENV", "environments": {"envIds": ["x", "-1", "9" * 40]}},
    )
    assert found["1.services"].startswith("There is no such service that you may see: 999999.")
    assert set(found) == {"1.actions", "1.services", "2.actions", "2.applications",
                          "2.environments"}  # fmt: skip
    assert "x, -1, 99" in found["2.environments"]


def test_what_is_absent_and_what_is_not_seen_are_refused_alike(
    shop: Scene, target: UserGroup
) -> None:
    keepers = group("Keepers", account=[AccountPermission.READ_USERS_AND_GROUPS,
                                        AccountPermission.MANAGE_USERS_AND_GROUPS])  # fmt: skip
    api = signed_in(person("keeper", keepers))
    hidden, absent = str(shop.environment.pk), "987654321"
    said = [
        refused(api, target, row("DEPLOYMENT", "READ", deployments={"envIds": [each]}))[
            "0.deployments"
        ].replace(each, "…")
        for each in (hidden, absent)
    ]
    assert said[0] == said[1]


def test_what_the_group_names_already_may_be_sent_back_by_who_does_not_see_it(
    shop: Scene, target: UserGroup
) -> None:
    westerners = group("West", Action.READ, environments=[shop.environment])
    keepers = group("Keepers", account=[AccountPermission.READ_USERS_AND_GROUPS,
                                        AccountPermission.MANAGE_USERS_AND_GROUPS])  # fmt: skip
    require_round_trip(signed_in(person("keeper", keepers)), westerners)


def test_things_of_applications_that_are_not_chosen_are_refused(
    api: Caller, shop: Scene, target: UserGroup
) -> None:
    other = Application.objects.create(name="Bank")
    asked = row("DEPLOYMENT", "READ", deployments={"envIds": [str(shop.environment.pk)]})
    asked["applications"] = {"appIds": [str(other.pk)]}
    assert list(refused(api, target, asked)) == ["0.deployments"]


def test_nobody_gives_what_they_do_not_hold(shop: Scene, target: UserGroup) -> None:
    keepers = group("Keepers", account=[AccountPermission.READ_USERS_AND_GROUPS,
                                        AccountPermission.MANAGE_USERS_AND_GROUPS])  # fmt: skip
    api = signed_in(person("keeper", keepers))
    before = held(target)
    permissions = {"accountPermissions": {"accountPermissionTypes": "VIEW_AUDITS"}}
    error = api.refused(UPDATE, update(target, permissions))
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "View Audit Trail" in error["message"]
    assert held(target) == before
    assert verbs()[-1] == "REFUSED"


def test_nobody_may_take_away_the_last_administrator(shop: Scene) -> None:
    only = group("Only", account=[AccountPermission.READ_USERS_AND_GROUPS,
                                  AccountPermission.MANAGE_USERS_AND_GROUPS])  # fmt: skip
    api = signed_in(person("only", only))
    error = api.refused(UPDATE, update(only, {}))
    assert error["extensions"]["code"] == "CONFLICT"
    assert "Nobody would be left" in error["message"]
    assert held(only).account


def test_the_order_of_what_is_sent_means_nothing(api: Caller, target: UserGroup) -> None:
    first = row("DEPLOYMENT", "READ", deployments=PRODUCTION)
    second = row("ENV", "READ", environments=PRODUCTION)
    third = row("WORKFLOW", "READ", workflows={"filterTypes": "WORKFLOW_TEMPLATES"})
    sent(api, target, first, second)
    sent(api, target, third, second)
    recorded = verbs()
    sent(api, target, third, second)
    sent(api, target, second, third)
    assert verbs() == recorded


def test_adding_takes_nothing_away(api: Caller, target: UserGroup) -> None:
    sent(api, target, row("DEPLOYMENT", "READ", deployments=PRODUCTION))
    more = {
        "accountPermissions": {"accountPermissionTypes": "VIEW_AUDITS"},
        "appPermissions": row("ENV", "READ", environments=PRODUCTION),
    }
    answer = data(
        api.ask(ADD.replace("permissions {", "clientMutationId permissions {", 1),
                update(target, more, clientMutationId="7")),
        "addUserGroupPermissions",
    )  # fmt: skip
    assert answer["clientMutationId"] == "7"
    assert [each["permissionType"] for each in answer["permissions"]["appPermissions"]] == [
        "DEPLOYMENT",
        "ENV",
    ]
    recorded = verbs()
    api.ask(ADD, update(target, more))
    assert verbs() == recorded, "what is there is not added again"


def test_what_is_added_counts_with_what_is_there(api: Caller, target: UserGroup) -> None:
    seeing = {"accountPermissions": {"accountPermissionTypes": "READ_USERS_AND_GROUPS"}}
    managing = {"accountPermissions": {"accountPermissionTypes": "MANAGE_USERS_AND_GROUPS"}}
    assert list(problems(api.refused(ADD, update(target, managing)))) == [
        "input.permissions.accountPermissions.accountPermissionTypes"
    ]
    api.ask(ADD, update(target, seeing))
    data(api.ask(ADD, update(target, managing)), "addUserGroupPermissions")
    assert AccountPermission.MANAGE_USERS_AND_GROUPS in held(target).account


def preview(api: Caller, target: UserGroup, permissions: Any) -> Any:
    variables = {"id": target.public_id, "permissions": permissions}
    return data(api.ask(PREVIEW, variables), "previewUserGroupPermissions")


def test_the_preview_warns_of_what_the_brief_call_takes(api: Caller, shop: Scene) -> None:
    engineers = UserGroup.objects.get(name="Engineers")
    before, recorded = held(engineers), verbs()
    shown = preview(
        api,
        engineers,
        {
            "appPermissions": row(
                "ALL",
                "ROLLBACK_WORKFLOW",
                deployments={"filterTypes": "NON_PRODUCTION_ENVIRONMENTS"},
            )
        },
    )
    assert shown == {
        "gained": {"accountPermissionTypes": [], "appPermissions": []},
        "lost": {
            "accountPermissionTypes": ["CREATE_AND_DELETE_APPLICATION"],
            "appPermissions": [
                "Execute Workflow · Deployments: non-production · all applications",
                "Read, Execute Workflow, Rollback Workflow · Deployments: production · "
                "all applications",
            ],
        },
        "membersAffected": 1,
        "apiKeysAffected": 0,
    }
    assert held(engineers) == before
    assert verbs() == recorded


def test_the_preview_of_no_change_affects_nobody(api: Caller, shop: Scene) -> None:
    viewers = UserGroup.objects.get(name="Viewers")
    both = {"filterTypes": ["PRODUCTION_ENVIRONMENTS", "NON_PRODUCTION_ENVIRONMENTS"]}
    asked = {"appPermissions": row("DEPLOYMENT", "READ", deployments=both)}
    shown = preview(api, viewers, asked)
    assert shown["membersAffected"] == 0
    assert shown["lost"] == shown["gained"] == {"accountPermissionTypes": [], "appPermissions": []}


def test_the_preview_says_what_makes_no_sense(api: Caller, target: UserGroup) -> None:
    variables = {"id": target.public_id, "permissions": {"appPermissions": row("ENV", "READ")}}
    assert list(problems(api.refused(PREVIEW, variables))) == [
        "permissions.appPermissions.0.environments"
    ]


def test_only_who_may_manage_groups_changes_them_and_only_who_may_see_them_looks(
    shop: Scene, target: UserGroup
) -> None:
    before = held(target)
    readers = group("Readers", account=[AccountPermission.READ_USERS_AND_GROUPS])
    reader = signed_in(person("reader", readers))
    viewer = signed_in(User.objects.get(username="viewer"))
    assert preview(reader, target, {})["membersAffected"] == 0
    for query in (UPDATE, ADD):
        for caller in (reader, viewer):
            error = caller.refused(query, update(target, {}))
            assert error["extensions"]["code"] == "FORBIDDEN"
            assert "Manage Users and Groups" in error["message"]
    variables = {"id": target.public_id, "permissions": {}}
    assert viewer.refused(PREVIEW, variables)["extensions"]["code"] == "FORBIDDEN"
    assert held(target) == before


def test_many_rows_cost_no_more_queries_to_read(
    api: Caller, target: UserGroup, django_assert_max_num_queries: Any
) -> None:
    rows = [row("DEPLOYMENT", "READ", deployments={"envIds": [str(n)]}) for n in range(1, 60)]
    with django_assert_max_num_queries(30):
        api.refused(UPDATE, update(target, {"appPermissions": rows}))
