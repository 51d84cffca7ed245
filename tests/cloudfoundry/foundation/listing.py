"""Lists: filtered, sorted, and given page by page."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from . import records as r
from .calls import Answer, Call
from .labels import selects
from .problems import bad_parameter

Json = dict[str, Any]
R = TypeVar("R", bound=r.Record)
Filters = Mapping[str, Callable[[R], Any]]  # a value, or a set of them
_ALWAYS = {"page", "per_page", "order_by", "guids", "label_selector"}
_ORDERS: Mapping[str, Callable[[Any], Any]] = {
    "created_at": lambda record: record.created,
    "updated_at": lambda record: record.updated,
    "name": lambda record: record.name,
    "state": lambda record: record.state,
}


def listed(
    call: Call,
    records: Sequence[R],
    present: Callable[[R], Json],
    filters: Filters[R] | None = None,
    *,
    other: Sequence[str] = (),
    included: Callable[[Sequence[R]], Json] | None = None,
) -> Answer:
    """One page of them; `other`: parameters that the caller of this looks after."""
    filters = filters or {}
    _require_known(call, {*_ALWAYS, *filters, *other})
    found = [each for each in records if _passes(call, each, filters)]
    found = _ordered(call, found)
    page, size = _number(call, "page", 1, 2**31), _number(call, "per_page", 50, 5000)
    shown = found[(page - 1) * size : page * size]
    body: Json = {
        "pagination": _pagination(call, len(found), page, size),
        "resources": [present(each) for each in shown],
    }
    if included is not None and (more := included(shown)):
        body["included"] = more
    return Answer(body=body)


def _require_known(call: Call, known: set[str]) -> None:
    if unknown := sorted(set(call.query) - known):
        listed_ = ", ".join(f"'{each}'" for each in unknown)
        valid = ", ".join(f"'{each}'" for each in sorted(known))
        raise bad_parameter(f"Unknown query parameter(s): {listed_}. Valid parameters are: {valid}")


def _passes(call: Call, record: R, filters: Filters[R]) -> bool:
    for name, value_of in {"guids": lambda each: each.guid, **filters}.items():
        if name in call.query:
            value = value_of(record)
            values = value if isinstance(value, set) else {value}
            if not values & set(call.query[name].split(",")):
                return False
    return selects(call.query.get("label_selector", ""), record.labels)


def _ordered(call: Call, records: list[R]) -> list[R]:
    order = call.query.get("order_by", "created_at")
    if (key := _ORDERS.get(order.lstrip("+-"))) is None:
        raise bad_parameter("Order by can only be: 'created_at', 'updated_at', 'name', 'state'")
    return sorted(records, key=key, reverse=order.startswith("-"))


def _number(call: Call, name: str, default: int, most: int) -> int:
    given = call.query.get(name, str(default))
    if not given.isdigit() or not 1 <= int(given) <= most:
        label = name.replace("_", " ").capitalize()
        raise bad_parameter(f"{label} must be between 1 and {most}")
    return int(given)


def _pagination(call: Call, total: int, page: int, size: int) -> Json:
    pages = max(1, math.ceil(total / size))

    def link(number: int) -> Json:
        query = {**call.query, "page": str(number), "per_page": str(size)}
        return {"href": f"{call.state.url}{call.path}?{urlencode(query)}"}

    return {
        "total_results": total,
        "total_pages": pages,
        "first": link(1),
        "last": link(pages),
        "next": link(page + 1) if page < pages else None,
        "previous": link(page - 1) if page > 1 else None,
    }
