"""From an artifact to a droplet: a package of bits or of an image, staged, once for each app.

A package whose staging failed is deleted, so that a step that is tried again begins anew.
"""

from typing import Any

from rollbacks.platforms import waits
from rollbacks.platforms.artifacts.payload import prepared
from rollbacks.platforms.base import PlatformError, Running
from rollbacks.platforms.pcf import packing, registries
from rollbacks.platforms.pcf.answers import Refused
from rollbacks.platforms.pcf.apps import App
from rollbacks.platforms.pcf.calls import Call

_UPLOADING = ("AWAITING_UPLOAD",)
_PROCESSING = ("PROCESSING_UPLOAD", "COPYING")
_STAGING = ("STAGING",)
_READY, _STAGED = "READY", "STAGED"
Found = dict[str, Any]


def bring(call: Call, app: App, image: str) -> Running | None:
    """The app has its droplet. `image`: empty where the artifact is a package of bits."""
    if call.api.find(f"/v3/apps/{app.guid}/droplets/current"):
        return None
    package = _package(call, app, image)
    if package["state"] in _UPLOADING:
        _upload(call, package)
    at = f"/v3/packages/{package['guid']}"
    taken = _settled(call, at, (*_UPLOADING, *_PROCESSING), "package")
    if isinstance(taken, Running):
        return taken
    if taken["state"] != _READY:
        raise _failure(call, package, taken, "take the package")
    staged = _settled(call, f"/v3/builds/{_build(call, package)['guid']}", _STAGING, "staging")
    if isinstance(staged, Running):
        return staged
    if staged["state"] != _STAGED:
        raise _failure(call, package, staged, "stage the package")
    call.use(app.guid, str(staged["droplet"]["guid"]))
    return None


def _package(call: Call, app: App, image: str) -> Found:
    """The one there is, made where there is none."""
    found = next(call.api.pages(f"/v3/apps/{app.guid}/packages", order_by="-created_at"), None)
    if found is not None:
        return found
    login = registries.login_for(call.target, image)
    data = {"data": {"image": image, **login}} if image else {}
    return call.write(
        "POST",
        "/v3/packages",
        {
            "type": "docker" if image else "bits",
            "relationships": {"app": {"data": {"guid": app.guid}}},
            **data,
        },
    ).document


def _upload(call: Call, package: Found) -> None:
    if call.spec.artifact is None:
        raise PlatformError("There is no artifact to deploy.", permanent=True)
    call.control.log(call.key, f"Packing and uploading {call.spec.artifact.version}")
    with prepared(call.spec.artifact, call.control.safe_point, packing.repack) as packed:
        packed.seek(0)
        call.api.upload(call.control, f"/v3/packages/{package['guid']}/upload", packed)
    call.has_changed = True


def _build(call: Call, package: Found) -> Found:
    """The newest of the package, begun where there is none."""
    found = call.api.pages("/v3/builds", package_guids=package["guid"], order_by="-created_at")
    newest = next(found, None)
    return (
        newest or call.write("POST", "/v3/builds", {"package": {"guid": package["guid"]}}).document
    )


def _settled(call: Call, path: str, waiting: tuple[str, ...], what: str) -> Found | Running:
    """The thing, once it is in no state that passes."""
    seen: list[Found] = []

    def missing() -> dict[str, str]:
        seen[:] = [call.api.get(path)]
        state = str(seen[0]["state"])
        return {call.key: f"The {what} is {state}"} if state in waiting else {}

    return waits.until(call.control, missing, lambda: "") or seen[0]


def _failure(call: Call, package: Found, failed: Found, what: str) -> Refused:
    call.write("DELETE", f"/v3/packages/{package['guid']}")
    said = failed.get("error") or (failed.get("data") or {}).get("error") or failed["state"]
    return Refused(f"Cloud Foundry could not {what}: {said}")
