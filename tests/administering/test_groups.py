"""The page of a user group: one form, saved by administration, and what it means in effect."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client

from accounts import administration, policy
from accounts.models import AuditEvent, User, UserGroup
from accounts.vocabulary import AccountPermission, Action, Right
from dashboard.models import Application, Environment
from tests.administering.conftest import SignIn, address, errors, members, shown, verbs, with_row
from tests.scene import Scene, group, person

ROLLBACK = {
    "permission_type": "DEPLOYMENT",
    "actions": ["READ", "ROLLBACK_WORKFLOW"],
    "filter": ["non-production"],
}


@pytest.fixture
def staging(shop: Scene) -> Environment:
    return Environment.objects.create(
        application=shop.service.application, name="staging", environment_type="NON_PRODUCTION"
    )


@pytest.fixture
def operators(shop: Scene) -> UserGroup:
    return group("Operators", Action.READ)


def test_one_form_saves_all_of_it_through_administration(
    shop: Scene, page: Client, operators: UserGroup, staging: Environment
) -> None:
    fields = with_row(
        shown(page, address(operators)),
        **ROLLBACK,
        applications=[shop.service.application.pk],
    )
    fields |= {
        "name": "Night shift",
        "members": [shop.viewer.pk],
        "account_permissions": ["CREATE_AND_DELETE_APPLICATION"],
    }

    response = page.post(address(operators), fields)

    assert response.status_code == 302, errors(response)
    operators.refresh_from_db()
    assert operators.name == "Night shift"
    assert members(operators) == {"viewer"}
    assert policy.may_roll_back(shop.viewer, staging)
    assert not policy.may_roll_back(shop.viewer, shop.environment)
    recorded = AuditEvent.objects.filter(subject_id=str(operators.pk)).order_by("number")
    assert [(event.verb, event.actor_name) for event in recorded] == [
        ("GROUP_CHANGED", "admin"),
        ("PERMISSIONS_CHANGED", "admin"),
        ("MEMBERS_CHANGED", "admin"),
    ]
    assert not LogEntry.objects.exists()


def test_a_new_group_has_everything_at_once(shop: Scene, page: Client) -> None:
    fields = with_row(shown(page, address(UserGroup, "add")), **ROLLBACK, all_applications="on") | {
        "name": "New",
        "members": [shop.viewer.pk],
    }

    response = page.post(address(UserGroup, "add"), fields)

    assert response.status_code == 302, errors(response)
    made = UserGroup.objects.get(name="New")
    assert members(made) == {"viewer"}
    assert len(made.permissions_held.rows) == 1


def test_saving_what_was_shown_changes_nothing(
    shop: Scene, page: Client, operators: UserGroup
) -> None:
    rows = list(operators.app_permissions.values_list("pk", flat=True))
    response = page.post(address(operators), shown(page, address(operators)))
    assert response.status_code == 302, errors(response)
    assert list(operators.app_permissions.values_list("pk", flat=True)) == rows
    assert not verbs()


def test_a_removed_row_takes_its_rights_with_it(
    shop: Scene, page: Client, operators: UserGroup
) -> None:
    shop.stranger.groups.add(operators)
    fields = shown(page, address(operators)) | {"rows-0-DELETE": "on"}
    response = page.post(address(operators), fields)
    assert response.status_code == 302, errors(response)
    assert not policy.application_ids(shop.stranger).exists()


@pytest.mark.parametrize(
    ("row", "field", "sentence"),
    [
        ({"actions": ["CREATE"]}, "actions", "not an action of type DEPLOYMENT"),
        ({"actions": []}, "actions", "at least one action"),
        ({"filter": []}, "filter", "Choose production or non-production"),
        ({"filter": ["everything", "production"]}, "filter", "not both"),
        ({"filter": ["templates"]}, "filter", "templates cannot be chosen"),
        ({"all_applications": ""}, "applications", "Choose applications, or all"),
        ({"permission_type": "NONSENSE"}, "permission_type", "not one of"),
        ({"permission_type": ""}, "permission_type", "required"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_at_its_field(
    page: Client, operators: UserGroup, row: dict[str, Any], field: str, sentence: str
) -> None:
    wanted = {**ROLLBACK, "all_applications": "on", **row}
    fields = with_row(shown(page, address(operators)), **wanted) | {"name": "Renamed"}

    response = page.post(address(operators), fields)

    assert sentence in errors(response)[f"rows.1.{field}"]
    assert "Renamed" in response.text, "what was typed is still there"
    assert UserGroup.objects.get(pk=operators.pk).name == "Operators"
    assert not verbs()


def test_what_administration_refuses_is_shown_at_the_row(
    shop: Scene, page: Client, operators: UserGroup, staging: Environment
) -> None:
    other = Application.objects.create(name="Other")
    row = {**ROLLBACK, "filter": [], "environments": [staging.pk], "applications": [other.pk]}
    response = page.post(address(operators), with_row(shown(page, address(operators)), **row))
    assert "an application that is not chosen" in errors(response)["rows.1.filter"]


def test_manage_needs_view(page: Client, operators: UserGroup) -> None:
    fields = shown(page, address(operators)) | {"account_permissions": ["MANAGE_USERS_AND_GROUPS"]}
    found = errors(page.post(address(operators), fields))
    assert "needs View Users" in found["account_permissions"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"account_permissions": ["VIEW_AUDITS"]}, "account_permissions"),
        ({"kept_permissions": ["MANAGE_SECRETS"]}, "kept_permissions"),
    ],
)
def test_nobody_gives_an_account_permission_they_do_not_hold(
    page: Client, operators: UserGroup, changed: dict[str, Any], field: str
) -> None:
    fields = shown(page, address(operators)) | changed | {"description": "Kept"}

    found = errors(response := page.post(address(operators), fields))

    assert "you do not hold" in found[field]
    assert "Kept" in response.text
    operators.refresh_from_db()
    assert (operators.description, operators.account_permissions) == ("", [])
    [event] = AuditEvent.objects.exclude(verb="GRANTS_CHANGED")
    assert (event.verb, event.actor_name, event.subject) == ("REFUSED", "admin", "Operators")


def test_nobody_gives_a_row_they_do_not_hold(page: Client, operators: UserGroup) -> None:
    row = {"permission_type": "SERVICE", "actions": ["UPDATE"], "filter": ["everything"]}
    fields = with_row(shown(page, address(operators)), **row, all_applications="on")
    found = errors(page.post(address(operators), fields))
    assert "you do not hold Update" in found["rows.1.__all__"]


def test_nobody_joins_somebody_to_more_than_they_hold(shop: Scene, page: Client) -> None:
    auditors = group("Auditors", account=[AccountPermission.VIEW_AUDITS])
    fields = shown(page, address(auditors)) | {"members": [shop.viewer.pk]}
    assert "View Audit Trail" in errors(page.post(address(auditors), fields))["members"]
    assert not members(auditors)


def test_the_last_administrator_cannot_lock_everybody_out(page: Client, admin: User) -> None:
    administrators = UserGroup.objects.get(name="Administrators")
    fields = shown(page, address(administrators))

    left = page.post(address(administrators), {**fields, "members": []})
    taken = page.post(address(administrators), {**fields, "account_permissions": []})
    deleted = page.post(address(administrators, "delete"), {"post": "yes"}, follow=True)

    assert "Nobody would be left" in errors(left)["members"]
    assert "Nobody would be left" in errors(taken)["account_permissions"]
    assert "Nobody would be left" in deleted.text
    assert members(administrators) == {"admin"}
    assert verbs() == ["REFUSED"] * 3


def test_what_another_changed_meanwhile_is_not_overwritten(
    shop: Scene, page: Client, admin: User, operators: UserGroup
) -> None:
    fields = shown(page, address(operators))
    administration.set_members(operators, [shop.viewer], by=admin)

    response = page.post(address(operators), {**fields, "description": "Mine"})

    assert "admin changed this group since you opened it" in errors(response)["__all__"]
    assert "Mine" in response.text
    assert members(operators) == {"viewer"}
    again = page.post(address(operators), {**fields, "description": "Mine"})
    assert again.status_code == 200, "pressing Save twice is not reading it"


def test_rows_another_removed_meanwhile_are_no_crash(
    page: Client, admin: User, operators: UserGroup
) -> None:
    fields = shown(page, address(operators))
    operators.app_permissions.all().delete()
    response = page.post(address(operators), fields)
    assert "since you opened it" in errors(response)["__all__"]


def test_the_page_says_what_the_group_can_do_in_effect(
    shop: Scene, page: Client, staging: Environment, operators: UserGroup
) -> None:
    administration.add_permissions(
        operators, group("x", Action.ROLLBACK_WORKFLOW, production=False).permissions_held, by=None
    )
    person("left", operators, is_active=False)

    overview = page.get(address(operators)).context["overview"]

    [application] = overview["applications"]
    assert [
        (each.name, each.is_production, [word for word, _ in each.words])
        for each in application.environments
    ] == [("staging", False, ["view", "roll back"]), ("production", True, ["view"])]
    assert application.counts == "2 environments, roll back in 1"
    assert "only if another of their groups does" in overview["sentences"][0]
    assert [each.username for each in overview["people"]] == ["left"]


def test_many_environments_are_counted_and_cut(shop: Scene, page: Client) -> None:
    for number in range(60):
        Environment.objects.create(
            application=shop.service.application,
            name=f"e{number}",
            environment_type="NON_PRODUCTION",
        )
    text = page.get(address(group("Everywhere", Action.READ))).text
    assert "61 environments" in text
    assert "and 11 more" in text


def test_powerful_grants_are_named_on_the_page_and_after_saving(page: Client, admin: User) -> None:
    administrators = UserGroup.objects.get(name="Administrators")
    saved = page.post(address(administrators), shown(page, address(administrators)))
    said = " ".join(str(message) for message in get_messages(saved.wsgi_request))
    on_page = " ".join(page.get(address(administrators)).context["overview"]["powerful"])
    for text in (said, on_page):
        assert "Manage Users and Groups: its members" in text
        assert "Rollback Workflow in production" in text


def test_an_empty_group_says_so(page: Client) -> None:
    empty = UserGroup.objects.create(name="Empty")
    powerful = " ".join(page.get(address(empty)).context["overview"]["powerful"])
    assert "Nobody is in it" in powerful
    assert "It gives nothing" in powerful


def test_who_may_only_look_reads_it_in_words(shop: Scene, sign_in: SignIn) -> None:
    person("reader", group("Readers", account=[AccountPermission.READ_USERS_AND_GROUPS]))
    engineers = UserGroup.objects.get(name="Engineers")
    reader = sign_in("reader")
    text = reader.get(address(engineers)).text
    assert "Read, Execute Workflow, Rollback Workflow · Deployments" in text
    assert "Manage Applications" in text
    assert 'name="_save"' not in text
    assert reader.post(address(engineers), {"name": "Mine"}).status_code == 403


def test_the_history_is_the_audit_trail(
    shop: Scene, page: Client, admin: User, operators: UserGroup
) -> None:
    administration.set_members(operators, [shop.viewer], by=admin)
    administration.update_group(operators, name="Ops", description="", by=admin)
    [newest, older] = page.get(address(operators, "history")).context["entries"]
    assert (newest.removed, newest.added) == (("Name: Operators",), ("Name: Ops",))
    assert (older.removed, older.added) == ((), ("viewer",))
    assert older.event.actor_name == "admin"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=night", {"Night shift"}),
        ("q=viewer", {"Viewers"}),
        ("account=CREATE_AND_DELETE_APPLICATION", {"Administrators", "Engineers"}),
        ("production=yes", {"Administrators", "Engineers"}),
    ],
)
def test_groups_are_found_by_what_people_know(page: Client, query: str, names: set[str]) -> None:
    UserGroup.objects.create(name="Night shift")
    UserGroup.objects.filter(app_permissions=None, account_permissions=[]).exclude(
        name="Night shift"
    ).delete()
    seeds = {"Account Administrator", "Production Support", "Non-Production Support"}
    found = page.get(f"{address(UserGroup, 'changelist')}?{query}").context["cl"].result_list
    assert {each.name for each in found} - seeds == names


def test_the_list_costs_the_same_however_many_groups_there_are(
    page: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        group(f"g{number}", Action.READ)
    with django_assert_max_num_queries(25):
        page.get(address(UserGroup, "changelist"))


def test_who_sees_no_application_is_offered_none(shop: Scene, sign_in: SignIn) -> None:
    account = [AccountPermission.READ_USERS_AND_GROUPS, AccountPermission.MANAGE_USERS_AND_GROUPS]
    person("clerk", group("Clerks", account=account))
    text = sign_in("clerk").get(address(UserGroup, "add")).text
    assert "Shop" not in text


def test_taking_away_is_possible_without_holding_it(shop: Scene, sign_in: SignIn) -> None:
    account = [AccountPermission.READ_USERS_AND_GROUPS, AccountPermission.MANAGE_USERS_AND_GROUPS]
    person("clerk", group("Clerks", account=account))
    clerk, engineers = sign_in("clerk"), UserGroup.objects.get(name="Engineers")
    fields = shown(clerk, address(engineers)) | {"rows-0-DELETE": "on"}
    response = clerk.post(address(engineers), fields)
    assert response.status_code == 302, errors(response)
    assert not policy.may(shop.engineer, Right.VIEW_DEPLOYMENTS, shop.environment)


def test_a_row_whose_choice_was_deleted_is_in_nobodys_way(
    shop: Scene, page: Client, staging: Environment
) -> None:
    chosen = group("Chosen", Action.READ, environments=[staging])
    staging.delete()
    fields = with_row(shown(page, address(chosen)), **ROLLBACK, all_applications="on")
    response = page.post(address(chosen), fields)
    assert response.status_code == 302, errors(response)
    assert chosen.app_permissions.count() == 2
