"""What a release will be made from, and what it is to have in the end."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollbacks.platforms import numbering
from rollbacks.platforms.artifacts.images import image_of
from rollbacks.platforms.base import StepSpec
from rollbacks.platforms.pcf import counts, destinations, routes, series, states
from rollbacks.platforms.pcf.apps import App
from rollbacks.platforms.pcf.calls import Looks
from rollbacks.platforms.pcf.destinations import Route
from rollbacks.platforms.pcf.filling import Filled


def manifest_of(spec: StepSpec) -> Filled:
    """Raises PlatformError."""
    return Filled(spec.settings, spec.variables)


def image_for(spec: StepSpec, manifest: Filled) -> str:
    """Empty where the artifact is a package of bits."""
    if manifest.image:
        return manifest.image
    if spec.artifact and spec.artifact.artifact_type == "DOCKER_IMAGE":
        return image_of(spec.artifact)
    return ""


def own_routes(looks: Looks, found: Sequence[App], final: Mapping[str, object]) -> list[Route]:
    """Those of the target, and those of these apps."""
    own = {*final, *looks.target.settings["temporary_routes"]}
    guids = {each.guid for each in found}
    return [each for each in looks.routes() if each.url in own or guids & set(each.apps)]


def serving(active: Sequence[App], found: Sequence[Route], temporary: Sequence[str]) -> App | None:
    """The newest of those to whom more than testers are sent; the newest of all where none is."""
    apps = {app for route in found if route.url not in temporary for app in route.apps}
    return next((each for each in active if each.guid in apps), next(iter(active), None))


def planned(looks: Looks, spec: StepSpec) -> dict[str, Any]:
    """What a capture keeps: the apps and routes of before, and all that the new one is made from.

    Whoever goes on after a dead worker finds the plan, and makes the very same app.
    """
    manifest = manifest_of(spec)
    final = routes.final_of(looks, manifest)
    every = looks.apps()
    active = [each for each in every if each.is_active]
    found = own_routes(looks, active, final)
    now = serving(active, found, looks.target.settings["temporary_routes"])
    number = numbering.next_number(looks.numbers())
    running = now.counts if now else {}
    return {
        "apps": states.kept(states.states_of(looks, active)),
        "routes": destinations.kept(found),
        "serving": now.guid if now else "",
        "name": series.name_of(looks.key, number),
        "number": number,
        "desired": counts.desired(
            manifest.counts, running, match_running=bool(spec.settings["match_running"])
        ),
        "before": {each.guid: each.counts for each in active},
        "superfluous": _superfluous(every, int(spec.settings["keep"])),
    }


def _superfluous(every: Sequence[App], kept: int) -> list[str]:
    """Apps without instances beyond the newest few. One that has any is never among them, and so
    never the predecessor."""
    idle = [each for each in every if not each.is_active]
    return [each.guid for each in idle[kept:]]


def planned_counts(app: App) -> dict[str, int]:
    """What the app is to have in the end, by its annotation; what it has, where that is gone."""
    found = app.said(series.DESIRED)
    return dict(found) if isinstance(found, dict) else app.counts


def final_routes(app: App) -> dict[str, str | None]:
    """Where everybody is to be sent to this app."""
    found = app.said(series.ROUTES)
    return dict(found) if isinstance(found, dict) else {}
