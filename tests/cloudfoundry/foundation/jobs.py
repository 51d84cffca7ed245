"""What the Cloud Controller does later: a job to ask about, and its effect when its time comes."""

from collections.abc import Callable

from . import records as r
from .calls import Answer
from .problems import Refused
from .state import State


def accepted(
    state: State, operation: str, effect: Callable[[], None], resource: tuple[str, str] | None
) -> Answer:
    """202 with the place of the job; a refusal of its effect is the job's failure."""
    job = state.add(r.Job(operation=operation, resource=resource))

    def run() -> None:
        try:
            effect()
        except Refused as refused:
            job.state, job.errors = "FAILED", refused.errors
        else:
            job.state = "COMPLETE"
        state.touch(job)

    state.clock.later(state.timing.job, run)
    return Answer(202, None, {"Location": f"{state.url}/v3/jobs/{job.guid}"})
