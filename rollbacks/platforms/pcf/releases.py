"""The app that a release brings: made once by its plan, and taken away by the undo."""

import json
from collections.abc import Mapping
from typing import Any

from rollbacks.platforms import numbering
from rollbacks.platforms.base import PlatformError, Running
from rollbacks.platforms.pcf import (
    bits,
    destinations,
    plans,
    routes,
    scaling,
    series,
    states,
    waits,
)
from rollbacks.platforms.pcf.answers import Absent
from rollbacks.platforms.pcf.apps import App, of_release
from rollbacks.platforms.pcf.calls import Call
from rollbacks.platforms.pcf.filling import Filled
from rollbacks.platforms.pcf.force import is_in_force
from rollbacks.platforms.pcf.settings import TEMPORARY

Captured = Mapping[str, Any]


class Release:
    """The app of one release, while it is brought or taken away."""

    def __init__(self, call: Call, captured: Captured) -> None:
        self._call = call
        self._captured = captured

    def bring(self) -> Running | None:
        """The app is there with its droplet, started, without instances, on its first routes."""
        manifest = plans.manifest_of(self._call.spec)
        image = plans.image_for(self._call.spec, manifest)
        app = self._made(manifest, bool(image))
        return (
            self._apply(app, manifest)
            or bits.bring(self._call, app, image)
            or self._empty()
            or self._map(app, manifest)
        )

    def _made(self, manifest: Filled, is_docker: bool) -> App:
        found = of_release(self._call.apps(), self._call.spec.release)
        if found is None:
            self._call.write("POST", "/v3/apps", self._creation(manifest, is_docker))
            found = self._call.new_app(self._call.apps())
        return found

    def _creation(self, manifest: Filled, is_docker: bool) -> dict[str, Any]:
        data = {"stack": manifest.stack} if manifest.stack else {}
        buildpack = {"type": "buildpack", "data": {"buildpacks": manifest.buildpacks, **data}}
        return {
            "name": self._captured["name"],
            "lifecycle": {"type": "docker", "data": {}} if is_docker else buildpack,
            "relationships": {"space": {"data": {"guid": self._call.space_guid}}},
            "metadata": {
                "labels": {**manifest.labels, series.SERIES: self._call.label},
                "annotations": {**manifest.annotations, **self._annotations(manifest)},
            },
        }

    def _annotations(self, manifest: Filled) -> dict[str, str]:
        release, captured = self._call.spec.release, self._captured
        old = captured["apps"].get(captured["serving"]) or {}
        said = {
            series.BEFORE: ("The counts of the old apps", captured["before"]),
            series.DESIRED: ("The counts of the new app", captured["desired"]),
            series.ROUTES: ("The routes", routes.final_of(self._call, manifest)),
            series.POLICY: ("The autoscaling policy of the old app", old.get("policy")),
        }
        return {
            series.RELEASE: release,
            series.VERSION: numbering.version_of(release),
            series.NUMBER: str(captured["number"]),
            series.RESIZE: str(self._call.spec.settings["resize"]),
            **{
                key: series.require_short(what, json.dumps(each))
                for key, (what, each) in said.items()
            },
        }

    def _apply(self, app: App, manifest: Filled) -> Running | None:
        """Its manifest is in force."""
        call, wanted = self._call, manifest.document(app.name)
        if not is_in_force(wanted, call.api.text(f"/v3/apps/{app.guid}/manifest")):
            job = call.api.apply_manifest(call.control, call.space_guid, wanted)
            call.has_changed = True
            if waits_for := waits.job(call, job.location, "apply the manifest"):
                return waits_for
        now = states.features_of(call, app.guid) if manifest.features else {}
        for name, is_on in manifest.features.items():
            if now.get(name) != is_on:
                path = f"/v3/apps/{app.guid}/features/{name}"
                call.write("PATCH", path, {"enabled": is_on})
        return None

    def _empty(self) -> Running | None:
        """Started, so that it can be resized, but without any instance."""
        app = self._call.new_app(self._call.apps())
        for kind in app.processes:
            self._call.scale(app, kind, instances=0)
        self._call.start(app)
        return None

    def _map(self, app: App, manifest: Filled) -> Running | None:
        """Its first routes send people to it, as soon as it has instances; temporary ones to no
        other app of the series any more."""
        call = self._call
        if call.spec.settings["routes"] == TEMPORARY:
            others = [each.guid for each in call.apps() if each.guid != app.guid]
            found = routes.made(call, routes.temporary_of(call)).values()
            pairs = [
                (
                    each,
                    destinations.with_app(
                        destinations.without(each.destinations, others), app.guid
                    ),
                )
                for each in found
            ]
            return routes.bring(call, pairs, overlap=0)
        wanted = routes.final_of(call, manifest)
        return routes.bring(
            call,
            [
                (each, destinations.with_app(each.destinations, app.guid, wanted[text]))
                for text, each in routes.made(call, wanted).items()
            ],
            overlap=0,
        )

    def clean(self) -> None:
        """Delete what was superfluous already at capture. What cannot be deleted holds up
        nothing: the next deployment tries again."""
        for app in self._call.apps():
            if app.guid not in self._captured["superfluous"] or app.is_active:
                continue
            try:
                self._call.delete(app)
            except PlatformError as error:
                if not error.permanent:
                    raise
                self._call.control.log(self._call.key, f"{app.name} is left there: {error}")

    def end(self) -> Running | None:
        """The app without instances is deleted, or stays as one of the newest few; routes that it
        alone had go with it. None once that is so."""
        call = self._call
        app = of_release(call.apps(), call.spec.release)
        if app is not None and call.spec.settings["after_rollback"] == "DELETE":
            try:
                job = call.delete(app)
            except Absent:
                job = None
            if job and (waits_for := waits.job(call, job.location, f"delete {app.name}")):
                return waits_for
        for route in call.routes():
            if route.release == call.spec.release and not route.destinations:
                job = call.write("DELETE", f"/v3/routes/{route.guid}")
                if waits_for := waits.job(call, job.location, f"delete the route {route.url}"):
                    return waits_for
        return None


def finish(call: Call, new: App) -> None:
    """The release is whole: it scales by itself as the one before it did."""
    policy = new.said(series.POLICY)
    if policy is not None:
        scaling.bring(call, new.guid, policy)
