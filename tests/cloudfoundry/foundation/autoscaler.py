"""The app autoscaler: policies of apps, and counts that they keep within bounds.

Without metrics: it only brings a count that is outside back to the nearest bound, after a while.
"""

from typing import Any

from . import changes
from . import records as r
from .calls import Answer, Call
from .problems import Refused, error
from .routing import Routes
from .state import State

Json = dict[str, Any]
autoscaler = Routes()
_PATH = "/v1/apps/{guid}/policy"


@autoscaler.on("GET", _PATH)
def get_policy(call: Call) -> Answer:
    app = _app(call)
    return Answer(body=_held(call, app))


@autoscaler.on("PUT", _PATH)
def put_policy(call: Call) -> Answer:
    app, policy = _app(call), call.body
    least, most = policy.get("instance_min_count"), policy.get("instance_max_count")
    if not isinstance(least, int) or not isinstance(most, int) or not 1 <= least <= most:
        said = "instance_min_count must be at least 1 and at most instance_max_count"
        return Answer(400, [{"context": "(root)", "description": said}])  # type: ignore[arg-type]
    status = 200 if app.guid in call.state.policies else 201
    call.state.policies[app.guid] = policy
    watch(call.state, app)
    return Answer(status, policy)


@autoscaler.on("DELETE", _PATH)
def delete_policy(call: Call) -> Answer:
    app = _app(call)
    _held(call, app)
    del call.state.policies[app.guid]
    return Answer(200, {})


def watch(state: State, app: r.App) -> None:
    """For as long as it has this policy."""
    policy = state.policies[app.guid]

    def look() -> None:
        if state.policies.get(app.guid) is policy:
            _keep(state, app, policy)
            state.clock.later(state.timing.autoscale, look)

    state.clock.later(state.timing.autoscale, look)


def _keep(state: State, app: r.App, policy: Json) -> None:
    """An app without instances has no metrics, and is left alone."""
    process = state.process(app, r.WEB)
    if process is None or app.state != "STARTED" or process.instances == 0:
        return
    wanted = min(max(process.instances, policy["instance_min_count"]), policy["instance_max_count"])
    if wanted != process.instances:
        try:
            sizes = (process.memory, process.disk, process.log_rate)
            changes.scale(state, process, wanted, *sizes)
        except Refused:
            return  # no room, or a deployment is in flight: it looks again


def _app(call: Call) -> r.App:
    """Of a space that the caller develops in."""
    app = call.state.find(r.App, call.parts["guid"])
    if app is None or not call.caller.can_write(call.state, call.state.space_of(app)):
        raise _refused(
            401, "Unauthorized", "You are not authorized to perform the requested action"
        )
    return app


def _held(call: Call, app: r.App) -> Json:
    if (policy := call.state.policies.get(app.guid)) is None:
        raise _refused(404, "Not Found", "No policy bound with application")
    found: Json = policy
    return found


def _refused(status: int, code: str, message: str) -> Refused:
    refused = Refused(status, [error(0, code, message)])
    refused.document = {"code": code, "message": message}
    return refused
