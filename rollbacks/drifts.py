"""How what runs now differs from what a deployment left: asked of the live platform, read only."""

from dataclasses import dataclass
from datetime import datetime

from dashboard.models import Deployment
from rollbacks import observation
from rollbacks.observation import Verdict
from rollbacks.platforms.base import PlatformError


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
