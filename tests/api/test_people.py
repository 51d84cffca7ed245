"""People and user groups by the API."""

from typing import Any

import pytest

from accounts.models import User, UserGroup
from accounts.vocabulary import AccountPermission, Action
from tests.api.callers import act, data, signed_in, verbs
from tests.graphql.conftest import Caller
from tests.scene import Scene, group, person

# The documentation's own, but for notificationSettings, which Lastgood has none of.
CREATE_USER = """
mutation createUser($user: CreateUserInput!) {
  createUser(input: $user) {
    user { id email name userGroups(limit: 5) { nodes { id name } } }
    clientMutationId
  }
}
"""
CREATE_GROUP = """
mutation($userGroup: CreateUserGroupInput!) {
  createUserGroup(input: $userGroup) {
    userGroup {
      id name description isSSOLinked importedByScim
      users(limit: 100, offset: 0) { pageInfo { total } nodes { name email } }
    }
  }
}
"""
USERS = """
{
  users(limit: 3, offset: 1) {
    pageInfo { total limit hasMore offset }
    nodes { username userGroups(limit: 10) { nodes { name } } }
  }
}
"""


def members(of: str) -> set[str]:
    people = User.people.filter(groups__name=of)
    return set(people.values_list("username", flat=True))


def test_a_person_is_made_as_the_documentation_does(api: Caller, shop: Scene) -> None:
    viewers = UserGroup.objects.get(name="Viewers")
    sent = {
        "name": "Joyce Silva",
        "email": "jsilva@example.com",
        "clientMutationId": "ssdsdsecved",
        "userGroupIds": [viewers.public_id],
    }
    made = data(api.ask(CREATE_USER, {"user": sent}), "createUser")
    joyce = User.people.get(email="jsilva@example.com")
    assert made == {
        "user": {
            "id": str(joyce.pk),
            "email": "jsilva@example.com",
            "name": "Joyce Silva",
            "userGroups": {"nodes": [{"id": viewers.public_id, "name": "Viewers"}]},
        },
        "clientMutationId": "ssdsdsecved",
    }
    assert not joyce.has_usable_password()
    again = api.refused(CREATE_USER, {"user": sent})
    assert again["extensions"]["problems"] == [
        {"path": ["input", "name"], "message": again["message"]}
    ]


def test_a_group_is_made_as_the_documentation_does(api: Caller, shop: Scene) -> None:
    ids = [str(shop.viewer.pk), str(shop.stranger.pk)]
    sent = {"name": "Notification", "userIds": ids}
    made = data(api.ask(CREATE_GROUP, {"userGroup": sent}), "createUserGroup")["userGroup"]
    assert made["users"]["pageInfo"] == {"total": 2}
    assert members("Notification") == {"viewer", "stranger"}
    assert len(made["id"]) == 22
    assert (made["isSSOLinked"], made["importedByScim"]) == (False, False)


def test_what_is_wrong_with_a_new_group_is_told_and_nothing_is_made(
    api: Caller, shop: Scene
) -> None:
    nobody = api.refused(CREATE_GROUP, {"userGroup": {"name": "New", "userIds": ["0", "x"]}})
    assert nobody["extensions"]["problems"][0]["path"] == ["input", "userIds"]
    assert "0, x" in nobody["message"]
    taken = api.refused(CREATE_GROUP, {"userGroup": {"name": "Viewers"}})
    assert taken["extensions"]["problems"][0]["path"] == ["input", "name"]
    rows = {"appPermissions": {"permissionType": "ENV"}}
    senseless = api.refused(CREATE_GROUP, {"userGroup": {"name": "New", "permissions": rows}})
    assert senseless["extensions"]["problems"][0]["path"][:4] == [
        "input",
        "permissions",
        "appPermissions",
        0,
    ]
    assert not UserGroup.objects.filter(name="New").exists()


