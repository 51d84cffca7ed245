"""How what runs now differs from what a deployment left, and what the platform says of undoing it:
asked of the live platform, read only."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from dashboard.models import Deployment
from rollbacks import eligibility, observation, plan, readiness, rights, specs
from rollbacks.eligibility import Code
from rollbacks.plan import Configuration
from rollbacks.platforms.base import PlatformError
from rollbacks.readiness import Told
from rollbacks.verdicts import Verdict


@dataclass(frozen=True)
class Difference:
    """One instance that does not show what the deployment left there."""

    instance: str
    expected: str
    found: str
    message: str


@dataclass(frozen=True)
class Drift:
    """The comparison; `error`: nothing could be learned."""

    checked_at: datetime
    error: str = ""
    differences: tuple[Difference, ...] = ()
    unreachable: tuple[Difference, ...] = ()
    count: int = 0


def drift(deployment: Deployment, now: datetime) -> Drift:
    """Compare identities with those seen when the deployment ended; what was not is left out."""
    left = {
        each["key"]: each
        for each in (deployment.after or {}).get("instances", ())
        if each["verdict"] != Verdict.UNTOUCHED and each["identity"] is not None
    }
    try:
        for key in specs.gone(deployment, list(left)):
            del left[key]
        seen = observation.observe(deployment.target, sorted(left)) if left else None
    except PlatformError as error:
        return Drift(now, error=str(error))
    differences, unreachable = [], []
    for each in seen.instances if seen else ():
        expected = left.get(each.key)
        if each.identity is None:
            unreachable.append(Difference(each.key, "", "", each.message))
        elif expected is not None and expected["identity"] != each.identity:
            differences.append(
                Difference(
                    each.key,
                    expected["version"] or "nothing of ours",
                    each.version or each.identity or "nothing of ours",
                    each.message,
                )
            )
    return Drift(now, "", tuple(differences), tuple(unreachable), len(left))


@dataclass(frozen=True)
class Outlook:
    """What the platform says of each undo, in order; `problems` in sentences."""

    steps: tuple[Told, ...] = ()

    @property
    def problems(self) -> list[str]:
        return [
            f"{each.phase}: {each.step}: {problem}"
            for each in self.steps
            for problem in each.inspection.problems
        ]


def outlook(
    deployment: Deployment, actor: User, configuration: Configuration, now: datetime
) -> Outlook:
    """What the platform says of each undo, to those who may roll back what can be rolled back.

    It may show what a step would write, which is theirs to see and nobody else's.
    """
    may, _ = rights.to_roll_back(actor, deployment)
    if not may or not readiness.is_told(deployment):
        return Outlook()
    found = eligibility.refusals(deployment, now)
    if any(refusal.code != Code.FROZEN for refusal in found):
        return Outlook()
    try:
        return Outlook(tuple(readiness.of_plan(plan.rollback(deployment, configuration))))
    except PlatformError:
        return Outlook()
