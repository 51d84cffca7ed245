"""What AWS says of services in place before they are updated: rights, differences, drift."""

from collections.abc import Iterable, Iterator, Mapping

from rollbacks.platforms.aws.rights import inspected
from rollbacks.platforms.base import Difference, Inspection, PlatformError, StepSpec, TargetRef
from rollbacks.platforms.differences import lines
from rollbacks.platforms.ecs import checks, rights, services
from rollbacks.platforms.ecs.calls import Looks
from rollbacks.platforms.ecs.definitions import Definition, short, taking
from rollbacks.platforms.ecs.inspecting import Captured, who_else
from rollbacks.platforms.ecs.scaling import Scaling
from rollbacks.platforms.ecs.services import Service


def of_rollout(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Inspection:
    """Of services in place: what differs, and whether they can be brought there."""
    looks = Looks(target)
    if problems := tuple(checks.of_cluster(looks)):
        return Inspection(problems=problems)
    found = looks.named(spec.instances)
    models = {} if captured else _models(looks, spec, found.values())
    account = rights.Account(looks.api.caller, str(target.connector["region"]), looks.cluster)
    allowed = inspected(
        looks.api,
        rights.of_rollout(
            account,
            spec.instances,
            {each.family for each in models.values()},
            {role for each in models.values() for role in each.roles},
            is_undo=captured is not None,
        ),
    )
    if allowed.problems:
        return allowed
    scalings = looks.scalings(found)
    if scalings or _was_scaled(captured):
        more = inspected(looks.api, rights.of_scaling(account))
        if more.problems:
            return more
    gone = [
        f"The cluster {looks.cluster} has no service {name}"
        for name in spec.instances
        if name not in found
    ]
    seen = _Seen(looks, spec, found, scalings)
    if captured is None:
        differences, problems = seen.forwards(models)
    else:
        differences, problems = seen.backwards(captured)
    warnings = (*allowed.warnings, *seen.drift(captured), *who_else(found.values()))
    return Inspection(tuple(differences), warnings, (*gone, *problems))


def _was_scaled(captured: Captured | None) -> bool:
    return any(each.get("scaling") for each in (captured or {}).get("services", {}).values())


class _Seen:
    """Services in place, as an inspection finds them."""

    def __init__(
        self,
        looks: Looks,
        spec: StepSpec,
        found: Mapping[str, Service],
        scalings: Mapping[str, Scaling],
    ) -> None:
        self._looks = looks
        self._spec = spec
        self._found = found
        self._scalings = scalings

    def forwards(
        self, models: Mapping[str, Definition]
    ) -> tuple[list[Difference], tuple[str, ...]]:
        differences: list[Difference] = []
        problems: list[str] = []
        image = self._spec.artifact.location if self._spec.artifact else ""
        for name, service in self._found.items():
            problems += checks.of_service(self._looks, service)
            problems += checks.of_definition(self._looks, models[name])
            try:
                taken = taking(models[name], image, self._spec.settings["containers"])
            except PlatformError as error:
                problems.append(str(error))
                continue
            now = {each: models[name].images[each] for each in taken}
            differences.append(Difference(name, "images", lines(now, dict.fromkeys(taken, image))))
        problems += checks.of_places(self._looks, self._found.values())
        return differences, tuple(dict.fromkeys(problems))

    def backwards(self, captured: Captured) -> tuple[list[Difference], tuple[str, ...]]:
        differences: list[Difference] = []
        problems: list[str] = []
        for name, service in self._found.items():
            was, scaling = captured["services"][name], self._scalings.get(name)
            problems += checks.of_revision(self._looks, name, was["definition"])
            now = {
                "task definition": short(service.definition),
                "tasks": None if was["count"] is None else service.desired,
                "settings": services.settings_of(service),
                "scaling": scaling.as_json if scaling else None,
            }
            then = {
                "task definition": short(was["definition"]),
                "tasks": was["count"],
                "settings": was["settings"],
                "scaling": was.get("scaling"),
            }
            if changed := lines(now, then):
                differences.append(Difference(name, name, changed))
        problems += checks.of_places(self._looks, self._found.values())
        return differences, tuple(problems)

    def drift(self, captured: Captured | None) -> Iterator[str]:
        """What somebody else has done since the deployment that is to be undone."""
        if captured is None:
            return
        for name, service in self._found.items():
            if service.definition == captured["services"][name]["definition"]:
                continue
            if self._looks.definition(service.definition).release != self._spec.release:
                yield (
                    f"{name} runs {short(service.definition)}, which this deployment did not "
                    "bring: somebody has changed it since"
                )


def _models(looks: Looks, spec: StepSpec, found: Iterable[Service]) -> dict[str, Definition]:
    """What each service's new revision is made after, by its name."""
    named = spec.settings["task_definition"]
    return {each.name: looks.definition(named or each.definition) for each in found}
