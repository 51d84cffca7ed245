"""Lists as the field's API writes them: nodes, and which part of how many (reference 4.1)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import strawberry
from django.db.models import QuerySet

from accounts.api import BadUserInput, Info, field
from accounts.needs import VISIBLE

MOST = 100
Node = TypeVar("Node")


@strawberry.type
class PageInfo:
    """Which part of the list this is."""

    limit: int
    offset: int
    has_more: bool
    found: strawberry.Private[Sequence[Any] | QuerySet[Any]]

    @field(VISIBLE)
    def total(self) -> int:
        """How many there are that you may see; counted only where it is asked for."""
        return self.found.count() if isinstance(self.found, QuerySet) else len(self.found)


@strawberry.type
class Connection(Generic[Node]):
    """A part of a list."""

    nodes: list[Node]
    page_info: PageInfo


def page(
    info: Info,
    found: Sequence[Any] | QuerySet[Any],
    show: Callable[[list[Any]], list[Node]],
    limit: int,
    offset: int,
) -> Connection[Node]:
    """The part of the list; `show` turns what is on it into nodes, all together."""
    if not 1 <= limit <= MOST:
        raise BadUserInput(f"limit is {limit}; choose 1 to {MOST} and go on with offset.")
    if not 0 <= offset < 2**31:
        raise BadUserInput(f"offset is {offset}; it counts from 0.")
    rows = list(found[offset : offset + limit + 1])
    info.context.allowance.spend(len(rows[:limit]))
    return Connection(
        nodes=show(rows[:limit]),
        page_info=PageInfo(limit=limit, offset=offset, has_more=len(rows) > limit, found=found),
    )


class Peers:
    """What is on a list together loads what belongs to it together: one query for all of it."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._pks = {each.pk for each in items}
        self._related: dict[str, tuple[Mapping[int, list[Any]], Peers]] = {}

    def related(
        self, pk: int, name: str, load: Callable[[Collection[int]], Mapping[int, list[Any]]]
    ) -> tuple[list[Any], "Peers"]:
        """What one of them has under this name, and the peers of that."""
        if name not in self._related:
            found = load(self._pks)
            self._related[name] = found, Peers(each for some in found.values() for each in some)
        found, peers = self._related[name]
        return found.get(pk, []), peers
