"""The instances, as plain data, and the log of everything that was done and seen there."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Parts = Mapping[str, str]


class Verb(StrEnum):
    CAPTURE = "capture"
    APPLY = "apply"
    UNDO = "undo"


@dataclass(frozen=True)
class Call:
    """One call that reached an instance. `has_effect`: `part` went from `before` to `after`.

    `lease_epoch`, `lease_until` and `step_status` are what the database said at that moment.
    `undisturbed_since` is when the calling process last did not run as it wished: until it has
    run for a moment again, it cannot know what happened meanwhile.
    """

    at: int
    worker: str
    deployment: int
    epoch: int
    step: int
    instance: str
    verb: Verb
    part: str
    before: str
    after: str
    has_effect: bool
    lease_epoch: int
    lease_until: int
    step_status: str
    undisturbed_since: int = 0


@dataclass(frozen=True)
class Look:
    """One look at all instances that was answered; `deployment` is the execution that looked."""

    at: int
    deployment: int
    epoch: int


@dataclass(frozen=True)
class Write:
    """One commit to the journal by the worker that claimed with `epoch`; `newest` is the row's."""

    at: int
    worker: str
    deployment: int
    epoch: int
    newest: int


@dataclass(frozen=True)
class RightsChange:
    """Somebody lost (or got back) what they need to roll back and to deploy."""

    at: int
    person: str
    is_held: bool


@dataclass(frozen=True)
class Confirmation:
    """Somebody was told that this rollback of that deployment is under way."""

    at: int
    person: str
    deployment: int
    rollback: int


@dataclass
class World:
    """What each part of each instance runs; what is wrong there; what has happened."""

    instances: dict[str, dict[str, str]]
    silent: set[str] = field(default_factory=set)
    broken: set[tuple[Verb, str, str]] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    rights: list[RightsChange] = field(default_factory=list)
    confirmations: list[Confirmation] = field(default_factory=list)

    def heal(self) -> None:
        """Every instance answers again, and does what it is told."""
        self.silent.clear()
        self.broken.clear()


def identity(parts: Parts) -> str:
    """Exactly what an instance runs; empty where nothing of ours does."""
    return json.dumps(parts, sort_keys=True) if any(parts.values()) else ""


def version(parts: Parts) -> str:
    """The version, where all parts are of one."""
    found = {release.partition("-")[2] for release in parts.values()}
    return found.pop() if len(found) == 1 else "mixed"


def replayed(
    initial: Mapping[str, Parts], calls: Iterable[Call], until: int
) -> dict[str, dict[str, str]]:
    """What each instance ran at that time, out of the log alone."""
    found = {instance: dict(parts) for instance, parts in initial.items()}
    for call in calls:
        if call.at <= until and call.has_effect:
            found[call.instance][call.part] = call.after
    return found
