"""What there is: enough of /version, /api and /apis for a client that looks around."""

from typing import Any

from .problems import unknown_path
from .resources import ALL

Json = dict[str, Any]
VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0",
    "gitTreeState": "clean",
    "platform": "linux/amd64",
}
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def look(path: str) -> Json | str | None:
    """None for a path that leads to objects."""
    parts = path.strip("/").split("/")
    match parts:
        case ["version"]:
            return VERSION
        case ["healthz" | "livez" | "readyz"]:
            return "ok"
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            groups = sorted({(each.group, each.version) for each in ALL if each.group})
            return {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [_group(*each) for each in groups],
            }
        case ["api", version]:
            return _resources("", version)
        case ["apis", group, version]:
            return _resources(group, version)
    return None


def _group(group: str, version: str) -> Json:
    shown = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [shown], "preferredVersion": shown}


def _resources(group: str, version: str) -> Json:
    known = [each for each in ALL if (each.group, each.version) == (group, version)]
    if not known:
        raise unknown_path()
    listed: list[Json] = []
    for each in known:
        listed.append(_resource(each.plural, each.namespaced, each.kind, each.short))
        for sub in each.subresources:
            kind = "Scale" if sub == "scale" else each.kind
            listed.append(_resource(f"{each.plural}/{sub}", each.namespaced, kind, ()))
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": listed,
    }


def _resource(name: str, is_namespaced: bool, kind: str, short: tuple[str, ...]) -> Json:
    verbs = ["get", "patch", "update"] if "/" in name else _VERBS
    return {
        "name": name,
        "singularName": "" if "/" in name else kind.lower(),
        "namespaced": is_namespaced,
        "kind": kind,
        "verbs": verbs,
        **({"shortNames": list(short)} if short else {}),
    }
