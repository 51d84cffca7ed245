"""Service instances that users provide themselves, and their bindings to apps."""

from typing import Any

from .. import documents
from .. import records as r
from ..calls import Answer, Call, describe
from ..documents import link
from ..listing import listed
from ..problems import missing, not_modelled, unprocessable
from ..routing import routes

Json = dict[str, Any]


@routes.on("GET", "/v3/service_instances")
def list_services(call: Call) -> Answer:
    filters = {
        "names": lambda each: each.name,
        "space_guids": lambda each: each.space,
        "organization_guids": lambda each: call.state.space_of(each).org,
        "type": lambda each: "user-provided",
    }
    return listed(call, call.visible(r.ServiceInstance), lambda each: _service(call, each), filters)


@routes.on("POST", "/v3/service_instances")
def create_service(call: Call) -> Answer:
    body = call.body
    if body.get("type") != "user-provided":
        raise not_modelled("A managed service instance")
    space = call.state.find(r.Space, call.related("space"))
    if space is None or not call.can_see(space):
        raise unprocessable(
            "Invalid space. Ensure that the space exists and you have access to it."
        )
    call.require_writer(space)
    rivals = [each for each in call.state.all(r.ServiceInstance) if each.space == space.guid]
    if any(each.name == body["name"] for each in rivals):
        raise unprocessable(f"The service instance name is taken: {body['name']}.")
    made = r.ServiceInstance(name=body["name"], space=space.guid)
    _change(made, body)
    return Answer(201, _service(call, call.state.add(made)))


def _change(service: r.ServiceInstance, body: Json) -> None:
    service.name = body.get("name", service.name)
    service.credentials = body.get("credentials", service.credentials) or {}
    service.tags = body.get("tags", service.tags)
    service.syslog_drain_url = body.get("syslog_drain_url", service.syslog_drain_url)
    service.route_service_url = body.get("route_service_url", service.route_service_url)
    describe(service, body.get("metadata"))


@routes.on("GET", "/v3/service_instances/{guid}")
def get_service(call: Call) -> Answer:
    return Answer(body=_service(call, call.seen(r.ServiceInstance)))


@routes.on("GET", "/v3/service_instances/{guid}/credentials")
def get_credentials(call: Call) -> Answer:
    service = call.seen(r.ServiceInstance)
    call.require_secrets(service)
    return Answer(body=dict(service.credentials))


@routes.on("PATCH", "/v3/service_instances/{guid}")
def update_service(call: Call) -> Answer:
    service = call.written(r.ServiceInstance)
    _change(service, call.body)
    return Answer(body=_service(call, call.state.touch(service)))


@routes.on("DELETE", "/v3/service_instances/{guid}")
def delete_service(call: Call) -> Answer:
    service = call.written(r.ServiceInstance)
    for binding in call.state.all(r.Binding):
        if binding.service == service.guid:
            call.state.remove(binding)
    call.state.remove(service)
    return Answer(204)


@routes.on("GET", "/v3/service_credential_bindings")
def list_bindings(call: Call) -> Answer:
    state = call.state
    filters = {
        "names": lambda each: each.name,
        "app_guids": lambda each: each.app,
        "app_names": lambda each: state.get(r.App, each.app).name,
        "service_instance_guids": lambda each: each.service,
        "service_instance_names": lambda each: state.get(r.ServiceInstance, each.service).name,
        "type": lambda each: "app",
    }

    def included(shown: Any) -> Json:
        return _included(call, list(shown))

    return listed(
        call,
        call.visible(r.Binding),
        lambda each: _binding(call, each),
        filters,
        other=["include"],
        included=included,
    )


def _included(call: Call, shown: list[r.Binding]) -> Json:
    wanted, found = call.query.get("include", "").split(","), {}
    if "app" in wanted:
        apps = [call.state.get(r.App, guid) for guid in {each.app: 0 for each in shown}]
        found["apps"] = [documents.app(call.state, each) for each in apps]
    if "service_instance" in wanted:
        guids = {each.service: 0 for each in shown}
        services = [call.state.get(r.ServiceInstance, guid) for guid in guids]
        found["service_instances"] = [_service(call, each) for each in services]
    return found


