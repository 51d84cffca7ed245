"""What the server refuses as invalid, field by field, in its own words."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from . import resources as r
from .problems import Cause
from .selectors import matches

Json = dict[str, Any]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SERVICE = "[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME_RULES = {
    "label": (
        _LABEL,
        63,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
        f"regex used for validation is '{_LABEL}')",
    ),
    "service": (
        _SERVICE,
        63,
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with "
        "an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
        f"'abc-123', regex used for validation is '{_SERVICE}')",
    ),
    "subdomain": (
        _SUBDOMAIN,
        253,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' "
        "or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "
        f"regex used for validation is '{_SUBDOMAIN}')",
    ),
}
_SHARED = "persistentVolumeClaimRetentionPolicy"
_CHANGEABLE = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit")
_STATEFUL = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
    "'minReadySeconds' are forbidden"
)
_POD = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be "
    "set to 1 if it was previously negative)"
)


def causes(obj: Json, before: Json | None, resource: r.Resource) -> list[Cause]:
    """Everything that is wrong with an object that is to be written."""
    found = list(_metadata(obj["metadata"], resource))
    found += [each for check in _CHECKS.get(resource, ()) for each in check(obj)]
    if before is not None:
        found += [each for check in _UPDATE_CHECKS.get(resource, ()) for each in check(obj, before)]
    return found


def required(field: str, why: str = "") -> Cause:
    return Cause("FieldValueRequired", field, "Required value" + (f": {why}" if why else ""))


def wrong(field: str, value: Any, why: str) -> Cause:
    shown = json.dumps(value, separators=(",", ":"))
    return Cause("FieldValueInvalid", field, f"Invalid value: {shown}: {why}")


def refused(field: str, why: str) -> Cause:
    return Cause("FieldValueForbidden", field, f"Forbidden: {why}")


def _metadata(metadata: Json, resource: r.Resource) -> Iterator[Cause]:
    if resource in (r.ROLES, r.BINDINGS, r.CLUSTER_ROLES, r.CLUSTER_BINDINGS):
        return
    rule = {r.NAMESPACES: "label", r.SERVICES: "service", r.STATEFUL_SETS: "label"}
    pattern, longest, why = _NAME_RULES[rule.get(resource, "subdomain")]
    name = metadata["name"]
    if not re.fullmatch(pattern, name):
        yield wrong("metadata.name", name, why)
    if len(name) > longest:
        yield wrong("metadata.name", name, f"must be no more than {longest} bytes")


def _selects_its_template(obj: Json) -> Iterator[Cause]:
    spec = obj["spec"]
    labels = spec["template"].get("metadata", {}).get("labels")
    if not spec.get("selector"):
        yield required("spec.selector")
    if not matches(spec.get("selector"), labels):
        why = "`selector` does not match template `labels`"
        yield wrong("spec.template.metadata.labels", labels, why)


def _replicas(obj: Json) -> Iterator[Cause]:
    replicas = obj["spec"].get("replicas", 0)
    if replicas < 0:
        yield wrong("spec.replicas", replicas, "must be greater than or equal to 0")


def _template(obj: Json) -> Iterator[Cause]:
    spec = obj["spec"]["template"]["spec"]
    yield from _pod_spec(spec, "spec.template.spec")
    if obj["kind"] not in ("Job",) and spec.get("restartPolicy") != "Always":
        value = json.dumps(spec["restartPolicy"])
        said = f'Unsupported value: {value}: supported values: "Always"'
        yield Cause("FieldValueNotSupported", "spec.template.spec.restartPolicy", said)


def _pod(obj: Json) -> Iterator[Cause]:
    yield from _pod_spec(obj["spec"], "spec")


def _pod_spec(spec: Json, path: str) -> Iterator[Cause]:
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    volumes = {each.get("name") for each in spec.get("volumes", [])}
    for kind in ("initContainers", "containers"):
        names = set[str]()
        for index, container in enumerate(spec.get(kind, [])):
            below = f"{path}.{kind}[{index}]"
            yield from _container(container, below, volumes)
            if container.get("name") in names:
                shown = json.dumps(container["name"])
                yield Cause("FieldValueDuplicate", f"{below}.name", f"Duplicate value: {shown}")
            names.add(container.get("name", ""))


def _container(container: Json, path: str, volumes: set[str | None]) -> Iterator[Cause]:
    name = container.get("name")
    if not name:
        yield required(f"{path}.name")
    elif not re.fullmatch(_LABEL, name):
        yield wrong(f"{path}.name", name, _NAME_RULES["label"][2])
    if not container.get("image"):
        yield required(f"{path}.image")
    for index, mount in enumerate(container.get("volumeMounts", [])):
        if mount.get("name") not in volumes:
            shown = json.dumps(mount.get("name"))
            field = f"{path}.volumeMounts[{index}].name"
            yield Cause("FieldValueNotFound", field, f"Not found: {shown}")
    for index, port in enumerate(container.get("ports", [])):
        if not 0 < port.get("containerPort", 0) < 65536:
            field = f"{path}.ports[{index}].containerPort"
            yield wrong(field, port.get("containerPort"), "must be between 1 and 65535, inclusive")


def _service_ports(obj: Json) -> Iterator[Cause]:
    spec = obj["spec"]
    is_headless = spec.get("clusterIP") == "None"
    if not spec.get("ports") and not is_headless and spec["type"] != "ExternalName":
        yield required("spec.ports")
    for index, port in enumerate(spec.get("ports", [])):
        if len(spec["ports"]) > 1 and not port.get("name"):
            yield required(f"spec.ports[{index}].name")


def _rolling(obj: Json) -> Iterator[Cause]:
    strategy = obj["spec"]["strategy"]
    rolling = strategy.get("rollingUpdate")
    path = "spec.strategy.rollingUpdate"
    if strategy["type"] == "Recreate" and rolling is not None:
        yield refused(path, "may not be specified when strategy `type` is 'Recreate'")
    elif rolling and all(rolling[key] in (0, "0%") for key in ("maxSurge", "maxUnavailable")):
        shown = rolling["maxUnavailable"]
        yield wrong(f"{path}.maxUnavailable", shown, "may not be 0 when `maxSurge` is 0")


def _selector_stays(obj: Json, before: Json) -> Iterator[Cause]:
    if obj["spec"].get("selector") != before["spec"].get("selector"):
        yield wrong("spec.selector", obj["spec"].get("selector"), "field is immutable")


def _stateful_stays(obj: Json, before: Json) -> Iterator[Cause]:
    changeable = {*_CHANGEABLE, _SHARED, "minReadySeconds"}
    fixed = [
        {key: value for key, value in each["spec"].items() if key not in changeable}
        for each in (obj, before)
    ]
    if fixed[0] != fixed[1]:
        yield refused("spec", _STATEFUL)


def _pod_stays(obj: Json, before: Json) -> Iterator[Cause]:
    if _fixed(obj["spec"]) != _fixed(before["spec"]):
        yield refused("spec", _POD)


def _fixed(spec: Json) -> Json:
    loose = ("activeDeadlineSeconds", "tolerations", "nodeName")
    fixed = {key: value for key, value in spec.items() if key not in loose}
    for kind in ("containers", "initContainers"):
        fixed[kind] = [{**each, "image": ""} for each in spec.get(kind, [])]
    return fixed


def _immutable_stays(obj: Json, before: Json) -> Iterator[Cause]:
    if not before.get("immutable"):
        return
    why = "field is immutable when `immutable` is set"
    if not obj.get("immutable"):
        yield refused("immutable", why)
    for key in ("data", "binaryData"):
        if obj.get(key) != before.get(key):
            yield refused(key, why)


def _cluster_ip_stays(obj: Json, before: Json) -> Iterator[Cause]:
    old, new = before["spec"].get("clusterIP"), obj["spec"].get("clusterIP")
    kinds = {obj["spec"]["type"], before["spec"]["type"]}
    if old and new != old and "ExternalName" not in kinds:
        yield wrong("spec.clusterIPs[0]", [new], "may not change once set")


def _revision_stays(obj: Json, before: Json) -> Iterator[Cause]:
    if obj.get("data") != before.get("data"):
        yield wrong("data", obj.get("data"), "field is immutable")


def _role_ref_stays(obj: Json, before: Json) -> Iterator[Cause]:
    if obj.get("roleRef") != before.get("roleRef"):
        yield wrong("roleRef", obj.get("roleRef"), "cannot change roleRef")


_WORKLOAD = (_selects_its_template, _replicas, _template)
_CHECKS: dict[r.Resource, tuple[Callable[[Json], Iterator[Cause]], ...]] = {
    r.DEPLOYMENTS: (*_WORKLOAD, _rolling),
    r.REPLICA_SETS: _WORKLOAD,
    r.STATEFUL_SETS: _WORKLOAD,
    r.DAEMON_SETS: (_selects_its_template, _template),
    r.PODS: (_pod,),
    r.SERVICES: (_service_ports,),
}
_UPDATE_CHECKS: dict[r.Resource, tuple[Callable[[Json, Json], Iterator[Cause]], ...]] = {
    r.DEPLOYMENTS: (_selector_stays,),
    r.REPLICA_SETS: (_selector_stays,),
    r.DAEMON_SETS: (_selector_stays,),
    r.STATEFUL_SETS: (_stateful_stays,),
    r.PODS: (_pod_stays,),
    r.CONFIG_MAPS: (_immutable_stays,),
    r.SECRETS: (_immutable_stays,),
    r.SERVICES: (_cluster_ip_stays,),
    r.REVISIONS: (_revision_stays,),
    r.BINDINGS: (_role_ref_stays,),
}
