"""User groups: their names, what they may do, and who is in them."""

from collections.abc import Collection

from accounts import audit, grants, wording
from accounts.administration.change import MANAGE, Invalid, change, require_held, stored_group
from accounts.models import SCOPE_OF_FIELD, ApiKey, AppPermission, User, UserGroup
from accounts.rows import NOTHING, Permissions, Row
from accounts.vocabulary import Verb


def create_group(
    name: str, *, by: User | None, description: str = "", permissions: Permissions = NOTHING,
    members: Collection[User] = (),
) -> UserGroup:  # fmt: skip
    """A new group. Raises Denied, Invalid."""
    group = UserGroup(name=name.strip(), description=description)
    with change(by, Verb.GROUP_CREATED, group, MANAGE):
        _check_group(group)
        group.save()
        after = {"name": group.name, "description": description}
        audit.record(Verb.GROUP_CREATED, actor=by, subject=group, after=after)
        if permissions != NOTHING:
            _set_permissions(group, permissions, by)
        if members:
            _set_members(group, members, by)
    return group


def update_group(group: UserGroup, *, name: str, description: str, by: User | None) -> None:
    """Name and description. Raises Denied, Invalid."""
    with change(by, Verb.GROUP_CHANGED, group, MANAGE):
        stored = UserGroup.objects.get(pk=group.pk)
        before = {"name": stored.name, "description": stored.description}
        after = {"name": name.strip(), "description": description}
        if before == after:
            return
        stored.name, stored.description = after["name"], description
        _check_group(stored)
        stored.save(update_fields=["name", "description"])
        group.name, group.description = stored.name, description
        audit.record(Verb.GROUP_CHANGED, actor=by, subject=stored, before=before, after=after)


def _check_group(group: UserGroup) -> None:
    if not group.name or len(group.name) > 150:
        raise Invalid(("name", "Give the group a name of at most 150 characters."))
    if len(group.description) > 200:
        raise Invalid(("description", "Describe the group in at most 200 characters."))
    if type(group).objects.filter(name=group.name).exclude(pk=group.pk).exists():
        raise Invalid(("name", f"There is a user group named {group.name} already."))


def delete_group(group: UserGroup, *, by: User | None) -> None:
    """The group and what it gave. Raises Denied, LastAdministrator."""
    with change(by, Verb.GROUP_DELETED, group, MANAGE):
        stored = stored_group(group)
        before = {**wording.as_data(stored.permissions_held), "members": _usernames(stored)}
        audit.record(Verb.GROUP_DELETED, actor=by, subject=stored, before=before)
        # Not `group`, which would lose its key though a refusal brings it back.
        stored.delete()


def set_permissions(group: UserGroup, permissions: Permissions, *, by: User | None) -> None:
    """Replace all the group may do. Raises Denied, Invalid, LastAdministrator."""
    with change(by, Verb.PERMISSIONS_CHANGED, group, MANAGE):
        _set_permissions(group, permissions, by)


def add_permissions(group: UserGroup, more: Permissions, *, by: User | None) -> None:
    """Add to what the group may do. Raises as `set_permissions`."""
    with change(by, Verb.PERMISSIONS_CHANGED, group, MANAGE):
        held = stored_group(group).permissions_held
        account = held.account | more.account
        # Here, where problems can still be counted as they were given.
        check(Permissions(account, more.rows), kept=held.rows)
        rows = tuple(dict.fromkeys([*held.rows, *more.rows]))
        _set_permissions(group, Permissions(account, rows), by)


def _set_permissions(group: UserGroup, permissions: Permissions, by: User | None) -> None:
    stored = stored_group(group)
    before = stored.permissions_held
    if before.says_the_same(permissions):
        return
    check(permissions, kept=before.rows)
    require_held(by, permissions, kept=before)
    stored.account_permissions = sorted(each.value for each in permissions.account)
    stored.save(update_fields=["account_permissions"])
    group.account_permissions = stored.account_permissions
    _write_rows(stored, before.rows, permissions.rows)
    grants.materialise(group=stored)
    audit.record(
        Verb.PERMISSIONS_CHANGED,
        actor=by,
        subject=stored,
        before=wording.as_data(before),
        after=wording.as_data(permissions),
    )


def check(permissions: Permissions, kept: Collection[Row] = ()) -> None:
    """Raise Invalid with everything that makes no sense in them.

    Rows that are there already may stay: when all that one chose was deleted it covers nothing.
    """
    problems = list(permissions.problems())
    catalogue = grants.catalogue_of(permissions.rows)
    for index, row in enumerate(permissions.rows):
        if row in kept:
            continue
        found = list(row.problems())
        if row.strangers(catalogue):
            what = "Some of what is chosen belongs to an application that is not chosen."
            found.append(("filter", what))
        problems += [(f"rows.{index}.{field}", sentence) for field, sentence in found]
    if problems:
        raise Invalid(*problems)


def _write_rows(group: UserGroup, before: Collection[Row], after: Collection[Row]) -> None:
    """Delete and add what differs; rows that stay keep their identity."""
    going = list(before)
    coming = []
    for row in after:
        if row in going:
            going.remove(row)
        else:
            coming.append(row)
    for stored in group.app_permissions.all():
        if stored.row in going:
            going.remove(stored.row)
            AppPermission.objects.filter(pk=stored.pk).delete()
    for row in coming:
        made = AppPermission.objects.create(
            user_group=group,
            permission_type=row.permission_type,
            actions=sorted(action.value for action in row.actions),
            all_applications=row.applications is None,
            **{name: scope in row.scopes for name, scope in SCOPE_OF_FIELD.items()},
        )
        made.applications.set(row.applications or ())
        made.environments.set(row.environments)
        made.services.set(row.services)


def set_members(group: UserGroup, members: Collection[User], *, by: User | None) -> None:
    """Who is in the group, API keys aside. Raises Denied, Invalid, LastAdministrator."""
    with change(by, Verb.MEMBERS_CHANGED, group, MANAGE):
        _set_members(group, members, by)


def add_member(group: UserGroup, user: User, *, by: User | None) -> None:
    """Raises Denied, Invalid."""
    with change(by, Verb.MEMBERS_CHANGED, group, MANAGE):
        join(group, user, by)


def remove_member(group: UserGroup, user: User, *, by: User | None) -> None:
    """Raises Denied, LastAdministrator."""
    with change(by, Verb.MEMBERS_CHANGED, group, MANAGE):
        _set_members(group, set(_people(group)) - {user}, by)


def _set_members(group: UserGroup, members: Collection[User], by: User | None) -> None:
    before, after = set(_people(group)), set(members)
    if before == after:
        return
    if coming := after - before:
        _check_people(coming)
        require_held(by, stored_group(group).permissions_held)
    group.user_set.add(*(after - before))
    group.user_set.remove(*(before - after))
    audit.record(
        Verb.MEMBERS_CHANGED,
        actor=by,
        subject=group,
        before=sorted(user.username for user in before),
        after=sorted(user.username for user in after),
    )


def _check_people(users: Collection[User]) -> None:
    """API keys get their groups where their keys are kept, by another right."""
    if ApiKey.objects.filter(user__in=users).exists():
        raise Invalid(("members", "Choose people: an API key gets its groups with the key."))


def join(group: UserGroup, user: User, by: User | None) -> None:
    """Put somebody into the group, inside another change."""
    _set_members(group, {*_people(group), user}, by)


def _people(group: UserGroup) -> Collection[User]:
    return list(User.people.filter(groups=group.pk))


def _usernames(group: UserGroup) -> list[str]:
    return sorted(user.username for user in _people(group))
