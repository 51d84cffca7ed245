"""Reads the permissions somebody sent. Whether they make sense is `administration.check`'s to say.

Said here is only what a `Row` cannot hold: filters of another type, ids that stand for nothing,
and every application together with some.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from accounts import administration
from accounts.administration import Invalid
from accounts.api import key_of
from accounts.choices import nameable
from accounts.models import User
from accounts.rows import Permissions, Row, Scope
from accounts.schema.permissions import (
    ApplicationFilterInput,
    AppPermissionInput,
    UserGroupPermissionsInput,
)
from accounts.schema.refusals import Path, Problem, in_input, wrong
from accounts.vocabulary import PermissionType

FILTER_OF = {
    PermissionType.ALL: "deployments",
    PermissionType.SERVICE: "services",
    PermissionType.ENV: "environments",
    PermissionType.WORKFLOW: "workflows",
    PermissionType.PIPELINE: "pipelines",
    PermissionType.PROVISIONER: "provisioners",
    PermissionType.DEPLOYMENT: "deployments",
    PermissionType.TEMPLATE: "templates",
}
FILTERS = tuple(dict.fromkeys(FILTER_OF.values()))
NOT_HERE = {"provisioners", "templates"}
MODEL_OF = {
    "applications": "Application",
    "services": "Service",
    **dict.fromkeys(("environments", "workflows", "pipelines", "deployments"), "Environment"),
}
PathOf = Callable[[str], Path]


def read(
    sent: UserGroupPermissionsInput, actor: User, had: Permissions, at: Path, *, adds: bool = False
) -> tuple[Permissions, PathOf]:
    """What was sent as plain values, and where in the call each of their fields stands.

    Raises BadUserInput with everything that is wrong. `had` is what the group has: what that names
    may be named by who does not see it too, and counts with what is sent if that only adds.
    """
    account = sent.account_permissions and sent.account_permissions.account_permission_types
    rows = sent.app_permissions or []
    reader = _Reader(rows, actor, had)
    permissions = Permissions(
        frozenset(account or ()),
        tuple(reader.row(each, (*at, "appPermissions", index)) for index, each in enumerate(rows)),
    )
    path_of = _places(permissions, at)
    whole = replace(permissions, account=permissions.account | had.account) if adds else permissions
    problems = reader.problems
    told = {path for path, _ in problems}
    problems += [each for each in _nonsense(whole, path_of) if each[0] not in told]
    if problems:
        raise wrong(problems)
    return permissions, path_of


def _places(permissions: Permissions, at: Path) -> PathOf:
    """Where in the call a field stands that `administration` names."""

    def path_of(name: str) -> Path:
        if name == "account_permissions":
            return (*at, "accountPermissions", "accountPermissionTypes")
        if not name.startswith("rows."):
            return in_input(name)
        _, number, part = name.split(".", 2)
        kind = permissions.rows[int(number)].permission_type
        return (*at, "appPermissions", int(number), FILTER_OF[kind] if part == "filter" else part)

    return path_of


def _nonsense(permissions: Permissions, path_of: PathOf) -> Iterator[Problem]:
    try:
        administration.check(permissions)
    except Invalid as invalid:
        for name, sentence in invalid.problems:
            yield path_of(name), sentence


class _Reader:
    """Reads rows and collects what is wrong; asks for the ids of all of them at once."""

    def __init__(self, rows: Iterable[AppPermissionInput], actor: User, had: Permissions) -> None:
        self.problems: list[Problem] = []
        rows = list(rows)
        self._known = {
            model: nameable(actor, model, _ids(rows, model), had.rows)
            for model in sorted(set(MODEL_OF.values()))
        }

    def row(self, sent: AppPermissionInput, at: Path) -> Row:
        kind = sent.permission_type
        name = FILTER_OF[kind]
        for other in FILTERS:
            if other != name and getattr(sent, other) is not None:
                what = f"This is not a filter of type {kind.value}, which takes {name}."
                self.problems.append(((*at, other), what))
        chosen = getattr(sent, name)
        ids = self._keys(name, chosen, (*at, name))
        is_open = chosen is None and kind == PermissionType.ALL
        return Row(
            kind,
            frozenset(sent.actions or ()),
            self._applications(sent.applications, (*at, "applications")),
            frozenset({Scope.EVERYTHING}) if is_open else _scopes(chosen),
            services=ids if kind == PermissionType.SERVICE else frozenset(),
            environments=ids if kind != PermissionType.SERVICE else frozenset(),
        )

    def _applications(self, sent: ApplicationFilterInput | None, at: Path) -> frozenset[int] | None:
        keys = self._keys("applications", sent, at)
        if sent is None or sent.filter_type is None:
            return keys
        if sent.ids:
            self.problems.append((at, "Send filterType: ALL or appIds, not both."))
        return None

    def _keys(self, name: str, chosen: Any, at: Path) -> frozenset[int]:
        """The primary keys that the ids of a filter stand for."""
        ids: list[str] = (chosen.ids if chosen else None) or []
        if ids and name in NOT_HERE:
            what = f"Lastgood has no {name}, so none can be chosen. Send filterType: ALL."
            self.problems.append((at, what))
            return frozenset()
        known = self._known[MODEL_OF[name]] if ids else set()
        if unknown := [each for each in ids if key_of(each) not in known]:
            what = f"There is no such {MODEL_OF[name].lower()} that you may see"
            self.problems.append((at, f"{what}: {', '.join(unknown)}. Check the ids."))
        return frozenset(known & {key_of(each) for each in ids})


def _ids(rows: Iterable[AppPermissionInput], model: str) -> set[int]:
    """The primary keys that could be meant by any id of the model's filters."""
    names = [name for name, of in MODEL_OF.items() if of == model]
    chosen = [getattr(row, name) for row in rows for name in names]
    return {key_of(each) for each in chain(*(some.ids or () for some in chosen if some))}


def _scopes(chosen: Any) -> frozenset[Scope]:
    if chosen is None:
        return frozenset()
    types = getattr(chosen, "filter_types", None) or [getattr(chosen, "filter_type", None)]
    return frozenset(each.value for each in types if each)
