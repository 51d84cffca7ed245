"""Goes to every instance at the same time; none waits for another, and none is heard later for one.

Runs asynchronous work inside of the engine's synchronous calls, and stops it when told to.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from rollbacks.platforms.base import (
    Control,
    Done,
    InstanceOutcome,
    OutcomeState,
    PlatformError,
    Progress,
    Running,
)

WATCH_SECONDS = 0.5
AGAIN_SECONDS = 3.0
NAMED = 6
Result = TypeVar("Result")


class Place(Protocol):
    """Where to go: a host, a workload, …; by the key of the instance."""

    @property
    def name(self) -> str: ...


Anywhere = TypeVar("Anywhere", bound=Place)


class Stay:
    """What calls of one thread may leave open for its next calls: by its key, and how it is closed.

    Between calls nothing of it moves: whoever takes it up again must see whether it still lives.
    `may_look` raises Stopped once the execution is another worker's: then its looks are, too.
    """

    def __init__(self, may_look: Callable[[], None]) -> None:
        self.may_look = may_look
        self.runner = asyncio.Runner()
        self.threads = 0
        self.left: dict[object, Any] = {}
        self.endings: list[Callable[[], Coroutine[Any, Any, None]]] = []

    def close(self) -> None:
        try:
            for ending in self.endings:
                self.runner.run(ending())
        finally:
            self.runner.close()


_here = threading.local()


@contextmanager
def staying(may_look: Callable[[], None]) -> Iterator[None]:
    """The calls that this thread makes within are of one execution."""
    _here.stay = stay = Stay(may_look)
    try:
        yield
    finally:
        _here.stay = None
        stay.close()


def stay() -> Stay | None:
    """Of the execution that this thread works on; None where a call is all there is."""
    found: Stay | None = getattr(_here, "stay", None)
    return found


def checkpoint_of(control: Control | None) -> Callable[[], None]:
    """What is asked before anything is sent: of the step, or of the execution that only looks."""
    if control is not None:
        return control.checkpoint
    present = stay()
    return present.may_look if present is not None else _may_always


def _may_always() -> None:
    """Nobody can take over what belongs to no execution."""


def run(work: Coroutine[Any, Any, Result], control: Control | None, threads: int) -> Result:
    """Run the work to its end; raises Stopped soon after the control's checkpoint does."""
    present = stay()

    async def main() -> Result:
        # Names are resolved in threads; one name that hangs must not keep others waiting.
        if present is None or present.threads < threads:
            loop = asyncio.get_running_loop()
            loop.set_default_executor(ThreadPoolExecutor(threads + 1, "platform"))
        if present is not None:
            present.threads = max(present.threads, threads)
        tasks = [asyncio.create_task(work)]
        watch = [asyncio.create_task(_watch(control))] if control else []
        await _first_of([*tasks, *watch])
        return tasks[0].result()

    return present.runner.run(main()) if present else asyncio.run(main())


async def at_each(
    places: Sequence[Anywhere], concurrency: int, visit: Callable[[Anywhere], Awaitable[Result]]
) -> tuple[dict[str, Result], dict[str, PlatformError]]:
    """Each place's result or fault, by name. Anything but a PlatformError stops them all."""
    results: dict[str, Result] = {}
    faults: dict[str, PlatformError] = {}
    turn = asyncio.Semaphore(concurrency)

    async def one(place: Anywhere) -> None:
        async with turn:
            try:
                results[place.name] = await visit(place)
            except PlatformError as fault:
                faults[place.name] = fault

    await _every([asyncio.create_task(one(place)) for place in places])
    return results, faults


async def together(*works: Coroutine[Any, Any, Any]) -> list[Any]:
    """The results, in order. The first that raises ends the others, and all have ended then: what
    they use may be closed."""
    tasks = [asyncio.create_task(work) for work in works]
    await _every(tasks)
    return [task.result() for task in tasks]


async def reported(
    place: Place, control: Control, visit: Callable[[], Awaitable[InstanceOutcome]]
) -> None:
    """Report the place's outcome the moment it is known, and pass its fault on.

    A connection that broke because we are to stop is no fault of the place's.
    """
    try:
        control.report(place.name, await visit())
    except PlatformError as fault:
        if not fault.permanent:
            control.checkpoint()
        control.report(place.name, failed(fault))
        raise


def failed(fault: PlatformError) -> InstanceOutcome:
    """A lasting fault is known; after a passing one it may or may not have happened."""
    state = OutcomeState.FAILED if fault.permanent else OutcomeState.UNKNOWN
    return InstanceOutcome(state, sentence(str(fault)))


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def concluded(faults: Mapping[str, PlatformError], done: str) -> Progress:
    """Done, or Running while only passing faults are left; raises for lasting ones."""
    if not faults:
        return Done(done)
    fault = summed(faults)
    if fault.permanent:
        raise fault
    return Running(str(fault), AGAIN_SECONDS)


def sentences(texts: Mapping[str, object]) -> list[str]:
    """One for each text, in their order; places of which the same is to be said share it."""
    by_text: dict[str, list[str]] = {}
    for name, text in texts.items():
        by_text.setdefault(str(text), []).append(name)
    return [f"{', '.join(names)}: {text}" for text, names in by_text.items()]


def summed(faults: Mapping[str, PlatformError]) -> PlatformError:
    """One error for all places, lasting faults first; those that say the same share a sentence."""
    in_order = sorted(faults.items(), key=lambda item: (not item[1].permanent, item[0]))
    said = sentences(dict(in_order))
    more = f"; and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return PlatformError(
        "; ".join(said[:NAMED]) + more,
        permanent=any(fault.permanent for fault in faults.values()),
    )


async def _watch(control: Control) -> None:
    while True:
        control.checkpoint()
        await asyncio.sleep(WATCH_SECONDS)


async def _first_of(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    """Wait for one of them, end the others, and raise what any of them raised."""
    await _wait(tasks, asyncio.FIRST_COMPLETED)


async def _every(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    """Wait for all of them; the first that raises ends the others."""
    await _wait(tasks, asyncio.FIRST_EXCEPTION)


async def _wait(tasks: Sequence["asyncio.Task[Any]"], until: str) -> None:
    if not tasks:
        return
    try:
        await asyncio.wait(tasks, return_when=until)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()):
            raise error
