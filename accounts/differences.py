"""What a change of permissions gives and what it takes, as the fewest rows that say it.

Compared by what may be done, not by how it is written: a row that another one covers is no loss.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts import grants
from accounts.rows import Atom, Permissions, Row, Scope
from accounts.vocabulary import Action, PermissionType


@dataclass(frozen=True)
class Change:
    """What somebody with the one and then the other permissions gains and loses."""

    gained: Permissions
    lost: Permissions

    @property
    def is_empty(self) -> bool:
        return self.gained == self.lost == Permissions()


def change(before: Permissions, after: Permissions) -> Change:
    """From one to the other, in two queries."""
    catalogue = grants.catalogue_of([*before.rows, *after.rows])
    gained, lost = after.beyond(before, catalogue), before.beyond(after, catalogue)
    return Change(
        Permissions(gained.account, tuple(_rows(gained.atoms))),
        Permissions(lost.account, tuple(_rows(lost.atoms))),
    )


Where = tuple[PermissionType, int | None, Scope | int]
Alike = tuple[PermissionType, int | None, frozenset[Action]]


def _rows(atoms: Iterable[Atom]) -> list[Row]:
    """The atoms put together: by actions first, then by what these are about."""
    actions: dict[Where, set[Action]] = {}
    for atom in atoms:
        where = (atom.permission_type, atom.application, atom.where)
        actions.setdefault(where, set()).add(atom.action)
    things: dict[Alike, set[Scope | int]] = {}
    for (kind, application, thing), some in actions.items():
        things.setdefault((kind, application, frozenset(some)), set()).add(thing)
    rows = [_row(*alike, frozenset(some)) for alike, some in things.items()]
    return sorted(rows, key=lambda row: (row.permission_type, sorted(row.actions)))


def _row(
    kind: PermissionType,
    application: int | None,
    actions: frozenset[Action],
    things: frozenset[Scope | int],
) -> Row:
    named = frozenset(each for each in things if isinstance(each, int))
    is_service = kind == PermissionType.SERVICE
    return Row(
        kind,
        actions,
        None if application is None else frozenset({application}),
        frozenset(each for each in things if isinstance(each, Scope)),
        services=named if is_service else frozenset(),
        environments=frozenset() if is_service else named,
    )
