"""Deployments: instances of a droplet or a revision take the place of what runs."""

from typing import Any

from .. import changes, documents, rolling
from .. import records as r
from ..calls import Answer, Call, describe
from ..deploying import deploy
from ..listing import listed
from ..problems import missing, unprocessable
from ..routing import routes

Json = dict[str, Any]
_OPTIONS = {
    "canary",
    "max_in_flight",
    "web_instances",
    "memory_in_mb",
    "disk_in_mb",
    "log_rate_limit_in_bytes_per_second",
}


@routes.on("GET", "/v3/deployments")
def list_deployments(call: Call) -> Answer:
    filters = {
        "app_guids": lambda each: each.app,
        "states": lambda each: each.state,
        "status_values": lambda each: each.value,
        "status_reasons": lambda each: each.reason,
    }
    return listed(call, call.visible(r.Deployment), lambda each: shown(call, each), filters)


@routes.on("POST", "/v3/deployments")
def create_deployment(call: Call) -> Answer:
    body = call.require_keys(
        "relationships", "droplet", "revision", "strategy", "options", "metadata"
    )
    wanted = _wanted(body)
    app = _app(call)
    revision_guid = (body.get("revision") or {}).get("guid")
    if revision_guid and not app.features["revisions"]:
        raise unprocessable(
            "Cannot create deployment from a revision for an app without revisions enabled"
        )
    target = call.state.find(r.Revision, revision_guid)
    if revision_guid and target is None:
        raise unprocessable("The revision does not exist")
    wanted.app = app.guid
    describe(wanted, body.get("metadata"))
    deploy(call.state, app, wanted, target)
    return Answer(201, shown(call, wanted))


def _app(call: Call) -> r.App:
    app = call.state.find(r.App, call.related("app"))
    if app is None or not call.caller.can_manage_apps(call.state, call.state.space_of(app)):
        raise unprocessable(
            "Unable to use app. Ensure that the app exists and you have access to it."
        )
    call.require_manager(call.state.space_of(app))
    return app


def _wanted(body: Json) -> r.Deployment:
    strategy, options = body.get("strategy") or "rolling", body.get("options") or {}
    if strategy not in ("rolling", "canary"):
        raise unprocessable(f"Strategy '{strategy}' is not a supported deployment strategy")
    if body.get("droplet") and body.get("revision"):
        raise unprocessable("Droplet Cannot set both fields 'droplet' and 'revision'")
    if unknown := sorted(set(options) - _OPTIONS):
        raise unprocessable(f"Options has unsupported key(s): {', '.join(unknown)}")
    in_flight = options.get("max_in_flight", 1)
    if not isinstance(in_flight, int) or in_flight < 1:
        raise unprocessable("Max in flight must be an integer greater than 0")
    return r.Deployment(
        app="",
        state="PREPAUSED" if strategy == "canary" else "DEPLOYING",
        strategy=strategy,
        droplet=(body.get("droplet") or {}).get("guid") or "",
        previous_droplet=None,
        original_instances=0,
        max_in_flight=in_flight,
        web_instances=options.get("web_instances"),
        memory=options.get("memory_in_mb"),
        disk=options.get("disk_in_mb"),
        canary_steps=_steps(options.get("canary"), strategy),
    )


def _steps(canary: Json | None, strategy: str) -> list[int]:
    if canary is None:
        return []
    if strategy != "canary":
        raise unprocessable("Options.canary are only valid for Canary deployments")
    weights = [each.get("instance_weight") for each in canary.get("steps") or []]
    if not all(isinstance(each, int) and 1 <= each <= 100 for each in weights):
        raise unprocessable(
            "Options.canary.steps.instance weight must be an Integer between 1-100 (inclusive)"
        )
    if sorted(weights) != weights:
        raise unprocessable(
            "Options.canary.steps.instance weight must be sorted in ascending order"
        )
    return weights


@routes.on("GET", "/v3/deployments/{guid}")
def get_deployment(call: Call) -> Answer:
    return Answer(body=shown(call, call.seen(r.Deployment)))


@routes.on("PATCH", "/v3/deployments/{guid}")
def update_deployment(call: Call) -> Answer:
    deployment = call.written(r.Deployment)
    describe(deployment, call.require_keys("metadata").get("metadata"))
    return Answer(body=shown(call, call.state.touch(deployment)))


