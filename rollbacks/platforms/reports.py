"""What people read of a step that is done."""

from rollbacks.platforms.base import Control, Done, InstanceOutcome, OutcomeState


def done(control: Control, key: str, message: str, *, has_changed: bool) -> Done:
    """Of a whole series, which is one instance."""
    state = OutcomeState.DONE if has_changed else OutcomeState.UNCHANGED
    control.report(key, InstanceOutcome(state, message))
    return Done(message)
