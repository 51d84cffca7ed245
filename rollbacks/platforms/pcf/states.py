"""What a capture keeps of an app, and an undo returns to.

Of what may be secret (environment, commands) there are only digests: they tell that something is
another, and never what it is.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rollbacks.platforms.pcf import scaling
from rollbacks.platforms.pcf.apps import App
from rollbacks.platforms.pcf.calls import Looks
from rollbacks.platforms.pcf.loads import Load, load_of

_DIGEST = 32
_CHECKS = ("health_check", "readiness_health_check")


@dataclass(frozen=True)
class State:
    """`processes` by type: their sizes, digest of the command, health checks. `revision`: where
    Cloud Foundry itself keeps this environment, or empty. `policy`: of App Autoscaler."""

    name: str
    is_started: bool
    droplet: str
    environment: str
    revision: str
    processes: Mapping[str, Mapping[str, Any]]
    bindings: tuple[str, ...] = ()
    sidecars: tuple[Mapping[str, Any], ...] = ()
    features: Mapping[str, bool] = field(default_factory=dict)
    policy: Mapping[str, Any] | None = None

    @classmethod
    def parsed(cls, kept: Mapping[str, Any]) -> "State":
        """Out of a capture."""
        tuples = {key: tuple(kept[key]) for key in ("bindings", "sidecars")}
        return cls(**{**kept, **tuples})

    @property
    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return found

    @property
    def counts(self) -> dict[str, int]:
        return {
            kind: int(each["instances"]) if self.is_started else 0
            for kind, each in self.processes.items()
        }

    @property
    def load(self) -> Load:
        """Of all its instances."""
        return load_of(self.processes, self.counts)

    @property
    def identity(self) -> dict[str, Any]:
        """What of it decides what runs. How many instances of web there are is no part of it where
        a policy of its own says that."""
        found = self.as_json
        for key in ("name", "revision", "features"):
            del found[key]
        if self.policy is not None and "web" in found["processes"]:
            found["processes"]["web"].pop("instances", None)
        return found


def digest(app: str, thing: object) -> str:
    """Of the same thing it is another for each app."""
    text = json.dumps([app, thing], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def state_of(looks: Looks, app: App, *, is_whole: bool = True) -> State:
    """Not whole: without what is no part of its identity. Raises PlatformError."""
    environment = digest(app.guid, environment_of(looks, app.guid))
    return State(
        name=app.name,
        is_started=app.is_started,
        droplet=droplet_of(looks, app),
        environment=environment,
        revision=_revision(looks, app.guid, environment) if is_whole else "",
        processes={kind: _process(looks, app, kind) for kind in sorted(app.processes)},
        bindings=tuple(_bindings(looks, app.guid)),
        sidecars=tuple(_sidecars(looks, app.guid)),
        features=features_of(looks, app.guid) if is_whole else {},
        policy=scaling.policy_of(looks.api, looks.target.settings["autoscaler"], app.guid),
    )


def states_of(looks: Looks, found: Iterable[App], *, is_whole: bool = True) -> dict[str, State]:
    """By the GUID of the app."""
    return {each.guid: state_of(looks, each, is_whole=is_whole) for each in found}


def kept(states: Mapping[str, State]) -> dict[str, Any]:
    """As JSON, by GUID."""
    return {guid: each.as_json for guid, each in states.items()}


def states_in(captured: Mapping[str, Any]) -> dict[str, State]:
    """What a capture kept, by GUID."""
    return {guid: State.parsed(each) for guid, each in captured["apps"].items()}


def old_in(captured: Mapping[str, Any], new: str) -> dict[str, State]:
    """What a capture kept of all apps but the new one. `new`: its GUID, empty where it is gone."""
    ours = {new, captured.get("new", "")}
    return {guid: each for guid, each in states_in(captured).items() if guid not in ours}


def droplet_of(looks: Looks, app: App) -> str:
    """The GUID of its current one, or empty. An older API tells it only where it is asked."""
    related = app.described["relationships"]
    if "current_droplet" in related:
        return str((related["current_droplet"]["data"] or {}).get("guid", ""))
    found = looks.api.find(f"/v3/apps/{app.guid}/droplets/current") or {}
    return str(found.get("guid", ""))


def environment_of(looks: Looks, app: str) -> dict[str, str]:
    found: dict[str, str] = looks.api.get(f"/v3/apps/{app}/environment_variables").get("var") or {}
    return found


def environment_in(looks: Looks, revision: str) -> dict[str, str] | None:
    """None where the revision is gone."""
    found = looks.api.find(f"/v3/revisions/{revision}/environment_variables")
    return None if found is None else found.get("var") or {}


def _revision(looks: Looks, app: str, environment: str) -> str:
    """The newest one, where it holds the environment that the app has."""
    path = f"/v3/apps/{app}/revisions"
    found = looks.api.get(path, per_page="1", order_by="-created_at").get("resources") or ()
    for each in found:
        guid = str(each["guid"])
        if digest(app, environment_in(looks, guid)) == environment:
            return guid
    return ""


def _process(looks: Looks, app: App, kind: str) -> dict[str, Any]:
    """Asked for by itself, since a list does not tell its command."""
    described = looks.api.get(f"/v3/processes/{app.processes[kind].guid}")
    checks = {key: described[key] for key in _CHECKS if described.get(key)}
    return {
        **app.processes[kind].sizes,
        "command": digest(app.guid, described.get("command")),
        **checks,
    }


def _bindings(looks: Looks, app: str) -> list[str]:
    """The GUIDs of the service instances that it is bound to."""
    found = looks.api.pages("/v3/service_credential_bindings", app_guids=app, type="app")
    return sorted(str(each["relationships"]["service_instance"]["data"]["guid"]) for each in found)


def _sidecars(looks: Looks, app: str) -> list[dict[str, Any]]:
    found = [
        {
            "name": each["name"],
            "process_types": sorted(each["process_types"]),
            "memory_in_mb": each.get("memory_in_mb"),
            "command": digest(app, each.get("command")),
        }
        for each in looks.api.pages(f"/v3/apps/{app}/sidecars")
    ]
    return sorted(found, key=lambda each: str(each["name"]))


def features_of(looks: Looks, app: str) -> dict[str, bool]:
    found = looks.api.pages(f"/v3/apps/{app}/features")
    return {str(each["name"]): bool(each["enabled"]) for each in found}
