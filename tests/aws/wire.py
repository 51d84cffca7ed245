"""What the product tells AWS: remembered, and let go wrong, whichever platform it comes from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from rollbacks.platforms.aws.api import Api
from rollbacks.platforms.base import Control
from tests.aws.cloud import Call, Drop, FakeCloud
from tests.engine.faults import Crash

READS = ("Describe", "List", "Get", "Simulate", "Assume")


@dataclass
class Wire:
    """`before` and `after` are asked at each change, by its operation; what was sent is in
    `sent`."""

    sent: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda operation: None
    after: Callable[[str], None] = lambda operation: None

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self.before = self.after = lambda operation: None

    def workers_die_after_one_change(self) -> None:
        """Each knows nothing of the answer."""
        self.after = _die

    def workers_die_before_their_second_change(self) -> None:
        changes = count(1)

        def dies(operation: str) -> None:
            if next(changes) % 2 == 0:
                raise Crash(operation)

        self.before = dies


def _die(operation: str) -> None:
    raise Crash(operation)


def tapped(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """A wire on which everything goes that is written from now on."""
    wire, write = Wire(), Api.write

    def tap(
        self: Api, control: Control, service: str, operation: str, /, **parameters: Any
    ) -> dict[str, Any]:
        wire.before(operation)
        wire.sent.append(operation)
        found = write(self, control, service, operation, **parameters)
        wire.after(operation)
        return found

    monkeypatch.setattr(Api, "write", tap)
    return wire


def lose_every_answer_once(cloud: FakeCloud, *, after_effect: bool) -> None:
    """Each change's first answer is lost; what is asked again in the same words is answered."""
    lost: set[str] = set()

    def is_new(call: Call) -> bool:
        if call.action.startswith(READS) or call.principal.endswith("/administrator"):
            return False
        words = f"{call.service} {call.action} {sorted(call.parameters.items())}"
        is_new = words not in lost
        lost.add(words)
        return is_new

    cloud.fail(is_new, times=1000, how=Drop(after_effect))