@routes.on("POST", "/v3/service_credential_bindings")
def create_binding(call: Call) -> Answer:
    body = call.require_keys("type", "name", "relationships", "parameters", "metadata")
    if body.get("type") != "app":
        raise not_modelled("A service key")
    if "parameters" in body:
        raise unprocessable(
            "Binding parameters are not supported for user-provided service instances"
        )
    service = _related(call, r.ServiceInstance, "service_instance", "service instance")
    app = _related(call, r.App, "app", "app")
    call.require_manager(call.state.space_of(app))
    binding = bind(call, app, service, body.get("name"))
    describe(binding, body.get("metadata"))
    return Answer(201, _binding(call, binding))


def _related(call: Call, kind: type[Any], name: str, said: str) -> Any:
    guid = call.related(name)
    found = call.state.find(kind, guid)
    if found is None or not call.can_see(found):
        raise unprocessable(f"The {said} could not be found: '{guid}'")
    return found


def bind(call: Call, app: r.App, service: r.ServiceInstance, name: str | None = None) -> r.Binding:
    if service.space != app.space:
        raise unprocessable("The service instance and the app are in different spaces")
    held = call.state.of_app(r.Binding, app)
    if any(each.service == service.guid for each in held):
        raise unprocessable("The app is already bound to the service instance")
    if name and any(each.name == name for each in held):
        raise unprocessable(
            f"The binding name is invalid. App binding names must be unique. "
            f"The app already has a binding with name '{name}'."
        )
    return call.state.add(r.Binding(app=app.guid, service=service.guid, name=name))


@routes.on("GET", "/v3/service_credential_bindings/{guid}")
def get_binding(call: Call) -> Answer:
    return Answer(body=_binding(call, call.seen(r.Binding)))


@routes.on("GET", "/v3/service_credential_bindings/{guid}/details")
def get_details(call: Call) -> Answer:
    binding = call.seen(r.Binding)
    if not call.caller.can_read_secrets(call.state, call.state.space_of(binding)):
        raise missing("Service credential binding")
    service = call.state.get(r.ServiceInstance, binding.service)
    return Answer(body={"credentials": dict(service.credentials), "volume_mounts": []})


@routes.on("DELETE", "/v3/service_credential_bindings/{guid}")
def delete_binding(call: Call) -> Answer:
    call.state.remove(call.managed(r.Binding))
    return Answer(204)


def _operation(call: Call, record: r.Record) -> Json:
    when = documents.base(call.state, record)
    del when["guid"]
    return {"type": "create", "state": "succeeded", "description": "", **when}


def _service(call: Call, service: r.ServiceInstance) -> Json:
    here = f"service_instances/{service.guid}"
    bound = f"service_credential_bindings?service_instance_guids={service.guid}"
    return {
        **documents.base(call.state, service),
        "name": service.name,
        "type": "user-provided",
        "tags": service.tags,
        "last_operation": _operation(call, service),
        "syslog_drain_url": service.syslog_drain_url,
        "route_service_url": service.route_service_url,
        **documents.to_one(space=service.space),
        **documents.metadata(service),
        "links": {
            "self": link(call.state, here),
            "space": link(call.state, f"spaces/{service.space}"),
            "service_credential_bindings": link(call.state, bound),
            "credentials": link(call.state, f"{here}/credentials"),
        },
    }


def _binding(call: Call, binding: r.Binding) -> Json:
    here = f"service_credential_bindings/{binding.guid}"
    return {
        **documents.base(call.state, binding),
        "name": binding.name,
        "type": "app",
        "last_operation": _operation(call, binding),
        **documents.to_one(service_instance=binding.service, app=binding.app),
        **documents.metadata(binding),
        "links": {
            "self": link(call.state, here),
            "details": link(call.state, f"{here}/details"),
            "service_instance": link(call.state, f"service_instances/{binding.service}"),
            "app": link(call.state, f"apps/{binding.app}"),
        },
    }
