"""What the product tells the foundation: remembered, and let go wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from rollbacks.platforms.pcf import api
from tests.engine.faults import Crash

from .foundation import Asked, Drop, FakeFoundation


@dataclass
class Wire:
    """`before` and `after` are asked at each change, by its words; what was sent is in `sent`."""

    sent: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda what: None
    after: Callable[[str], None] = lambda what: None

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self.before = self.after = lambda what: None

    def workers_die_after_one_change(self) -> None:
        """Each knows nothing of the answer."""
        self.after = _die

    def workers_die_before_their_second_change(self) -> None:
        changes = count(1)

        def dies(what: str) -> None:
            if next(changes) % 2 == 0:
                raise Crash(what)

        self.before = dies


def _die(what: str) -> None:
    raise Crash(what)


def tapped(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """A wire on which everything goes that is changed from now on."""
    wire, told = Wire(), api.Api._told

    def tap(self: api.Api, control: Any, request: Any) -> api.Answer:
        wire.before(request.what)
        wire.sent.append(request.what)
        found = told(self, control, request)
        wire.after(request.what)
        return found

    monkeypatch.setattr(api.Api, "_told", tap)
    return wire


def lose_every_answer_once(foundation: FakeFoundation, *, after_effect: bool) -> None:
    """Each change's first answer is lost; what is asked again in the same words is answered."""
    lost: set[str] = set()

    def is_new(asked: Asked) -> bool:
        words = f"{asked.method} {asked.path} {sorted(asked.body.items())}"
        is_new = asked.is_change and words not in lost
        if is_new:
            lost.add(words)
        return is_new

    foundation.fail(is_new, Drop(after_effect=after_effect), times=1000)
