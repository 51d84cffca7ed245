"""Whether the quotas of an organization and of a space have room for what is to come.

What the Cloud Controller compares is in its published API (organization and space quotas, usage
summaries). Of log rates it tells no sum: those of all apps that we can see are added up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from rollbacks.platforms.pcf.apps import STARTED
from rollbacks.platforms.pcf.calls import Looks
from rollbacks.platforms.pcf.loads import LOG_RATE, MEMORY, NONE, Load, Sizes

_UNITS = {  # where a quota says how much, where a usage summary says how much there is, and of what
    "memory": ("apps", "total_memory_in_mb", "memory_in_mb", "MB of memory"),
    "instances": ("apps", "total_instances", "started_instances", "instances"),
    "log_rate": ("apps", LOG_RATE, "", "bytes of logs a second"),
    "routes": ("routes", "total_routes", "routes", "routes"),
}
assert set(_UNITS) == {each.name for each in fields(Load)}


class Quotas:
    """Those that are in force in the space of a target."""

    def __init__(self, looks: Looks) -> None:
        self._every = list(_found(looks))

    def too_large(self, sizes: Mapping[str, Sizes]) -> Iterator[str]:
        """What one instance of a type may not be, however few there are."""
        for quota in self._every:
            for kind, each in sizes.items():
                yield from quota.too_large(kind, each)

    def too_much(self, what: str, coming: Load, leaving: Load = NONE) -> Iterator[str]:
        """Where the limits are lower than what there would be with `what`."""
        for quota in self._every:
            for name in _UNITS:
                if getattr(coming, name) > 0:
                    yield from quota.too_much(what, name, getattr(coming - leaving, name))


@dataclass(frozen=True)
class _Quota:
    """`whose`: as people know it; `at`: its path; `filter`: of what is in it."""

    whose: str
    at: str
    filter: Mapping[str, str]
    described: Mapping[str, Any] = field(repr=False)
    looks: Looks = field(repr=False)

    def too_large(self, kind: str, sizes: Sizes) -> Iterator[str]:
        apps = self.described.get("apps") or {}
        most, takes = apps.get("per_process_memory_in_mb"), sizes.get(MEMORY)
        if most is not None and takes is not None and takes > most:
            yield (
                f"An instance of {kind} takes {takes} MB of memory, and the quota of {self.whose} "
                f"allows {most}"
            )
        if apps.get(LOG_RATE) is not None and sizes.get(LOG_RATE) == -1:
            yield (
                f"Instances of {kind} log without a limit, which the quota of {self.whose} does "
                "not allow: they need a log-rate-limit-per-second"
            )

    def too_much(self, what: str, name: str, more: int) -> Iterator[str]:
        part, limited, used, unit = _UNITS[name]
        limit = (self.described.get(part) or {}).get(limited)
        if limit is None:
            return
        now = self._usage.get(used) if used else self._log_rate
        if now is not None and now + more > limit:  # older foundations do not tell everything
            yield (
                f"{what} there would be {now + more} {unit}; the quota of {self.whose} allows "
                f"{limit}, and {now} are there now"
            )

    @cached_property
    def _usage(self) -> Mapping[str, int]:
        found = self.looks.api.find(f"{self.at}/usage_summary") or {}
        return found.get("usage_summary") or {}

    @cached_property
    def _log_rate(self) -> int:
        """At least so much: of tasks, and of what we cannot see, nothing is known."""
        api = self.looks.api
        apps = api.pages("/v3/apps", **self.filter)
        started = {str(each["guid"]) for each in apps if each["state"] == STARTED}
        return sum(
            int(each["instances"]) * max(0, int(each.get(LOG_RATE) or 0))
            for each in api.pages("/v3/processes", **self.filter)
            if each["relationships"]["app"]["data"]["guid"] in started
        )


def _found(looks: Looks) -> Iterator[_Quota]:
    """Of the organization, and of the space where it has one of its own."""
    names = looks.target.settings
    for kind, described, key in (
        ("organization", looks.organization, "organization_guids"),
        ("space", looks.space, "space_guids"),
    ):
        own = (described["relationships"].get("quota") or {}).get("data")
        quota = looks.api.find(f"/v3/{kind}_quotas/{own['guid']}") if own else None
        if quota is not None:
            guid = str(described["guid"])
            whose = f"the {kind} {names[kind]}"
            yield _Quota(whose, f"/v3/{kind}s/{guid}", {key: guid}, quota, looks)
