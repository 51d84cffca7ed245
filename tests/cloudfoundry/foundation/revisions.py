"""Revisions: what an app was at each start, and why there is a new one."""

from collections.abc import Mapping

from . import records as r
from .problems import unprocessable
from .state import State

Commands = Mapping[str, str | None]


def renew(state: State, app: r.App) -> r.Revision | None:
    """The latest, or a new one if the app is no longer as that says."""
    if not app.features["revisions"] or app.droplet is None:
        return None
    latest = latest_of(state, app)
    wanted = _present(state, app)
    if latest is None:
        return _entered(state, wanted, "Initial revision.")
    reasons = _differences(latest, wanted)
    return _entered(state, wanted, " ".join(reasons)) if reasons else latest


def roll_back(state: State, app: r.App, target: r.Revision) -> r.Revision:
    """A new one as the target was.

    What it is compared with is the latest revision, even when the deployment that made that one was
    canceled: such a rollback cannot be had again.
    """
    latest = latest_of(state, app)
    assert latest is not None
    reasons = _differences(latest, target)
    if not reasons:
        raise unprocessable(
            "Unable to rollback. The code and configuration you are rolling back to "
            "is the same as the deployed revision."
        )
    said = " ".join([*reasons, f"Rolled back to revision {target.version}."])
    return _entered(state, _like(state, app, target), said)


def latest_of(state: State, app: r.App) -> r.Revision | None:
    if not app.features["revisions"]:
        return None
    found = state.of_app(r.Revision, app)
    return found[-1] if found else None


def _present(state: State, app: r.App) -> r.Revision:
    newest = {each.type: each.command for each in state.processes(app)}
    assert app.droplet is not None
    return r.Revision(
        app=app.guid,
        version=0,
        droplet=app.droplet,
        environment=dict(app.environment),
        commands=newest,
        sidecars=[_sidecar(each) for each in state.of_app(r.Sidecar, app)],
        description="",
    )


def _like(state: State, app: r.App, target: r.Revision) -> r.Revision:
    return r.Revision(
        app=app.guid,
        version=0,
        droplet=target.droplet,
        environment=dict(target.environment),
        commands=dict(target.commands),
        sidecars=[dict(each) for each in target.sidecars],
        description="",
    )


def _entered(state: State, revision: r.Revision, description: str) -> r.Revision:
    app = state.get(r.App, revision.app)
    revision.version = 1 + max((each.version for each in state.of_app(r.Revision, app)), default=0)
    revision.description = description
    return state.add(revision)


def _sidecar(held: r.Sidecar) -> r.Json:
    return {
        "name": held.name,
        "command": held.command,
        "process_types": sorted(held.process_types),
        "memory_in_mb": held.memory,
    }


def _differences(old: r.Revision, new: r.Revision) -> list[str]:
    reasons = []
    if old.droplet != new.droplet:
        reasons.append("New droplet deployed.")
    if old.environment != new.environment:
        reasons.append("New environment variables deployed.")
    reasons += _of_commands(old.commands, new.commands)
    by_name = [sorted(each.sidecars, key=lambda held: held["name"]) for each in (old, new)]
    if by_name[0] != by_name[1]:
        reasons.append("Sidecars updated.")
    return sorted(reasons)


def _of_commands(old: Commands, new: Commands) -> list[str]:
    said = [f"New process type '{each}' added." for each in new if each not in old]
    said += [f"Process type '{each}' removed." for each in old if each not in new]
    for each in new:
        if each in old and old[each] != new[each]:
            how = "added" if old[each] is None else "removed" if new[each] is None else "updated"
            said.append(f"Custom start command {how} for '{each}' process.")
    return said
