"""What is asked of Cloud Foundry about the apps of a target, and what is told it.

Every change is asked for only where it is still missing; what it became is seen by looking again.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from rollbacks.platforms import numbering
from rollbacks.platforms.base import Control, PlatformError, StepSpec, TargetRef
from rollbacks.platforms.pcf import apps, series
from rollbacks.platforms.pcf.api import Answer, Api
from rollbacks.platforms.pcf.apps import STARTED, App, Process
from rollbacks.platforms.pcf.destinations import Route, route_of

MOST_GUIDS = 50  # in one request, for the sake of its length


class Looks:
    """What can be read about a target's apps."""

    def __init__(self, target: TargetRef) -> None:
        self.target = target
        self.api = Api(target)
        self.label = series.label_of(target)

    @property
    def key(self) -> str:
        """The instance that the series is."""
        return series.key_of(self.target)

    @cached_property
    def organization(self) -> Mapping[str, Any]:
        """PlatformError where there is none that we could see."""
        name = str(self.target.settings["organization"])
        found = next(self.api.pages("/v3/organizations", names=name), None)
        if found is None:
            raise PlatformError(
                f"There is no organization {name} that {self.api.person.name} could see.",
                permanent=True,
            )
        return found

    @cached_property
    def space(self) -> Mapping[str, Any]:
        """PlatformError where there is none that we could see."""
        organization, name = (str(self.target.settings[key]) for key in ("organization", "space"))
        within = {"organization_guids": self.organization_guid}
        space = next(self.api.pages("/v3/spaces", names=name, **within), None)
        if space is None:
            raise PlatformError(
                f"The organization {organization} has no space {name} that {self.api.person.name} "
                "could see.",
                permanent=True,
            )
        return space

    @property
    def space_guid(self) -> str:
        return str(self.space["guid"])

    @property
    def organization_guid(self) -> str:
        return str(self.organization["guid"])

    def apps(self) -> list[App]:
        """All of the series, newest first; by label."""
        found = list(
            self.api.pages(
                "/v3/apps",
                space_guids=self.space_guid,
                label_selector=f"{series.SERIES}={self.label}",
            )
        )
        return apps.apps_of(found, self._processes(str(each["guid"]) for each in found))

    def _processes(self, guids: Iterable[str]) -> list[Process]:
        found = self._of_apps("/v3/processes", "app_guids", guids)
        return [apps.process_of(each) for each in found]

    def _of_apps(self, path: str, parameter: str, guids: Iterable[str]) -> Iterator[dict[str, Any]]:
        every = sorted(set(guids))
        for first in range(0, len(every), MOST_GUIDS):
            part = ",".join(every[first : first + MOST_GUIDS])
            yield from self.api.pages(path, **{parameter: part})

    def there(self, guids: Iterable[str]) -> set[str]:
        """Which of these apps, whosever they are, exist."""
        return {str(each["guid"]) for each in self._of_apps("/v3/apps", "guids", guids)}

    def numbers(self) -> list[int]:
        """All that names in the space have taken, whosever they are."""
        names = (
            str(each["name"]) for each in self.api.pages("/v3/apps", space_guids=self.space_guid)
        )
        found = (numbering.number_in(self.key, name) for name in names)
        return [each for each in found if each is not None]

    def routes(self) -> list[Route]:
        """Every route of the space."""
        found = self.api.pages("/v3/routes", space_guids=self.space_guid)
        return [route_of(each) for each in found]


class Call(Looks):
    """One capture, apply or undo of a step. `has_changed`: whether it has asked for any change."""

    def __init__(self, target: TargetRef, spec: StepSpec, control: Control) -> None:
        super().__init__(target)
        self.spec = spec
        self.control = control
        self.has_changed = False

    def write(self, method: str, path: str, body: object = None) -> Answer:
        """Change something, if this worker still may."""
        found = self.api.write(self.control, method, path, body)
        self.has_changed = True
        return found

    def new_app(self, found: Iterable[App]) -> App:
        """That of this release; PlatformError where no earlier step has brought it."""
        new = apps.of_release(found, self.spec.release)
        if new is None:
            raise PlatformError(
                f"No app of this release is there: the workflow needs a setup before the step "
                f"{self.spec.name}.",
                permanent=True,
            )
        return new

    def scale(self, app: App, kind: str, **sizes: int) -> None:
        """Let each instance of that type be so large, and let there be so many."""
        process = app.processes.get(kind)
        changed = {
            key: each for key, each in sizes.items() if process and process.sizes.get(key) != each
        }
        if changed:
            self.write("POST", f"/v3/apps/{app.guid}/processes/{kind}/actions/scale", changed)

    def start(self, app: App) -> None:
        if app.described["state"] != STARTED:
            self.write("POST", f"/v3/apps/{app.guid}/actions/start")

    def stop(self, app: App) -> None:
        if app.described["state"] == STARTED:
            self.write("POST", f"/v3/apps/{app.guid}/actions/stop")

    def use(self, app: str, droplet: str) -> None:
        """Instances that start from now on run this droplet."""
        path = f"/v3/apps/{app}/relationships/current_droplet"
        self.write("PATCH", path, {"data": {"guid": droplet}})

    def delete(self, app: App) -> Answer:
        """Delete an app of ours with all that is its own."""
        if app.label != self.label:
            raise PlatformError(f"{app.name} is not ours: it is not deleted.", permanent=True)
        return self.write("DELETE", f"/v3/apps/{app.guid}")
