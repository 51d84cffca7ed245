"""A little Diego: instances of processes, that live as their version fares."""

from dataclasses import dataclass, field

from . import records as r
from .fates import NOTHING, Look
from .state import State


@dataclass
class Instance:
    """`until`: the moment at which it is gone, once it was told to stop."""

    index: int
    since: float
    version: str
    guid: str = field(default_factory=r.new_guid)
    until: float | None = None


@dataclass(frozen=True)
class Seen:
    instance: Instance
    look: Look


def reconcile(state: State, process: r.Process) -> None:
    """As many instances as are wanted; those that stay are left alone."""
    app = state.get(r.App, process.app)
    wanted = process.instances if app.state == "STARTED" else 0
    held = _of(state, process)
    present = _present(held)
    for each in present[wanted:]:
        each.until = state.clock.now + state.timing.stop
    for index in range(len(present), wanted):
        held.append(_started(state, process, index))


def restart(state: State, process: r.Process) -> None:
    """All instances anew, with what the app has now: droplet, environment, command."""
    app = state.get(r.App, process.app)
    process.droplet = app.droplet
    process.version = r.new_guid()
    retire(state, process)
    reconcile(state, process)


def retire(state: State, process: r.Process) -> None:
    for each in _of(state, process):
        each.until = each.until or state.clock.now + state.timing.stop


def seen(state: State, process: r.Process) -> list[Seen]:
    """What is there and was not told to stop, by index."""
    present = _present(_of(state, process))
    return [Seen(each, look(state, each)) for each in present]


def answering(state: State, process: r.Process) -> list[Instance]:
    """Those that a router may send requests to; what is stopping still ends what it has begun."""
    return [each for each in _of(state, process) if look(state, each).is_routable]


def look(state: State, instance: Instance) -> Look:
    age = state.clock.now - instance.since
    return state.fates.look(instance.version, instance.index, age)


def _of(state: State, process: r.Process) -> list[Instance]:
    held: list[Instance] = state.instances.setdefault(process.guid, [])
    held[:] = [each for each in held if each.until is None or each.until > state.clock.now]
    return held


def _started(state: State, process: r.Process, index: int) -> Instance:
    droplet = state.find(r.Droplet, process.droplet)
    is_there = droplet is not None and droplet.state == "STAGED"
    version = droplet.version if droplet is not None and is_there else NOTHING
    return Instance(index, state.clock.now, version)


def replace(state: State, process: r.Process, index: int) -> bool:
    """One instance anew, as it runs now; False if there is none."""
    for each in _of(state, process):
        if each.index == index and each.until is None:
            each.until = state.clock.now + state.timing.stop
            anew = Instance(index, state.clock.now, each.version)
            state.instances[process.guid].append(anew)
            return True
    return False


def _present(held: list[Instance]) -> list[Instance]:
    staying = (each for each in held if each.until is None)
    return sorted(staying, key=lambda each: each.index)
