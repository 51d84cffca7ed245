"""Failure strategies: what a workflow says is to happen when a step fails.

The nearest one counts: the step's, else its phase's, else the workflow's. Pure. Reference 5.4.
"""

from enum import StrEnum
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

DAY = 86_400.0


class FailureAction(StrEnum):
    """What can happen next; the field's words."""

    ROLLBACK_WORKFLOW = "ROLLBACK_WORKFLOW"  # undo every phase; failed
    ROLLBACK_PHASE = "ROLLBACK_PHASE"  # undo the phase of the step, leave earlier ones; failed
    RETRY = "RETRY"
    IGNORE = "IGNORE"  # go on as if it had not failed
    MANUAL_INTERVENTION = "MANUAL_INTERVENTION"  # pause and ask a person
    END_EXECUTION = "END_EXECUTION"  # a deployment: as ROLLBACK_WORKFLOW; a rollback: failed
    ABORT_WORKFLOW = "ABORT_WORKFLOW"  # stop, undo nothing; aborted


UNDOING = frozenset({FailureAction.ROLLBACK_WORKFLOW, FailureAction.ROLLBACK_PHASE})
_SAID = {
    FailureAction.ROLLBACK_WORKFLOW: "all phases are rolled back",
    FailureAction.ROLLBACK_PHASE: "its phase is rolled back",
    FailureAction.RETRY: "it is retried {count} times at most",
    FailureAction.IGNORE: "the failure is ignored",
    FailureAction.MANUAL_INTERVENTION: "a person decides",
    FailureAction.END_EXECUTION: "the execution ends as failed",
    FailureAction.ABORT_WORKFLOW: "the execution is aborted",
}
_OPTIONS = {
    FailureAction.RETRY: {"retries", "delay", "max_delay", "then"},
    FailureAction.MANUAL_INTERVENTION: {"timeout", "then"},
}
# What may not follow: asking twice, or trying again after a person had their say.
_NO_SEQUEL = {
    FailureAction.RETRY: {FailureAction.RETRY},
    FailureAction.MANUAL_INTERVENTION: {FailureAction.RETRY, FailureAction.MANUAL_INTERVENTION},
}


class FailureStrategy(BaseModel):
    """An action with its options; in a document the bare action is enough.

    `retries` after the first attempt, each after a wait drawn from nothing to `delay` (seconds)
    doubled with each one, `max_delay` at most. `timeout` (seconds) is how long a person is waited
    for. `then` is what follows when retries or time are over.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: FailureAction
    retries: int = Field(default=3, ge=1, le=20)
    delay: float = Field(default=5, ge=0, le=3_600)
    max_delay: float = Field(default=300, ge=0, le=3_600)
    timeout: float = Field(default=14 * DAY, gt=0, le=365 * DAY)
    then: "FailureStrategy | None" = None

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, document: object) -> object:
        return {"action": document} if isinstance(document, str) else document

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        options = _OPTIONS.get(self.action, set())
        if strange := sorted(self.model_fields_set - {"action"} - options):
            raise ValueError(f"{self.action} takes no {', '.join(strange)}")
        if self.then and self.then.action in _NO_SEQUEL[self.action]:
            raise ValueError(f"{self.then.action} cannot follow {self.action}")
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> str | dict[str, Any]:
        """The bare action where it has no options, so that a definition reads as people write."""
        options = _OPTIONS.get(self.action)
        if options is None:
            return self.action.value
        known = handler(self)
        return {name: known[name] for name in known if name in {"action", *options}}

    @property
    def sentence(self) -> str:
        """For a person who asks what happens if the step fails."""
        said = _SAID[self.action].format(count=self.retries)
        return f"{said}, then {(self.then or END).sentence}" if self.action in _OPTIONS else said

    def has_undo(self) -> bool:
        """Whether it, or what follows it, undoes something: no rollback step can ask for that."""
        return self.action in UNDOING or (self.then is not None and self.then.has_undo())

    def ceiling(self, retried: int) -> float:
        """The longest wait in seconds before the next retry (full jitter draws from 0 to this)."""
        return min(self.max_delay, self.delay * 2.0**retried)


END = FailureStrategy(action=FailureAction.END_EXECUTION)
ROLL_BACK = FailureStrategy(action=FailureAction.ROLLBACK_WORKFLOW)


def default(*, back: bool) -> FailureStrategy:
    """What applies where a workflow says nothing, to its steps and to its rollback steps."""
    return END if back else ROLL_BACK


def journaled(strategy: FailureStrategy | None) -> Any:
    """As a step's row keeps it; None: the default."""
    return strategy.model_dump(mode="json") if strategy else None


def of_step(document: Any, *, back: bool, retried: int, may_retry: bool) -> FailureStrategy:
    """What applies to a failed step whose row says this: a retry while there is one left."""
    strategy = default(back=back) if document is None else FailureStrategy.model_validate(document)
    is_spent = retried >= strategy.retries or not may_retry
    if strategy.action == FailureAction.RETRY and is_spent:
        return strategy.then or default(back=back)
    return strategy
