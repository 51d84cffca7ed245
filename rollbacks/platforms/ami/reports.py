"""What people read of a step that is done."""

from rollbacks.platforms.ami.calls import Call
from rollbacks.platforms.base import Done, InstanceOutcome, OutcomeState


def done(call: Call, message: str) -> Done:
    """Of the whole series, which is one instance."""
    state = OutcomeState.DONE if call.has_changed else OutcomeState.UNCHANGED
    call.control.report(call.key, InstanceOutcome(state, message))
    return Done(message)