def test_a_group_is_renamed_and_deleted(api: Caller, shop: Scene) -> None:
    viewers = UserGroup.objects.get(name="Viewers")
    answer = act(api, "updateUserGroup", "userGroup { name description } clientMutationId",
                 userGroupId=viewers.public_id, description="They look.")  # fmt: skip
    assert data(answer, "updateUserGroup") == {
        "userGroup": {"name": "Viewers", "description": "They look."},
        "clientMutationId": "7",
    }
    data(act(api, "updateUserGroup", userGroupId=viewers.public_id, name="Lookers"),
         "updateUserGroup")  # fmt: skip
    viewers.refresh_from_db()
    assert (viewers.name, viewers.description) == ("Lookers", "They look.")
    data(act(api, "deleteUserGroup", userGroupId=viewers.public_id), "deleteUserGroup")
    assert not UserGroup.objects.filter(pk=viewers.pk).exists()


def test_somebody_joins_and_leaves(api: Caller, shop: Scene) -> None:
    viewers = UserGroup.objects.get(name="Viewers")
    ids = {"userGroupId": viewers.public_id, "userId": str(shop.stranger.pk)}
    for _ in range(2):
        data(act(api, "addUserToUserGroup", **ids), "addUserToUserGroup")
        assert members("Viewers") == {"viewer", "stranger"}
    for _ in range(2):
        data(act(api, "removeUserFromUserGroup", **ids), "removeUserFromUserGroup")
        assert members("Viewers") == {"viewer"}
    assert verbs().count("MEMBERS_CHANGED") == 2


def test_nobody_is_put_where_more_may_be_done_than_the_caller_may(shop: Scene) -> None:
    keepers = group("Keepers", account=[AccountPermission.READ_USERS_AND_GROUPS,
                                        AccountPermission.MANAGE_USERS_AND_GROUPS])  # fmt: skip
    api = signed_in(person("keeper", keepers))
    engineers = UserGroup.objects.get(name="Engineers")
    ids = {"userGroupId": engineers.public_id, "userId": str(shop.stranger.pk)}
    answer = act(api, "addUserToUserGroup", **ids)
    assert answer["data"] == {"addUserToUserGroup": None}
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "stranger" not in members("Engineers")


def test_a_person_is_changed_deactivated_and_let_in_again(api: Caller, shop: Scene) -> None:
    who = {"id": str(shop.viewer.pk)}
    shown = data(act(api, "updateUser", "user { name email }", name="Vera", **who), "updateUser")
    assert shown["user"] == {"name": "Vera", "email": ""}
    for name, is_active in (("deactivateUser", False), ("reactivateUser", True)):
        shown = data(act(api, name, "user { isActive }", **who), name)
        assert shown == {"user": {"isActive": is_active}}
        assert User.objects.get(pk=shop.viewer.pk).is_active == is_active
    data(act(api, "deleteUser", id=str(shop.stranger.pk)), "deleteUser")
    assert not User.objects.filter(username="stranger").exists()


def test_who_left_a_trace_is_not_deleted(api: Caller, admin: User, shop: Scene) -> None:
    shop.start("1.4.1")
    answer = act(api, "deleteUser", id=str(shop.engineer.pk))
    (error,) = answer["errors"]
    assert error["extensions"]["problems"][0]["path"] == ["input", "id"]
    assert "deactivate" in error["message"]


def test_lists_say_which_part_they_are(api: Caller, shop: Scene) -> None:
    shown = data(api.ask(USERS), "users")
    assert shown["pageInfo"] == {"total": 5, "limit": 3, "hasMore": True, "offset": 1}
    assert [each["username"] for each in shown["nodes"]] == ["engineer", "former", "stranger"]
    assert shown["nodes"][0]["userGroups"]["nodes"] == [{"name": "Engineers"}]
    rest = data(api.ask("{ users(offset: 4) { pageInfo { hasMore } nodes { id } } }"), "users")
    assert (rest["pageInfo"]["hasMore"], len(rest["nodes"])) == (False, 1)


@pytest.mark.parametrize("part", ["limit: 101", "limit: 0", "limit: -1", "offset: -1"])
def test_other_parts_are_refused(api: Caller, part: str) -> None:
    error = api.refused(f"{{ users({part}) {{ nodes {{ id }} }} }}")
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