@routes.on("POST", "/v3/deployments/{guid}/actions/cancel")
def cancel_deployment(call: Call) -> Answer:
    """The app gets its droplet back; its variables and its latest revision stay as they are."""
    deployment = _managed(call)
    _require(deployment, deployment.value == "ACTIVE", "cancel")
    app = call.state.get(r.App, deployment.app)
    previous = call.state.find(r.Droplet, deployment.previous_droplet)
    changes.assign_droplet(call.state, app, previous)
    was_waiting = deployment.state == "PAUSED"
    rolling.move(call.state, deployment, "CANCELING", "CANCELING")
    if was_waiting:
        rolling.follow(call.state, deployment)
    return Answer(200)


@routes.on("POST", "/v3/deployments/{guid}/actions/continue")
def continue_deployment(call: Call) -> Answer:
    deployment = _managed(call)
    _require(deployment, deployment.state == "PAUSED", "continue")
    if deployment.canary_step < len(deployment.canary_steps):
        deployment.canary_step += 1
        rolling.move(call.state, deployment, "PREPAUSED", "DEPLOYING")
    else:
        rolling.move(call.state, deployment, "DEPLOYING", "DEPLOYING")
    rolling.follow(call.state, deployment)
    return Answer(200)


def _managed(call: Call) -> r.Deployment:
    found = call.seen(r.Deployment)
    if not call.caller.can_manage_apps(call.state, call.state.space_of(found)):
        raise missing("Deployment")
    call.require_manager(call.state.space_of(found))
    return found


def _require(deployment: r.Deployment, is_allowed: bool, verb: str) -> None:
    if not is_allowed:
        raise unprocessable(
            f"Cannot {verb} a deployment with status: {deployment.value} "
            f"and reason: {deployment.reason}"
        )


def shown(call: Call, deployment: r.Deployment) -> Json:
    here = f"deployments/{deployment.guid}"
    links = {
        "self": documents.link(call.state, here),
        "app": documents.link(call.state, f"apps/{deployment.app}"),
    }
    if deployment.value == "ACTIVE":
        links["cancel"] = documents.link(call.state, f"{here}/actions/cancel", "POST")
    if deployment.state == "PAUSED":
        links["continue"] = documents.link(call.state, f"{here}/actions/continue", "POST")
    coming = deployment.process
    return {
        **documents.base(call.state, deployment),
        "status": _status(call, deployment),
        "strategy": deployment.strategy,
        "options": _options(deployment),
        "droplet": {"guid": deployment.droplet},
        "previous_droplet": {"guid": deployment.previous_droplet},
        "new_processes": [{"guid": coming, "type": r.WEB}] if coming else [],
        "revision": _revision(call, deployment),
        **documents.to_one(app=deployment.app),
        **documents.metadata(deployment),
        "links": links,
    }


def _status(call: Call, deployment: r.Deployment) -> Json:
    spelled = call.state.clock.spelled
    details = {
        "last_successful_healthcheck": spelled(deployment.last_healthy),
        "last_status_change": spelled(deployment.changed),
    }
    if deployment.error:
        details["error"] = deployment.error
    status: Json = {"value": deployment.value, "reason": deployment.reason, "details": details}
    if deployment.strategy == "canary":
        total = len(deployment.canary_steps) or 1
        status["canary"] = {"steps": {"current": deployment.canary_step, "total": total}}
    return status


def _options(deployment: r.Deployment) -> Json:
    sizes = {
        "web_instances": deployment.web_instances,
        "memory_in_mb": deployment.memory,
        "disk_in_mb": deployment.disk,
    }
    options: Json = {"max_in_flight": deployment.max_in_flight}
    options |= {name: size for name, size in sizes.items() if size is not None}
    if deployment.canary_steps:
        steps = [{"instance_weight": each} for each in deployment.canary_steps]
        options["canary"] = {"steps": steps}
    return options


def _revision(call: Call, deployment: r.Deployment) -> Json | None:
    app = call.state.get(r.App, deployment.app)
    if deployment.revision is None or not app.features["revisions"]:
        return None
    return {"guid": deployment.revision, "version": deployment.revision_version}
