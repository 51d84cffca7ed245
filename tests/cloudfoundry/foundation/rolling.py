"""The deployment updater: looks at each active deployment and takes it one step further."""

from dataclasses import dataclass

from . import changes, diego
from . import records as r
from .problems import Refused
from .state import State


@dataclass(frozen=True)
class _Counts:
    """Of the instances of the process that is coming."""

    routable: int
    starting: int
    unhealthy: int


def follow(state: State, deployment: r.Deployment) -> None:
    """Until it is final, or waits for somebody."""

    def look() -> None:
        if state.find(r.Deployment, deployment.guid) is None:
            return
        try:
            _step(state, deployment)
        except Refused as refused:
            deployment.error = str(refused)
        if deployment.value == "ACTIVE" and deployment.state != "PAUSED":
            state.clock.later(state.timing.update, look)

    state.clock.later(state.timing.update, look)


def move(
    state: State, deployment: r.Deployment, to: str, reason: str, value: str = "ACTIVE"
) -> None:
    deployment.state, deployment.reason, deployment.value = to, reason, value
    deployment.changed = state.clock.now
    state.touch(deployment)


def _step(state: State, deployment: r.Deployment) -> None:
    if deployment.state == "CANCELING":
        _cancel(state, deployment)
    elif deployment.state == "DEPLOYING":
        if _is_scaled(state, deployment, *[wanted_of(deployment)] * 2):
            _finish(state, deployment)
    elif deployment.state == "PREPAUSED":
        canary, original = canary_plan(deployment)[deployment.canary_step - 1]
        if _is_scaled(state, deployment, canary + original, canary):
            deployment.last_healthy = state.clock.now
            move(state, deployment, "PAUSED", "PAUSED")


def wanted_of(deployment: r.Deployment) -> int:
    if deployment.web_instances is None:
        return deployment.original_instances
    return deployment.web_instances


def canary_plan(deployment: r.Deployment) -> list[tuple[int, int]]:
    """Canaries and originals of each step."""
    originals = deployment.original_instances
    if not deployment.canary_steps:
        return [(1, originals)]
    instances = min(originals, wanted_of(deployment))
    return [_canaries(instances, weight) for weight in deployment.canary_steps]


def _canaries(instances: int, weight: int) -> tuple[int, int]:
    canaries = max(1, int(instances * weight / 100 + 0.5))
    return canaries, 0 if weight == 100 else instances - canaries + 1


def _is_scaled(state: State, deployment: r.Deployment, total: int, wanted: int) -> bool:
    """So many in all, so many of them new; nothing moves while a new one is not well."""
    coming = state.get(r.Process, deployment.process)
    counts = _counts(state, coming)
    room = deployment.max_in_flight
    is_well = counts.starting < room and counts.unhealthy == 0
    may_grow = is_well and counts.routable >= coming.instances - room
    _scale_down(state, deployment, max(0, total - counts.routable))
    if coming.instances >= wanted and counts.routable >= wanted:
        return True
    if may_grow:
        _set(state, coming, min(counts.routable + room, wanted))
        deployment.last_healthy = state.clock.now
    return False


def _counts(state: State, process: r.Process) -> _Counts:
    looks = [each.look for each in diego.seen(state, process)]
    routable = sum(each.is_routable for each in looks)
    healthy = sum(each.state in ("RUNNING", "STARTING") for each in looks)
    return _Counts(routable, healthy - routable, len(looks) - healthy)


def _scale_down(state: State, deployment: r.Deployment, left: int) -> None:
    """The oldest processes first; what came with an earlier deployment goes when it is empty."""
    app = state.get(r.App, deployment.app)
    web = state.processes(app, r.WEB)
    others = [each for each in web if each.guid != deployment.process]
    surplus = sum(each.instances for each in others) - left
    for process in others:
        if surplus <= 0:
            return
        fewer = max(0, process.instances - surplus)
        surplus -= process.instances - fewer
        if fewer == 0 and process is not web[0]:
            changes.remove_process(state, process)
        else:
            _set(state, process, fewer)


def _set(state: State, process: r.Process, instances: int) -> None:
    if process.instances != instances:
        state.touch(process).instances = instances
        diego.reconcile(state, process)


def _finish(state: State, deployment: r.Deployment) -> None:
    app = state.get(r.App, deployment.app)
    _remove_others(state, app, state.get(r.Process, deployment.process))
    revision = state.find(r.Revision, deployment.revision)
    for process in state.processes(app):
        if process.type != r.WEB:
            if revision is not None:
                process.command = revision.commands.get(process.type)
                process.revision = revision.guid
            diego.restart(state, process)
    move(state, deployment, "DEPLOYED", "DEPLOYED", "FINALIZED")


def _cancel(state: State, deployment: r.Deployment) -> None:
    """Back to the oldest process, or to the newest of a superseded deployment that runs."""
    app = state.get(r.App, deployment.app)
    prior = _interim(state, app) or state.processes(app, r.WEB)[0]
    _remove_others(state, app, prior)
    _set(state, prior, deployment.original_instances)
    move(state, deployment, "CANCELED", "CANCELED", "FINALIZED")


def _interim(state: State, app: r.App) -> r.Process | None:
    superseded = {
        each.process
        for each in state.of_app(r.Deployment, app)
        if (each.state, each.reason) == ("DEPLOYED", "SUPERSEDED")
    }
    for process in reversed(state.processes(app, r.WEB)):
        looks = [each.look.state for each in diego.seen(state, process)]
        if process.guid in superseded and "RUNNING" in looks:
            return process
    return None


def _remove_others(state: State, app: r.App, kept: r.Process) -> None:
    for process in state.processes(app, r.WEB):
        if process is not kept:
            changes.remove_process(state, process)