def test_lists_within_lists_cost_the_same_for_many_as_for_few(
    api: Caller, shop: Scene, django_assert_num_queries: Any
) -> None:
    query = """{ userGroups { nodes { name permissions { appPermissions { actions } }
        users { nodes { name userGroups { nodes { name permissions { appPermissions { actions } }
        } } } } } } }"""
    api.ask(query)
    with django_assert_num_queries(22) as few:
        api.ask(query)
    for number in range(6):
        more = group(f"Group {number}", Action.READ, environments=[shop.environment])
        person(f"person {number}", more, UserGroup.objects.get(name="Viewers"))
    with django_assert_num_queries(len(few)):
        data(api.ask(query), "userGroups")


def test_an_answer_lists_so_many_things_and_no_more(
    api: Caller, shop: Scene, settings: Any
) -> None:
    settings.API_NODES = 12
    assert "errors" not in api.ask("{ users { nodes { id } } }")
    error = api.refused(
        "{ userGroups { nodes { users { nodes { userGroups { nodes { id } } } } } } }"
    )
    assert "more than 12 things" in error["message"]


def test_people_are_found_by_name(api: Caller, shop: Scene) -> None:
    ask = "query($name: String!) { userByName(name: $name) { username } }"
    User.objects.filter(username="viewer").update(first_name="Vera", last_name="Lang")
    for name in ("viewer", "Vera Lang"):
        assert data(api.ask(ask, {"name": name}), "userByName") == {"username": "viewer"}
    assert api.refused(ask, {"name": "Vera"})["extensions"]["code"] == "NOT_FOUND"
    User.objects.filter(username="stranger").update(first_name="Vera", last_name="Lang")
    assert "2 people have this name" in api.refused(ask, {"name": "Vera Lang"})["message"]


def test_groups_are_found_by_id_and_by_name(api: Caller, shop: Scene) -> None:
    viewers = UserGroup.objects.get(name="Viewers")
    for asked in (
        f'userGroup(userGroupId: "{viewers.public_id}")',
        'userGroupByName(name: "Viewers")',
    ):
        (shown,) = api.ask(f"{{ {asked} {{ id users {{ nodes {{ username }} }} }} }}")[
            "data"
        ].values()
        assert shown == {"id": viewers.public_id, "users": {"nodes": [{"username": "viewer"}]}}


def test_everybody_sees_what_they_may_and_only_some_see_who_else_may(shop: Scene) -> None:
    caller = signed_in(shop.viewer)
    shown = caller.ask("{ viewer { name userGroups { nodes { name } } } }")["data"]["viewer"]
    assert shown == {"name": "viewer", "userGroups": {"nodes": [{"name": "Viewers"}]}}
    error = caller.refused("{ viewer { userGroups { nodes { users { nodes { id } } } } } }")
    assert error["extensions"]["code"] == "FORBIDDEN"


def test_the_users_of_keys_are_no_people(api: Caller, shop: Scene) -> None:
    viewers = UserGroup.objects.get(name="Viewers")
    data(act(api, "createApiKey", name="ci", userGroupIds=[viewers.public_id]), "createApiKey")
    key = User.objects.get(username__startswith="key:")
    assert api.refused(f'{{ user(id: "{key.pk}") {{ id }} }}')["extensions"]["code"] == "NOT_FOUND"
    assert "key:" not in str(api.ask("{ users { nodes { username } } }"))


def test_what_is_too_long_or_no_address_is_told(api: Caller, shop: Scene) -> None:
    viewers = UserGroup.objects.get(name="Viewers").public_id
    for mutation, sent, path in (
        ("createUser", {"name": "x" * 151, "email": "new@shop.example"}, "name"),
        ("createUser", {"name": "New", "email": "nowhere", "username": "new"}, "email"),
        ("createUser", {"name": "New", "email": ""}, "name"),
        ("updateUser", {"id": str(shop.viewer.pk), "email": "nowhere"}, "email"),
        ("createUserGroup", {"name": "x" * 151}, "name"),
        ("createUserGroup", {"name": ""}, "name"),
        ("updateUserGroup", {"userGroupId": viewers, "description": "x" * 201}, "description"),
    ):
        (error,) = act(api, mutation, **sent)["errors"]
        assert error["extensions"]["problems"][0]["path"] == ["input", path], mutation
    assert User.people.count() == 5
