"""Each change asks for its right, is recorded with it, and leaves somebody to administer."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts import administration, audit, grants, policy
from accounts.administration import Invalid, LastAdministrator
from accounts.models import ApiKey, AppPermission, AuditEvent, EnvironmentGrant, User, UserGroup
from accounts.policy import Denied
from accounts.rows import NOTHING, Permissions, Place, Row, Scope
from accounts.vocabulary import AccountPermission, Action, PermissionType, Right, Verb
from tests.permissions.conftest import ADMINISTERING, Account
from tests.scene import group, person

READ, BACK = Action.READ, Action.ROLLBACK_WORKFLOW
EXECUTE = Action.EXECUTE_WORKFLOW
NOW = timezone.now()
Operation = Callable[[Account, User], object]


def looking(account: Account, *actions: Action) -> Permissions:
    """Within what the administrator holds, if only READ and ROLLBACK_WORKFLOW."""
    everywhere = frozenset({Scope.PRODUCTION, Scope.NON_PRODUCTION})
    applications = frozenset({account.shop.pk})
    row = Row(PermissionType.DEPLOYMENT, frozenset(actions or [READ]), applications, everywhere)
    return Permissions(rows=(row,))


def make_key(account: Account, by: User | None = None) -> ApiKey:
    key, _ = administration.create_key("Robot", [account.viewers], by=by, now=NOW)
    return key


OPERATIONS: dict[Verb, Operation] = {
    Verb.GROUP_CREATED: lambda a, by: administration.create_group("New", by=by),
    Verb.GROUP_CHANGED: lambda a, by: administration.update_group(
        a.viewers, name="Lookers", description="", by=by
    ),
    Verb.GROUP_DELETED: lambda a, by: administration.delete_group(a.viewers, by=by),
    Verb.PERMISSIONS_CHANGED: lambda a, by: administration.set_permissions(
        a.viewers, looking(a, READ, BACK), by=by
    ),
    Verb.MEMBERS_CHANGED: lambda a, by: administration.set_members(a.viewers, [], by=by),
    Verb.USER_CREATED: lambda a, by: administration.create_user({"username": "new"}, by=by),
    Verb.USER_CHANGED: lambda a, by: administration.update_user(
        a.member, {"first_name": "Mia"}, by=by
    ),
    Verb.PASSWORD_CHANGED: lambda a, by: administration.set_password(a.member, "another", by=by),
    Verb.USER_DEACTIVATED: lambda a, by: administration.deactivate(a.member, by=by, now=NOW),
    Verb.USER_DELETED: lambda a, by: administration.delete_user(a.member, by=by),
    Verb.KEY_CREATED: make_key,
}


def told() -> list[str]:
    return list(AuditEvent.objects.order_by("number").values_list("verb", flat=True))


def everything() -> list[object]:
    """Who may do what, as it is stored."""
    return [
        list(UserGroup.objects.order_by("pk").values()),
        list(AppPermission.objects.order_by("pk").values()),
        list(EnvironmentGrant.objects.order_by("pk").values()),
        list(User.objects.order_by("pk").values()),
        list(User.groups.through.objects.order_by("pk").values()),
        list(ApiKey.objects.order_by("pk").values()),
    ]


@pytest.mark.parametrize("verb", OPERATIONS, ids=str)
def test_an_administrator_may_and_it_is_recorded_once(account: Account, verb: Verb) -> None:
    audit_before = set(AuditEvent.objects.values_list("pk", flat=True))
    OPERATIONS[verb](account, account.admin)
    (event,) = AuditEvent.objects.exclude(pk__in=audit_before)
    assert (event.verb, event.actor, event.actor_name) == (verb, account.admin, "admin")
    assert not list(audit.faults())
    assert not grants.difference()


@pytest.mark.parametrize("verb", OPERATIONS, ids=str)
def test_without_the_right_it_is_refused_recorded_and_changes_nothing(
    account: Account, verb: Verb
) -> None:
    somebody = person("somebody", account.viewers)
    before = everything()
    with pytest.raises(Denied, match="You need Manage"):
        OPERATIONS[verb](account, somebody)
    assert everything() == before
    assert told() == [Verb.REFUSED]
    event = AuditEvent.objects.get()
    assert event.actor == somebody
    assert event.message.startswith(verb.label)


@pytest.mark.parametrize("verb", OPERATIONS, ids=str)
def test_who_was_deactivated_meanwhile_is_refused(account: Account, verb: Verb) -> None:
    stale = User.objects.get(pk=account.admin.pk)
    User.objects.filter(pk=stale.pk).update(is_active=False)
    with pytest.raises(Denied):
        OPERATIONS[verb](account, stale)


def test_the_record_goes_when_what_it_records_is_rolled_back(account: Account) -> None:
    """In one transaction: neither a change without its row nor a row without its change."""
    with transaction.atomic():
        administration.create_group("New", by=account.admin)
        assert told() == [Verb.GROUP_CREATED]
        transaction.set_rollback(True)
    assert not UserGroup.objects.filter(name="New").exists()
    assert told() == []


def test_a_change_of_permissions_is_recorded_with_before_and_after(account: Account) -> None:
    administration.set_permissions(account.viewers, looking(account, BACK), by=account.admin)
    event = AuditEvent.objects.get()
    assert event.subject == "Viewers"
    assert event.before["app"] == ["Read · Deployments: production, non-production · Shop"]
    assert event.after["app"] == [
        "Rollback Workflow · Deployments: production, non-production · Shop"
    ]


def test_a_change_that_changes_nothing_is_not_recorded(account: Account) -> None:
    held = account.viewers.permissions_held
    administration.set_permissions(account.viewers, held, by=account.admin)
    administration.set_members(account.viewers, [account.member], by=account.admin)
    administration.update_group(account.viewers, name="Viewers", description="", by=account.admin)
    assert told() == []


def test_replacing_permissions_leaves_nothing_of_the_old_ones(account: Account) -> None:
    administration.set_permissions(account.viewers, NOTHING, by=account.admin)
    assert not policy.may(account.member, Right.VIEW_DEPLOYMENTS, account.production)
    assert not account.viewers.app_permissions.exists()


def test_adding_permissions_keeps_the_old_ones(account: Account) -> None:
    administration.add_permissions(account.viewers, looking(account, BACK), by=account.admin)
    assert policy.may(account.member, Right.VIEW_DEPLOYMENTS, account.production)
    assert policy.may(account.member, Right.ROLLBACK_WORKFLOW, account.production)
    assert account.viewers.app_permissions.count() == 2


def test_adding_is_not_refused_for_a_row_whose_environment_is_gone(account: Account) -> None:
    named = Row(
        PermissionType.DEPLOYMENT, frozenset({READ}), None,
        environments=frozenset({account.staging.pk}),
    )  # fmt: skip
    administration.set_permissions(account.viewers, Permissions(rows=(named,)), by=None)
    account.staging.delete()
    administration.add_permissions(account.viewers, looking(account), by=account.admin)
    assert account.viewers.app_permissions.count() == 2


def test_problems_of_what_is_added_are_counted_as_it_was_given(account: Account) -> None:
    senseless = Row(PermissionType.DEPLOYMENT, frozenset({READ}), None)
    with pytest.raises(Invalid) as refused:
        administration.add_permissions(
            account.viewers, Permissions(rows=(senseless,)), by=account.admin
        )
    assert [field for field, _ in refused.value.problems] == ["rows.0.filter"]


# ----------------------------------------------------------------- nobody gives what they lack


def give_more(account: Account, by: User) -> None:
    administration.set_permissions(account.viewers, looking(account, EXECUTE), by=by)


def give_elsewhere(account: Account, by: User) -> None:
    anywhere = Row(
        PermissionType.DEPLOYMENT, frozenset({READ}), None, frozenset({Scope.PRODUCTION})
    )
    administration.set_permissions(account.viewers, Permissions(rows=(anywhere,)), by=by)


def give_an_account_permission(account: Account, by: User) -> None:
    audits = Permissions(frozenset({AccountPermission.VIEW_AUDITS}))
    administration.add_permissions(account.viewers, audits, by=by)


def create_a_powerful_group(account: Account, by: User) -> None:
    administration.create_group("New", by=by, permissions=looking(account, EXECUTE))


def join_a_powerful_group(account: Account, by: User) -> None:
    administration.add_member(powerful(), by, by=by)


def create_somebody_powerful(account: Account, by: User) -> None:
    administration.create_user({"username": "new"}, by=by, password="x", groups=[powerful()])


def become_somebody_powerful(account: Account, by: User) -> None:
    administration.set_password(person("mighty", powerful()), "mine now", by=by)


def become_a_superuser(account: Account, by: User) -> None:
    administration.set_password(person("root", is_superuser=True), "mine now", by=by)


def bring_somebody_powerful_back(account: Account, by: User) -> None:
    administration.reactivate(person("mighty", powerful(), is_active=False), by=by)


def make_a_powerful_key(account: Account, by: User) -> None:
    administration.create_key("Robot", [powerful()], by=by, now=NOW)


def add_to_a_key(account: Account, by: User) -> None:
    key = make_key(account)
    administration.update_key(key, [account.viewers, powerful()], expires_at=None, by=by, now=NOW)


def let_a_powerful_key_live_longer(account: Account, by: User) -> None:
    end, group = NOW + timedelta(days=1), powerful()
    key, _ = administration.create_key("Robot", [group], by=None, now=NOW, expires_at=end)
    administration.update_key(key, [group], expires_at=None, by=by, now=NOW)


def bring_a_powerful_key_back(account: Account, by: User) -> None:
    end, group = NOW + timedelta(days=1), powerful()
    key, _ = administration.create_key("Robot", [group], by=None, now=NOW, expires_at=end)
    later = NOW + timedelta(days=2)
    end = NOW + timedelta(days=3)
    administration.update_key(key, [group], expires_at=end, by=by, now=later)


def powerful() -> UserGroup:
    found = UserGroup.objects.filter(name="Powerful").first()
    return found or group("Powerful", EXECUTE, account=[AccountPermission.MANAGE_CONNECTORS])


@pytest.mark.parametrize(
    "attempt",
    [
        give_more, give_elsewhere, give_an_account_permission, create_a_powerful_group,
        join_a_powerful_group, create_somebody_powerful, become_somebody_powerful,
        become_a_superuser, bring_somebody_powerful_back, make_a_powerful_key, add_to_a_key,
        let_a_powerful_key_live_longer, bring_a_powerful_key_back,
    ],
)  # fmt: skip
def test_nobody_gives_what_they_do_not_hold(
    account: Account, attempt: Callable[[Account, User], None]
) -> None:
    with pytest.raises(Denied, match=r"Nobody gives|superuser"):
        attempt(account, account.admin)
    assert AuditEvent.objects.latest("number").verb == Verb.REFUSED
    assert not grants.difference()


def test_what_a_group_has_already_may_stay_though_the_editor_lacks_it(account: Account) -> None:
    mighty = powerful()
    rows = mighty.permissions_held.rows
    without = Permissions(frozenset({AccountPermission.MANAGE_CONNECTORS}), rows)
    administration.set_permissions(mighty, without + looking(account), by=account.admin)
    assert mighty.app_permissions.count() == 2


def test_taking_away_needs_nothing_but_the_right(account: Account) -> None:
    mighty = powerful()
    somebody = person("mighty", mighty)
    administration.remove_member(mighty, somebody, by=account.admin)
    administration.set_permissions(mighty, NOTHING, by=account.admin)
    administration.delete_group(mighty, by=account.admin)
    assert policy.held_by(somebody) == NOTHING


def test_a_key_may_be_shortened_by_who_lacks_its_rights(account: Account) -> None:
    mighty = powerful()
    key, _ = administration.create_key("Robot", [mighty], by=None, now=NOW)
    end = NOW + timedelta(days=1)
    administration.update_key(key, [mighty], expires_at=end, by=account.admin, now=NOW)
    key.refresh_from_db()
    assert key.expires_at == end


def test_an_api_key_is_no_person(account: Account) -> None:
    """No membership, password or reactivation: they would outlive the key."""
    robot = make_key(account).user
    for attempt in (
        lambda: administration.add_member(account.viewers, robot, by=account.admin),
        lambda: administration.set_members(account.viewers, [robot], by=account.admin),
        lambda: administration.set_password(robot, "mine now", by=account.admin),
        lambda: administration.set_password(robot, "mine now", by=robot),
        lambda: administration.reactivate(robot, by=account.admin),
        lambda: administration.deactivate(robot, by=account.admin, now=NOW),
        lambda: administration.delete_user(robot, by=account.admin),
    ):
        with pytest.raises(Invalid):
            attempt()
    robot.refresh_from_db()
    assert not robot.has_usable_password()


def test_retyping_gives_nobody_what_the_mover_lacks(account: Account) -> None:
    group("Testers", EXECUTE, production=False)
    before, after = Place(account.shop.pk, True), Place(account.shop.pk, False)
    with pytest.raises(Denied, match=r"Testers would gain .*Execute Workflow"):
        administration.require_retype(account.production.pk, before, after, by=account.admin)
    executes = person("executes", account.admins, group("Executors", EXECUTE))
    administration.require_retype(account.production.pk, before, after, by=executes)


def test_only_a_superuser_deactivates_a_superuser(account: Account) -> None:
    root = person("root", is_superuser=True)
    with pytest.raises(Denied):
        administration.deactivate(root, by=account.admin, now=NOW)


# ------------------------------------------------------------------------- the last administrator


LAST: dict[str, Operation] = {
    "leaves the group": lambda a, by: administration.remove_member(a.admins, a.admin, by=by),
    "is left out of the members": lambda a, by: administration.set_members(a.admins, [], by=by),
    "deletes the group": lambda a, by: administration.delete_group(a.admins, by=by),
    "replaces its permissions": lambda a, by: administration.set_permissions(
        a.admins, looking(a), by=by
    ),
    "deactivates themselves": lambda a, by: administration.deactivate(a.admin, by=by, now=NOW),
    "takes their password": lambda a, by: administration.set_password(a.admin, None, by=by),
}  # fmt: skip


@pytest.mark.parametrize("how", LAST)
@pytest.mark.parametrize("is_command", [False, True], ids=["person", "command line"])
def test_the_last_administrator_stays(account: Account, how: str, is_command: bool) -> None:
    former = person("former", account.admins, is_active=False)
    nobody = person("cannot sign in", account.admins)
    nobody.set_unusable_password()
    nobody.save()
    administration.create_key("Robot", [account.admins], by=None, now=NOW)
    before, number = everything(), AuditEvent.objects.count()
    with pytest.raises(LastAdministrator, match="Nobody would be left"):
        LAST[how](account, None if is_command else account.admin)  # type: ignore[arg-type]
    assert everything() == before
    assert not former.is_active
    after = AuditEvent.objects.filter(number__gt=number)
    assert [event.verb for event in after] == ([] if is_command else [Verb.REFUSED])
    assert all(event.subject_id for event in after), "it says what it was about"


def test_the_last_administrator_is_not_deleted_either(account: Account) -> None:
    before = everything()
    with pytest.raises(LastAdministrator):
        administration.delete_user(account.admin, by=None)
    assert everything() == before
    person("other", group("Others", account=ADMINISTERING))
    administration.delete_user(account.admin, by=None)
    assert not User.objects.filter(username="admin").exists()


@pytest.mark.parametrize("how", LAST)
def test_one_of_two_administrators_may_go(account: Account, how: str) -> None:
    person("other", group("Others", account=ADMINISTERING))
    LAST[how](account, account.admin)
    assert not grants.difference()


def test_a_superuser_counts_as_an_administrator(account: Account) -> None:
    person("root", is_superuser=True)
    administration.remove_member(account.admins, account.admin, by=account.admin)


def test_where_there_never_was_an_administrator_nothing_is_refused_for_it(db: None) -> None:
    made = administration.create_group("New", by=None)
    administration.delete_group(made, by=None)


def test_a_name_is_taken_once(account: Account) -> None:
    for attempt in (
        lambda: administration.create_group("Viewers", by=account.admin),
        lambda: administration.update_group(
            account.admins, name="Viewers", description="", by=account.admin
        ),
        lambda: administration.create_group(" ", by=account.admin),
        lambda: administration.create_user({"username": "member"}, by=account.admin),
        lambda: administration.create_user({"username": "no spaces"}, by=account.admin),
    ):
        with pytest.raises(Invalid):
            attempt()
    assert told() == [], "what makes no sense is no refusal"


def test_who_left_traces_is_deactivated_instead_of_deleted(account: Account) -> None:
    administration.set_password(account.member, "my own", by=account.member)
    with pytest.raises(Invalid, match="deactivate instead"):
        administration.delete_user(account.member, by=account.admin)
