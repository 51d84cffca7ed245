"""The page of a person: profile, groups, password; deactivating and reactivating."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import administration
from accounts.models import ApiKey, User, UserGroup
from accounts.vocabulary import AccountPermission, Action
from tests.administering.conftest import SignIn, address, errors, members, shown, verbs
from tests.scene import Scene, group, person

pytestmark = pytest.mark.django_db


def test_a_profile_is_saved_through_administration(page: Client, shop: Scene) -> None:
    fields = shown(page, address(shop.viewer)) | {
        "first_name": "Vera",
        "email": "vera@shop.example",
    }
    response = page.post(address(shop.viewer), fields)
    assert response.status_code == 302, errors(response)
    shop.viewer.refresh_from_db()
    assert (shop.viewer.label, shop.viewer.email) == ("Vera", "vera@shop.example")
    assert verbs() == ["USER_CHANGED"]


def test_groups_are_joined_and_left_one_by_one(page: Client, shop: Scene) -> None:
    engineers, viewers = (UserGroup.objects.get(name=name) for name in ("Engineers", "Viewers"))
    fields = shown(page, address(shop.viewer)) | {"user_groups": [engineers.pk]}
    response = page.post(address(shop.viewer), fields)
    assert response.status_code == 302, errors(response)
    assert "viewer" in members(engineers)
    assert "viewer" not in members(viewers)
    assert verbs() == ["MEMBERS_CHANGED"] * 2


def test_what_others_changed_meanwhile_stays(page: Client, shop: Scene, admin: User) -> None:
    third = group("Third", Action.READ)
    fields = shown(page, address(shop.viewer)) | {"first_name": "Vera"}
    administration.add_member(third, shop.viewer, by=admin)
    page.post(address(shop.viewer), fields)
    assert "viewer" in members(third)


def test_a_new_person(page: Client, shop: Scene) -> None:
    viewers = UserGroup.objects.get(name="Viewers")
    fields = {"username": "nora", "first_name": "Nora", "user_groups": [viewers.pk]}
    response = page.post(address(User, "add"), fields)
    assert response.status_code == 302, errors(response)
    nora = User.people.get(username="nora")
    assert not nora.has_usable_password()
    assert "nora" in members(viewers)
    assert verbs() == ["USER_CREATED", "MEMBERS_CHANGED"]


def test_nobody_is_joined_to_more_than_the_administrator_holds(page: Client, shop: Scene) -> None:
    auditors = group("Auditors", account=[AccountPermission.VIEW_AUDITS])
    fields = shown(page, address(shop.viewer)) | {"first_name": "Vera"}
    fields["user_groups"] = [*fields["user_groups"], auditors.pk]

    response = page.post(address(shop.viewer), fields)

    assert "View Audit Trail" in errors(response)["user_groups"]
    assert "Vera" in response.text
    shop.viewer.refresh_from_db()
    assert shop.viewer.first_name == ""
    assert verbs() == ["REFUSED"]


def test_powers_are_not_edited(page: Client, shop: Scene) -> None:
    form = page.get(address(shop.viewer)).context["adminform"].form
    assert not {"is_superuser", "is_staff", "is_active", "user_permissions"} & set(form.fields)
    page.post(
        address(shop.viewer),
        shown(page, address(shop.viewer)) | {"is_superuser": "on", "is_staff": "on"},
    )
    shop.viewer.refresh_from_db()
    assert not shop.viewer.is_superuser
    assert not shop.viewer.is_staff


def test_a_name_that_is_taken(page: Client, shop: Scene) -> None:
    fields = shown(page, address(shop.viewer)) | {"username": "engineer"}
    assert "already" in errors(page.post(address(shop.viewer), fields))["username"]


def test_a_superuser_is_changed_by_superusers_only(page: Client) -> None:
    root = User.objects.create_superuser("root")
    found = errors(page.post(address(root), shown(page, address(root)) | {"email": "a@b.example"}))
    assert "Only a superuser" in found["__all__"]


def test_deactivating_ends_sessions_and_keys_and_says_so(
    page: Client, shop: Scene, sign_in: SignIn, admin: User
) -> None:
    theirs = sign_in("viewer")
    assert theirs.get("/").status_code == 200
    key, _ = administration.create_key(
        "ci", [UserGroup.objects.get(name="Viewers")], by=None, now=timezone.now()
    )
    ApiKey.objects.filter(pk=key.pk).update(created_by=shop.viewer)

    asked = page.get(address(shop.viewer, "deactivate"))
    assert "All their sessions end" in asked.text
    assert "The API key they made is revoked" in asked.text
    shop.viewer.refresh_from_db()
    assert shop.viewer.is_active, "asking is not doing"
    page.post(address(shop.viewer, "deactivate"))

    assert theirs.get("/").status_code == 302
    assert ApiKey.objects.get().revoked_at
    assert verbs()[-2:] == ["USER_DEACTIVATED", "KEY_REVOKED"]
    page.post(address(shop.viewer, "reactivate"))
    assert User.objects.get(pk=shop.viewer.pk).is_active
    assert theirs.get("/").status_code == 302, "the old session stays ended"


def test_the_last_administrator_cannot_be_deactivated(page: Client, admin: User) -> None:
    answer = page.post(address(admin, "deactivate"), follow=True)
    assert "Nobody would be left" in answer.text
    admin.refresh_from_db()
    assert admin.is_active
    assert verbs() == ["REFUSED"]


def test_a_password_is_set_through_administration(
    page: Client, shop: Scene, sign_in: SignIn
) -> None:
    theirs = sign_in("viewer")
    unequal = {"password1": "correct horse battery", "password2": "incorrect horse"}
    assert page.post(address(shop.viewer, "password"), unequal).status_code == 200

    secret = dict.fromkeys(("password1", "password2"), "correct horse battery")
    assert page.post(address(shop.viewer, "password"), secret).status_code == 302

    shop.viewer.refresh_from_db()
    assert shop.viewer.check_password("correct horse battery")
    assert theirs.get("/").status_code == 302
    assert verbs() == ["PASSWORD_CHANGED"]


def test_no_password_of_somebody_who_may_more(page: Client) -> None:
    auditor = person("auditor", group("Auditors", account=[AccountPermission.VIEW_AUDITS]))
    secret = dict.fromkeys(("password1", "password2"), "correct horse battery")
    answer = page.post(address(auditor, "password"), secret)
    assert "you do not hold View Audit Trail" in answer.text
    auditor.refresh_from_db()
    assert auditor.check_password("auditor")


def test_somebody_who_left_a_trace_is_not_deleted(page: Client, shop: Scene, admin: User) -> None:
    administration.update_user(shop.viewer, {"email": "v@shop.example"}, by=admin)
    group("Other", account=[AccountPermission.READ_USERS_AND_GROUPS])
    assert page.post(address(shop.stranger, "delete"), {"post": "yes"}).status_code == 302
    assert not User.objects.filter(username="stranger").exists()
    answer = page.post(address(admin, "delete"), {"post": "yes"}, follow=True)
    assert User.objects.filter(username="admin").exists()
    assert answer.status_code == 200


def test_the_page_says_what_somebody_may_and_through_which_group(page: Client, shop: Scene) -> None:
    text = page.get(address(shop.engineer)).text
    assert "roll back" in text
    assert "(Engineers)" in text
    assert "Deactivated: may nothing" in page.get(address(shop.former)).text


def test_api_keys_are_no_people(page: Client, admin: User) -> None:
    key, _ = administration.create_key(
        "ci", [UserGroup.objects.get(name="Viewers")], by=None, now=timezone.now()
    )
    assert "key:" not in page.get(address(User, "changelist")).text
    assert page.get(address(key.user)).status_code == 302


@pytest.mark.parametrize("query", ["q=viewer", "q=Viewers", "group={pk}"])
def test_people_are_found_by_name_and_group(page: Client, shop: Scene, query: str) -> None:
    pk = UserGroup.objects.get(name="Viewers").pk
    answer = page.get(f"{address(User, 'changelist')}?{query.format(pk=pk)}")
    assert [each.username for each in answer.context["cl"].result_list] == ["viewer"]


def test_the_history_of_a_person(page: Client, shop: Scene, admin: User) -> None:
    administration.deactivate(shop.viewer, by=admin, now=timezone.now() + timedelta(seconds=1))
    [entry] = page.get(address(shop.viewer, "history")).context["entries"]
    assert entry.event.get_verb_display() == "User deactivated"
    assert Session.objects.count() >= 1


def test_ones_own_password_is_recorded_too(page: Client, admin: User, sign_in: SignIn) -> None:
    elsewhere = sign_in("admin")
    fields = dict.fromkeys(("new_password1", "new_password2"), "correct horse battery")
    answer = page.post("/admin/password_change/", {"old_password": "admin", **fields})
    assert answer.status_code == 302
    assert verbs() == ["PASSWORD_CHANGED"]
    assert page.get("/admin/").status_code == 200, "this session goes on"
    assert elsewhere.get("/admin/").status_code == 302
