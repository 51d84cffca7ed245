"""What changes an app beyond one record: its droplet, its processes, its revisions, its end."""

from . import diego
from . import records as r
from .limits import require_room
from .problems import unprocessable
from .revisions import latest_of, renew
from .state import State

_PORT = {"type": "port", "data": {"timeout": None, "invocation_timeout": None, "interval": None}}
_PROCESS = {
    "type": "process",
    "data": {"timeout": None, "invocation_timeout": None, "interval": None},
}
_READINESS = {"type": "process", "data": {"invocation_timeout": None, "interval": None}}


def new_process(state: State, app: r.App, type_: str) -> r.Process:
    """The first web process has the app's own GUID."""
    is_web = type_ == r.WEB
    made = r.Process(
        guid=app.guid if is_web else r.new_guid(),
        app=app.guid,
        type=type_,
        instances=1 if is_web else 0,
        health_check=copied(_PORT if is_web else _PROCESS),
        readiness_check=copied(_READINESS),
    )
    return state.add(made)


def assign_droplet(state: State, app: r.App, droplet: r.Droplet | None) -> None:
    """Takes effect with the next start; process types that are missing come into being."""
    if droplet is None or droplet.app != app.guid:
        raise unprocessable(
            "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."
        )
    if not droplet.process_types:
        raise unprocessable(
            "Unable to create process types for this app's droplet. "
            "Please provide a droplet with valid process types."
        )
    state.touch(app).droplet = droplet.guid
    for type_ in droplet.process_types:
        if not state.processes(app, type_):
            new_process(state, app, type_)


def start(state: State, app: r.App, *, with_revision: bool = True) -> None:
    if app.state == "STARTED":
        return
    for process in state.processes(app):
        require_room(state, process, process.instances, process.memory)
    if with_revision:
        renew(state, app)
    state.touch(app).state = "STARTED"
    for process in state.processes(app):
        _run_latest(state, app, process)


def stop(state: State, app: r.App) -> None:
    if app.state == "STOPPED":
        return
    state.touch(app).state = "STOPPED"
    for process in state.processes(app):
        diego.reconcile(state, process)


def restart(state: State, app: r.App) -> None:
    if app.state == "STOPPED":
        start(state, app)
        return
    renew(state, app)
    state.touch(app)
    for process in state.processes(app):
        _run_latest(state, app, process)


def scale(
    state: State, process: r.Process, instances: int, memory: int, disk: int, log_rate: int
) -> None:
    app = state.get(r.App, process.app)
    if process.type == r.WEB and state.is_deploying(app):
        raise unprocessable("Cannot scale this process while a deployment is in flight.")
    now = (process.instances, process.memory, process.log_rate)
    if app.state == "STARTED" and (instances, memory, log_rate) != now:
        require_room(state, process, instances, memory, log_rate)
    process.instances, process.memory = instances, memory
    process.disk, process.log_rate = disk, log_rate
    state.touch(process)
    diego.reconcile(state, process)


def remove_process(state: State, process: r.Process) -> None:
    diego.retire(state, process)
    state.remove(process)


def remove_app(state: State, app: r.App) -> None:
    for process in state.processes(app):
        remove_process(state, process)
    for route in state.all(r.Route):
        route.destinations = [each for each in route.destinations if each.app != app.guid]
    kinds: tuple[type[r.Record], ...] = (
        r.Package,
        r.Build,
        r.Droplet,
        r.Deployment,
        r.Revision,
        r.Binding,
        r.Sidecar,
    )
    for kind in kinds:
        for each in state.of_app(kind, app):
            state.remove(each)
    state.policies.pop(app.guid, None)
    state.remove(app)


def _run_latest(state: State, app: r.App, process: r.Process) -> None:
    latest = latest_of(state, app)
    process.revision = latest.guid if latest else None
    diego.restart(state, state.touch(process))


def copied(check: r.Json) -> r.Json:
    return {"type": check["type"], "data": dict(check["data"])}
