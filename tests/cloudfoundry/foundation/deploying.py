"""How a deployment begins: what the app is to be from now on, and the process that is coming."""

from dataclasses import replace
from typing import Any

from . import changes, diego, rolling
from . import records as r
from . import revisions as revisions_
from .limits import require_room
from .problems import Refused, unprocessable
from .state import State

Json = dict[str, Any]


def deploy(state: State, app: r.App, wanted: r.Deployment, target: r.Revision | None) -> None:
    """Begins what `wanted` describes; `target`: the revision to go back to, if that is asked."""
    droplet = _droplet(state, app, wanted, target)
    before = next(state.active_deployments(app), None)
    web = state.processes(app, r.WEB)
    wanted.droplet, wanted.previous_droplet = droplet.guid, app.droplet
    wanted.original_instances = before.original_instances if before else web[0].instances
    _require_room(state, app, wanted)
    changed = replace(app, droplet=droplet.guid)
    if target is not None:
        changed.environment = dict(target.environment)
    revision = _revision(state, changed, target)
    _become(state, app, changed, target)
    wanted.revision = revision.guid if revision else None
    wanted.revision_version = revision.version if revision else None
    wanted.changed = wanted.last_healthy = state.clock.now
    state.add(wanted)
    if app.state == "STOPPED":
        _start(state, app, wanted)
        return
    _begin(state, app, wanted, revision)
    if before is not None:
        _supersede(state, before)
    rolling.follow(state, wanted)


def _droplet(
    state: State, app: r.App, wanted: r.Deployment, target: r.Revision | None
) -> r.Droplet:
    if target is not None:
        found = state.find(r.Droplet, target.droplet)
        if found is None or found.state == "EXPIRED":
            raise unprocessable(
                "Unable to deploy this revision, the droplet for this revision no longer exists."
            )
    else:
        found = state.find(r.Droplet, wanted.droplet or app.droplet)
        if found is None and not wanted.droplet:
            raise unprocessable(
                "Invalid droplet. Please specify a droplet in the request or "
                "set a current droplet for the app."
            )
    if found is None or found.app != app.guid:
        raise unprocessable(
            "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."
        )
    return found


def _first(wanted: r.Deployment) -> int:
    """How many instances the coming process begins with."""
    wished = rolling.wanted_of(wanted)
    if wanted.strategy == "canary":
        wished = rolling.canary_plan(wanted)[0][0]
    return min(wanted.max_in_flight, wished)


def _require_room(state: State, app: r.App, wanted: r.Deployment) -> None:
    """The coming instances stand beside the present ones."""
    try:
        for process, instances in _to_run(state, app, wanted):
            require_room(state, process, instances, wanted.memory or process.memory)
    except Refused as refused:
        space = state.space_of(app)
        org = state.get(r.Organization, space.org)
        of_space = "space_" in str(refused)
        kind, name = ("space", space.name) if of_space else ("organization", org.name)
        raise unprocessable(
            f"{refused} for {kind} {name}. This {kind}'s quota may not be large enough to support "
            "rolling deployments or your configured max-in-flight."
        ) from None


def _to_run(state: State, app: r.App, wanted: r.Deployment) -> list[tuple[r.Process, int]]:
    if app.state == "STOPPED":
        return [(each, each.instances) for each in state.processes(app)]
    newest = state.processes(app, r.WEB)[-1]
    return [(replace(newest, guid=r.new_guid()), _first(wanted))]


def _revision(state: State, changed: r.App, target: r.Revision | None) -> r.Revision | None:
    if target is not None:
        return revisions_.roll_back(state, changed, target)
    return revisions_.renew(state, changed)


def _become(state: State, app: r.App, changed: r.App, target: r.Revision | None) -> None:
    app.environment = changed.environment
    changes.assign_droplet(state, app, state.get(r.Droplet, changed.droplet))
    if target is None:
        return
    for sidecar in state.of_app(r.Sidecar, app):
        state.remove(sidecar)
    for held in target.sidecars:
        state.add(
            r.Sidecar(
                app=app.guid,
                name=held["name"],
                command=held["command"],
                process_types=list(held["process_types"]),
                memory=held["memory_in_mb"],
            )
        )


def _start(state: State, app: r.App, wanted: r.Deployment) -> None:
    """Nothing runs that could be replaced: it is done at once."""
    newest = state.processes(app, r.WEB)[-1]
    newest.instances = rolling.wanted_of(wanted)
    newest.memory, newest.disk = wanted.memory or newest.memory, wanted.disk or newest.disk
    changes.start(state, app, with_revision=False)
    rolling.move(state, wanted, "DEPLOYED", "DEPLOYED", "FINALIZED")


def _begin(state: State, app: r.App, wanted: r.Deployment, revision: r.Revision | None) -> None:
    newest = state.processes(app, r.WEB)[-1]
    coming = replace(
        newest,
        guid=r.new_guid(),
        instances=_first(wanted),
        memory=wanted.memory or newest.memory,
        disk=wanted.disk or newest.disk,
        command=revision.commands.get(r.WEB) if revision else newest.command,
        health_check=changes.copied(newest.health_check),
        readiness_check=changes.copied(newest.readiness_check),
        revision=revision.guid if revision else None,
        version=r.new_guid(),
        droplet=app.droplet,
        labels=dict(newest.labels),
        annotations=dict(newest.annotations),
    )
    wanted.process = state.add(coming).guid
    diego.reconcile(state, coming)


def _supersede(state: State, before: r.Deployment) -> None:
    to = "DEPLOYED" if before.state == "DEPLOYING" else "CANCELED"
    rolling.move(state, before, to, "SUPERSEDED", "FINALIZED")
