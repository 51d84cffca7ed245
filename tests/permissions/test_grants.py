"""Object permissions are what the rows say, also after the catalogue changed under them."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from accounts import administration, grants, policy
from accounts.models import ApplicationGrant, AuditEvent, EnvironmentGrant, User
from accounts.rows import Permissions, Place, Row, Scope
from accounts.vocabulary import Action, PermissionType, Right, Verb
from dashboard.models import Application, Environment, Service
from tests.permissions.conftest import Account, make_environment
from tests.scene import group, person

READ, BACK = Action.READ, Action.ROLLBACK_WORKFLOW
VIEW = Right.VIEW_DEPLOYMENTS


def viewed(user: User) -> set[str]:
    return {each.name for each in Environment.objects.visible_to(user)}


def seen(user: User) -> set[str]:
    return {each.name for each in Application.objects.visible_to(user)}


def give(account: Account, *rows: Row) -> User:
    """Somebody with these rows only."""
    made = administration.create_group("Given", by=None, permissions=Permissions(rows=rows))
    return person("somebody", made)


def row(**choices: Any) -> Row:
    return Row(PermissionType.DEPLOYMENT, frozenset({READ}), None, **choices)


PRODUCTION = row(scopes=frozenset({Scope.PRODUCTION}))


def test_an_environment_that_is_created_later_falls_under_its_class(account: Account) -> None:
    somebody = give(account, PRODUCTION)
    make_environment(account.bank, "east")
    make_environment(account.bank, "lab", "NON_PRODUCTION")
    assert viewed(somebody) == {"production", "vault", "east"}
    assert not grants.difference()


def test_an_environment_that_is_retyped_changes_hands(account: Account) -> None:
    somebody = give(account, PRODUCTION)
    account.staging.environment_type = "PRODUCTION"
    account.staging.save()
    account.vault.environment_type = "NON_PRODUCTION"
    account.vault.save()
    assert viewed(somebody) == {"production", "staging"}
    assert not grants.difference()


def test_who_gained_or_lost_by_a_retyping_is_recorded(account: Account) -> None:
    give(account, PRODUCTION)
    before = AuditEvent.objects.count()
    account.staging.environment_type = "PRODUCTION"
    account.staging.save()
    (event,) = AuditEvent.objects.filter(number__gt=before)
    assert event.verb == Verb.GRANTS_CHANGED
    assert event.after["Given"] == "View deployments"
    assert "Given" not in event.before
    assert event.subject == "Shop / staging"


def test_renaming_an_environment_changes_and_records_nothing(account: Account) -> None:
    before = AuditEvent.objects.count()
    account.staging.name = "integration"
    account.staging.save()
    assert AuditEvent.objects.count() == before


def test_an_application_that_is_created_later_is_seen_by_who_sees_all(account: Account) -> None:
    somebody = give(account, PRODUCTION)
    Application.objects.create(name="Later")
    assert seen(somebody) == {"Shop", "Bank", "Later"}
    assert seen(account.member) == {"Shop"}


@pytest.mark.parametrize("is_many", [False, True])
def test_who_saw_an_application_for_a_deleted_environment_sees_it_no_more(
    account: Account, is_many: bool
) -> None:
    somebody = give(account, row(environments=frozenset({account.vault.pk})))
    assert (seen(somebody), viewed(somebody)) == ({"Bank"}, {"vault"})
    if is_many:
        Environment.objects.filter(pk=account.vault.pk).delete()
    else:
        account.vault.delete()
    assert (seen(somebody), viewed(somebody)) == (set(), set())
    assert not grants.difference()


@pytest.mark.parametrize("is_many", [False, True])
def test_who_saw_an_application_for_a_deleted_service_sees_it_no_more(
    account: Account, is_many: bool
) -> None:
    chosen = frozenset({account.service.pk})
    kind = PermissionType.SERVICE
    somebody = give(account, Row(kind, frozenset({READ}), None, services=chosen))
    assert seen(somebody) == {"Shop"}
    if is_many:
        Service.objects.filter(pk=account.service.pk).delete()
    else:
        account.service.delete()
    assert seen(somebody) == set()
    assert not grants.difference()


def test_deleting_an_application_takes_its_grants_with_it(account: Account) -> None:
    somebody = give(account, PRODUCTION)
    account.bank.delete()
    assert viewed(somebody) == {"production"}
    assert not grants.difference()


def test_deleting_a_group_takes_its_grants_with_it(account: Account) -> None:
    somebody = give(account, PRODUCTION)
    administration.delete_group(somebody.groups.get().usergroup, by=None)
    assert viewed(somebody) == set()
    assert not grants.difference()


def planted(account: Account) -> None:
    """One grant too few, one too many."""
    EnvironmentGrant.objects.get(
        group=account.viewers, content_object=account.production, permission__codename=VIEW
    ).delete()
    permission = Permission.objects.get(codename=Right.ROLLBACK_WORKFLOW)
    EnvironmentGrant.objects.create(
        group=account.viewers, content_object=account.vault, permission=permission
    )


def test_what_is_missing_and_what_is_too_much_is_found_and_mended(account: Account) -> None:
    assert not grants.difference()
    planted(account)
    found = grants.difference()
    owner = account.viewers.pk
    assert found.missing[EnvironmentGrant] == {(owner, account.production.pk, "view_deployments")}
    assert found.surplus[EnvironmentGrant] == {(owner, account.vault.pk, "rollback_workflow")}
    assert not found.missing[ApplicationGrant]
    sentences = "\n".join(found.sentences())
    assert "missing: Viewers: view_deployments" in sentences
    assert "surplus: Viewers: rollback_workflow" in sentences
    assert grants.materialise() == found
    assert not grants.difference()


def test_one_group_or_environment_is_compared_by_itself(account: Account) -> None:
    planted(account)
    assert grants.difference(group=account.viewers)
    assert not grants.difference(group=account.admins)
    assert grants.difference(environment=account.production)
    assert not grants.difference(environment=account.staging)
    assert grants.difference(application=account.bank)
    grants.materialise(application=account.bank)
    assert not grants.difference(application=account.bank)
    assert grants.difference(application=account.shop)


def test_a_planted_grant_opens_a_door_only_until_it_is_mended(account: Account) -> None:
    planted(account)
    assert policy.may(account.member, Right.ROLLBACK_WORKFLOW, account.vault)
    grants.materialise(environment=account.vault)
    assert not policy.may(account.member, Right.ROLLBACK_WORKFLOW, account.vault)


def test_nothing_is_written_where_nothing_differs(
    account: Account, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(14) as asked:
        grants.materialise()
    assert not [each for each in asked if each["sql"].startswith(("INSERT", "DELETE"))]


def test_what_rows_let_somebody_do_is_what_the_grants_say(account: Account) -> None:
    held = account.admins.permissions_held
    rights = grants.rights_in(held, account.production.pk, Place(account.shop.pk, True))
    assert rights == {VIEW, Right.ROLLBACK_WORKFLOW}
    assert grants.rights_in(held, account.vault.pk, Place(account.bank.pk, True)) == frozenset()


def test_groups_do_not_inherit_what_a_deleted_group_had(account: Account) -> None:
    """Grants have real foreign keys, so that a key used again finds nothing."""
    old = group("Old", BACK)
    pk = old.pk
    administration.delete_group(old, by=None)
    assert not EnvironmentGrant.objects.filter(group_id=pk).exists()
    assert not ApplicationGrant.objects.filter(group_id=pk).exists()
