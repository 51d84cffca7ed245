"""Makes guardian's object permissions from the rows people edit, and says where they differ.

They are what pages ask, in one query for any number of environments. Written here and nowhere
else, always with the audit head locked, so that a row and an environment that are saved at the
same time still find each other.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Model, QuerySet

from accounts import audit
from accounts.models import ApplicationGrant, AppPermission, EnvironmentGrant, UserGroup
from accounts.rows import Catalogue, Permissions, Place, Row
from accounts.vocabulary import RIGHTS_OF_ACTION, PermissionType, Right, Verb

VIEW_APPLICATION = "view_application"
LABELS = {**dict(Right.choices), VIEW_APPLICATION: "View application"}
# One may be given tens of thousands of grants at once; SQLite takes some 30,000 values a query.
BATCH = 5_000

Key = tuple[int, int, str]
"""(group, environment or application, codename)"""


@dataclass(frozen=True)
class Difference:
    """What the object permissions lack, and have too much, compared with the rows."""

    missing: Mapping[type[Model], frozenset[Key]]
    surplus: Mapping[type[Model], frozenset[Key]]

    def __bool__(self) -> bool:
        return any(self.missing.values()) or any(self.surplus.values())

    def sentences(self) -> Iterator[str]:
        """One for each grant, with names."""
        groups = dict(UserGroup.objects.values_list("pk", "name"))
        for word, side in (("missing", self.missing), ("surplus", self.surplus)):
            for grants, keys in side.items():
                names = _names(grants, {pk for _, pk, _ in keys})
                for group, pk, codename in sorted(keys):
                    yield f"{word}: {groups.get(group, group)}: {codename} on {names.get(pk, pk)}"


def difference(
    *,
    group: UserGroup | None = None,
    application: Model | None = None,
    environment: Model | None = None,
) -> Difference:
    """Compare all of them, or those of one group, application or environment."""
    environments = _subject(EnvironmentGrant).objects.order_by()
    applications = _subject(ApplicationGrant).objects.order_by()
    if environment is not None:
        environments = environments.filter(pk=environment.pk)
        applications = applications.filter(environments=environment.pk)
    if application is not None:
        environments = environments.filter(application=application.pk)
        applications = applications.filter(pk=application.pk)
    concrete = _concrete_rows(group)
    wanted = {
        EnvironmentGrant: _wanted_of_environments(concrete, places(environments)),
        ApplicationGrant: _wanted_of_applications(concrete, applications),
    }
    found = {
        EnvironmentGrant: _found(EnvironmentGrant, group, environments),
        ApplicationGrant: _found(ApplicationGrant, group, applications),
    }
    return Difference(
        {grants: frozenset(wanted[grants] - found[grants]) for grants in wanted},
        {grants: frozenset(found[grants] - wanted[grants]) for grants in wanted},
    )


@transaction.atomic
def materialise(
    *,
    group: UserGroup | None = None,
    application: Model | None = None,
    environment: Model | None = None,
) -> Difference:
    """Make them what the rows say, all or those named; what was mended."""
    audit.lock()
    found = difference(group=group, application=application, environment=environment)
    if not found:
        return found
    permissions = {
        permission.codename: permission.pk
        for permission in Permission.objects.filter(
            content_type__app_label="dashboard",
            codename__in=[*(right.value for right in Right), VIEW_APPLICATION],
        )
    }
    for grants, keys in found.surplus.items():
        _delete(grants, keys, permissions)
    for grants, keys in found.missing.items():
        grants._default_manager.bulk_create(
            (
                grants(group_id=owner, content_object_id=pk, permission_id=permissions[codename])
                for owner, pk, codename in sorted(keys)
            ),
            batch_size=BATCH,
        )
    return found


def follow(
    subject: Model, *, application: Model | None = None, environment: Model | None = None
) -> None:
    """After a change of the catalogue: materialise, and record it if anybody gained or lost."""
    found = materialise(application=application, environment=environment)
    if found:
        audit.record(
            Verb.GRANTS_CHANGED,
            actor=audit.origin().actor,
            subject=subject,
            before=_by_group(found.surplus),
            after=_by_group(found.missing),
        )


def places(environments: QuerySet[Any]) -> dict[int, Place]:
    """Where each of them stands, in one query."""
    rows = environments.values_list("pk", "application", "environment_type")
    return {pk: Place(application, kind == "PRODUCTION") for pk, application, kind in rows}


def catalogue_of(rows: Iterable[Row]) -> Catalogue:
    """Where the environments and services named in these rows stand, in two queries."""
    environments = {each for row in rows for each in row.environments}
    services = {each for row in rows for each in row.services}
    named = _subject(EnvironmentGrant).objects.filter(pk__in=environments).order_by()
    of_services = apps.get_model("dashboard", "Service").objects.filter(pk__in=services)
    return Catalogue(
        places(named) if environments else {},
        dict(of_services.order_by().values_list("pk", "application")) if services else {},
    )


def rights_in(permissions: Permissions, environment: int, place: Place) -> frozenset[Right]:
    """What these permissions let their holder do in an environment that stands there."""
    return frozenset(
        right
        for row in permissions.concrete()
        if row.permission_type == PermissionType.DEPLOYMENT and row.covers(environment, place)
        for action in row.actions
        for right in RIGHTS_OF_ACTION[action]
    )


def _subject(grants: type[Model]) -> Any:
    """The model the grants are about."""
    return grants._meta.get_field("content_object").related_model


def _names(grants: type[Model], pks: Set[int]) -> dict[int, str]:
    model = _subject(grants)
    found = model.objects.filter(pk__in=pks)
    if grants is EnvironmentGrant:
        found = found.select_related("application")
    return {each.pk: str(each) for each in found}


def _concrete_rows(group: UserGroup | None) -> list[tuple[int, Row]]:
    rows = AppPermission.objects.with_choices()
    if group is not None:
        rows = rows.filter(user_group=group)
    return [(each.user_group_id, row) for each in rows for row in each.row.concrete()]


def _wanted_of_environments(
    concrete: list[tuple[int, Row]], environments: Mapping[int, Place]
) -> set[Key]:
    wanted: set[Key] = set()
    for group, row in concrete:
        if row.permission_type != PermissionType.DEPLOYMENT:
            continue
        codenames = {right.value for action in row.actions for right in RIGHTS_OF_ACTION[action]}
        for pk, place in environments.items():
            if row.covers(pk, place):
                wanted.update((group, pk, codename) for codename in codenames)
    return wanted


def _wanted_of_applications(
    concrete: list[tuple[int, Row]], applications: QuerySet[Any]
) -> set[Key]:
    catalogue = catalogue_of([row for _, row in concrete])
    pks = frozenset(applications.values_list("pk", flat=True))
    return {
        (group, pk, VIEW_APPLICATION)
        for group, row in concrete
        for pk in row.visible_applications(pks, catalogue)
    }


def _found(grants: type[Model], group: UserGroup | None, within: QuerySet[Any]) -> set[Key]:
    rows = grants._default_manager.filter(content_object__in=within.values("pk"))
    if group is not None:
        rows = rows.filter(group=group.pk)
    return set(rows.values_list("group", "content_object", "permission__codename"))


def _delete(grants: type[Model], keys: frozenset[Key], permissions: Mapping[str, int]) -> None:
    by_owner: dict[tuple[int, str], list[int]] = {}
    for owner, pk, codename in keys:
        by_owner.setdefault((owner, codename), []).append(pk)
    for (owner, codename), pks in by_owner.items():
        for start in range(0, len(pks), BATCH):
            grants._default_manager.filter(
                group=owner,
                permission=permissions[codename],
                content_object__in=pks[start : start + BATCH],
            ).delete()


def _by_group(side: Mapping[type[Model], frozenset[Key]]) -> dict[str, str]:
    """What each group gains or loses by it, in words."""
    names = dict(UserGroup.objects.values_list("pk", "name"))
    found: dict[str, set[str]] = {}
    for keys in side.values():
        for group, _, codename in keys:
            found.setdefault(names[group], set()).add(LABELS[codename])
    return {name: ", ".join(sorted(labels)) for name, labels in sorted(found.items())}
