"""Quotas: what running processes and routes of an organization and of a space may take together."""

from dataclasses import replace

from . import records as r
from .problems import unprocessable
from .state import State


def require_room(
    state: State, process: r.Process, instances: int, memory: int, log_rate: int | None = None
) -> None:
    """For a process that is to run so; raises Refused in the words of the one that is exceeded.

    The other processes of its app run, or are to run with it.
    """
    space = state.space_of(process)
    org = state.get(r.Organization, space.org)
    others = [each for each in _running(state, org, process.app) if each.guid != process.guid]
    within = [each for each in others if state.space_of(each) is space]
    rate = process.log_rate if log_rate is None else log_rate
    wanted = replace(process, instances=instances, memory=memory, log_rate=rate)
    for quota, rivals, prefix, place in (
        (state.find(r.Quota, space.quota), within, "space_", space),
        (state.get(r.Quota, org.quota), others, "", org),
    ):
        if quota is not None:
            _check(quota, rivals, wanted, prefix)
            _check_logs(quota, rivals, wanted, place)


def require_route(state: State, space: r.Space) -> None:
    """For one more; raises Refused."""
    org = state.get(r.Organization, space.org)
    every = [each for each in state.all(r.Route) if _org_of(state, each) == org.guid]
    within = [each for each in every if each.space == space.guid]
    of_space = state.find(r.Quota, space.quota)
    if of_space is not None and _exceeds(len(within) + 1, of_space.total_routes):
        raise unprocessable(f"Routes quota exceeded for space '{space.name}'.")
    if _exceeds(len(every) + 1, state.get(r.Quota, org.quota).total_routes):
        raise unprocessable(f"Routes quota exceeded for organization '{org.name}'.")


def _org_of(state: State, route: r.Route) -> str:
    return state.get(r.Space, route.space).org


def used(state: State, org: r.Organization, space: r.Space | None = None) -> tuple[int, int]:
    """Instances and megabytes of what runs in an organization, or in one of its spaces."""
    found = _running(state, org)
    within = [each for each in found if space is None or state.space_of(each) is space]
    memory = sum(each.memory * each.instances for each in within)
    return sum(each.instances for each in within), memory


def _check(quota: r.Quota, rivals: list[r.Process], wanted: r.Process, prefix: str) -> None:
    every = [*rivals, wanted]
    if _exceeds(sum(each.memory * each.instances for each in every), quota.total_memory):
        raise unprocessable(f"memory {prefix}quota_exceeded")
    if _exceeds(wanted.memory, quota.per_process_memory):
        raise unprocessable(f"memory {prefix}instance_memory_limit_exceeded")
    if _exceeds(sum(each.instances for each in every), quota.total_instances):
        raise unprocessable(f"app_instance_limit {prefix}app_instance_limit_exceeded")


def _check_logs(
    quota: r.Quota, rivals: list[r.Process], wanted: r.Process, place: r.Space | r.Organization
) -> None:
    kind = "space" if isinstance(place, r.Space) else "organization"
    if quota.log_rate is not None and wanted.log_rate == -1:
        raise unprocessable(f"log_rate_limit cannot be unlimited in {kind} '{place.name}'.")
    if _exceeds(sum(e.log_rate * e.instances for e in (*rivals, wanted)), quota.log_rate):
        raise unprocessable(f"log_rate_limit exceeds {kind} log rate quota")


def _exceeds(wanted: int, limit: int | None) -> bool:
    return limit is not None and wanted > limit


def _running(state: State, org: r.Organization, app: str | None = None) -> list[r.Process]:
    """What runs in an organization, and the processes of that app in any case."""
    inside = [each for each in state.all(r.Process) if state.space_of(each).org == org.guid]
    return [each for each in inside if each.app == app or _is_started(state, each)]


def _is_started(state: State, process: r.Process) -> bool:
    return state.get(r.App, process.app).state == "STARTED"
