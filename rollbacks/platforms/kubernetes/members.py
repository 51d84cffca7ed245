"""What pods say of themselves: what they run, why they are not ready, what holds them. Pure."""

from collections.abc import Sequence

from rollbacks.platforms.base import Member
from rollbacks.platforms.kubernetes.kinds import Object, labels, name_of
from rollbacks.platforms.kubernetes.states import partition_of, version_of

NAMED = 3
_COMING = {"ContainerCreating", "PodInitializing"}


def member_of(pod: Object) -> Member:
    """A pod as people see it."""
    why = trouble_of(pod)
    return Member(
        name=name_of(pod),
        version=version_of(pod),
        is_healthy=is_ready(pod) and not why,
        message=why,
    )


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def is_ending(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def endings_of(pods: Sequence[Object]) -> str:
    """The pods that are on their way out: some hold up what is to come after them."""
    ending = [each for each in pods if is_ending(each)]
    if not ending:
        return ""
    named = ", ".join(_named(each) for each in ending[:NAMED])
    more = f" and {len(ending) - NAMED} more" if len(ending) > NAMED else ""
    finalizers = {name for each in ending for name in each["metadata"].get("finalizers") or ()}
    held = f", held by {', '.join(sorted(finalizers))}" if finalizers else ""
    return f"{named}{more} still ending{held}"


def _named(pod: Object) -> str:
    version = version_of(pod)
    return f"{name_of(pod)} ({version})" if version else name_of(pod)


def trouble_of(pod: Object) -> str:
    """Why the pod is not ready, in the cluster's words; empty where nothing is known."""
    return _fault_of(pod) or _unready_of(pod)


def unexplained(pods: Sequence[Object]) -> Object | None:
    """The first pod that runs and is not ready, so that only its events can say why."""
    return next((pod for pod in pods if not _fault_of(pod) and _unready_of(pod)), None)


def _unready_of(pod: Object) -> str:
    for each in (pod.get("status") or {}).get("containerStatuses") or ():
        if each.get("ready") is False and "running" in (each.get("state") or {}):
            ended = (each.get("lastState") or {}).get("terminated")
            again = f", after it {_ended(ended)}" if ended else ""
            return f"{each['name']}: running, but not ready{again}"
    return ""


def _ended(state: Object) -> str:
    return f"ended with {state.get('exitCode')} ({state.get('reason', '')})"


def _fault_of(pod: Object) -> str:
    if is_ending(pod):
        held = ", ".join(pod["metadata"].get("finalizers") or ())
        since = pod["metadata"]["deletionTimestamp"]
        return f"Ending, due at {since}" + (f", held by {held}" if held else "")
    status = pod.get("status") or {}
    for each in status.get("conditions") or ():
        if each["type"] == "PodScheduled" and each["status"] == "False":
            return f"FailedScheduling: {each.get('message', '')}"
    states = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    for each in states:
        waiting = (each.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") and waiting["reason"] not in _COMING:
            return f"{each['name']}: {waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
        ended = (each.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            return f"{each['name']}: {_ended(ended)}"
    if status.get("phase") == "Failed":
        return f"{status.get('reason', 'Failed')}: {status.get('message', '')}".rstrip(": ")
    return ""


def troubles_of(pods: Sequence[Object]) -> str:
    """What holds up a rollout: each reason once, with the first pod that tells it."""
    by_reason: dict[str, list[str]] = {}
    for pod in pods:
        if not is_ending(pod) and (why := trouble_of(pod)):
            by_reason.setdefault(why, []).append(name_of(pod))
    said = [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {why}"
        for why, names in by_reason.items()
    ]
    return "; ".join(said[:NAMED])


def stuck(stateful_set: Object, pods: Sequence[Object]) -> list[Object]:
    """The pods that the rollout waits for in vain: not ready, and of another revision.

    None where somebody else is to replace them: with OnDelete, and below the partition.
    """
    spec, status = stateful_set["spec"], stateful_set.get("status") or {}
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return []
    first = int((spec.get("ordinals") or {}).get("start") or 0) + partition_of(spec)
    return [
        pod
        for pod in pods
        if labels(pod).get("controller-revision-hash") != status.get("updateRevision")
        and int(name_of(pod).rpartition("-")[2]) >= first
        and not is_ready(pod)
        and not is_ending(pod)
    ]


def owner_of(thing: Object) -> tuple[str, str] | None:
    """(kind, name) of what controls it."""
    for each in thing["metadata"].get("ownerReferences") or ():
        if each.get("controller"):
            return str(each["kind"]), str(each["name"])
    return None
