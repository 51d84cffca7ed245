"""What actions refuse, as errors that a program can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.api import Conflict
from rollbacks.actions import PlanChanged
from rollbacks.eligibility import Refused


@contextmanager
def refusals() -> Iterator[None]:
    """Refused and PlanChanged inside are answered as CONFLICT, with what stands against it."""
    try:
        yield
    except Refused as cause:
        raise Conflict(
            str(cause),
            refusals=[
                {"code": each.code.value, "sentence": each.sentence, "remedy": each.remedy}
                for each in cause.refusals
            ],
        ) from cause
    except PlanChanged as cause:
        raise Conflict(
            f"{cause} Nothing was started. Ask for rollbackConfirmation and look at it again.",
            fingerprint=cause.current.fingerprint,
        ) from cause
