"""Quotas: what the running processes of an organization and of a space may take together."""

from . import records as r
from .problems import unprocessable
from .state import State


def require_room(state: State, process: r.Process, instances: int, memory: int) -> None:
    """For a process that is to run so; raises Refused in the words of the one that is exceeded.

    The other processes of its app run, or are to run with it.
    """
    space = state.space_of(process)
    org = state.get(r.Organization, space.org)
    others = [each for each in _running(state, org, process.app) if each.guid != process.guid]
    within = [each for each in others if state.space_of(each) is space]
    of_space = state.find(r.Quota, space.quota)
    for quota, rivals, prefix in (
        (of_space, within, "space_"),
        (state.get(r.Quota, org.quota), others, ""),
    ):
        if quota is not None:
            _check(quota, rivals, instances, memory, prefix)


def used(state: State, org: r.Organization, space: r.Space | None = None) -> tuple[int, int]:
    """Instances and megabytes of what runs in an organization, or in one of its spaces."""
    found = _running(state, org)
    within = [each for each in found if space is None or state.space_of(each) is space]
    memory = sum(each.memory * each.instances for each in within)
    return sum(each.instances for each in within), memory


def _check(
    quota: r.Quota, rivals: list[r.Process], instances: int, memory: int, prefix: str
) -> None:
    taken = sum(each.memory * each.instances for each in rivals)
    if _exceeds(taken + memory * instances, quota.total_memory):
        raise unprocessable(f"memory {prefix}quota_exceeded")
    if _exceeds(memory, quota.per_process_memory):
        raise unprocessable(f"memory {prefix}instance_memory_limit_exceeded")
    count = sum(each.instances for each in rivals) + instances
    if _exceeds(count, quota.total_instances):
        raise unprocessable(f"app_instance_limit {prefix}app_instance_limit_exceeded")


def _exceeds(wanted: int, limit: int | None) -> bool:
    return limit is not None and wanted > limit


def _running(state: State, org: r.Organization, app: str | None = None) -> list[r.Process]:
    """What runs in an organization, and the processes of that app in any case."""
    inside = [each for each in state.all(r.Process) if state.space_of(each).org == org.guid]
    return [each for each in inside if each.app == app or _is_started(state, each)]


def _is_started(state: State, process: r.Process) -> bool:
    return state.get(r.App, process.app).state == "STARTED"
