"""What a look says about an execution: of each instance, whether it shows what it is to show."""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any

from rollbacks import observation
from rollbacks.platforms.base import Observation, ObservedInstance


class Verdict(StrEnum):
    """What the look afterwards says about one instance."""

    DEPLOYED = "DEPLOYED"
    ROLLED_BACK = "ROLLED_BACK"
    UNTOUCHED = "UNTOUCHED"
    DIFFERENT = "DIFFERENT"
    UNKNOWN = "UNKNOWN"
    GONE = "GONE"


def judged(
    seen: Observation,
    *,
    touched: Iterable[str],
    planned: Iterable[str] = (),
    kept: Iterable[str] = (),
    before: Mapping[str, Any] | None = None,
    version: str = "",
    new: Collection[str] = (),
    earlier: str = "",
    gone: Collection[str] = (),
) -> dict[str, Any]:
    """The observation with a verdict for each instance, also for what is planned and was not seen.

    With `before`, every touched instance must show the identity it had there, but for those that
    keep what was deployed; these, and all without `before`, must show the version. `new` ones, of
    which `before` says nothing, must show the `earlier` version. It must not be unhealthy, unless
    it was so before. What is `gone` shows nothing, and is to show nothing.
    """
    stays = set(kept)
    wanted, were = set(touched) | stays, observation.identities(before)
    showed = observation.versions(before)
    ill = {each["key"] for each in (before or {}).get("instances", ()) if _is_ill(each)}
    found = observation.as_json(_with_unseen(seen, wanted | set(planned)))
    for each in found["instances"]:
        key, is_back = each["key"], before is not None and each["key"] not in stays
        if is_back and key not in new:
            each["expected"] = showed.get(key) or "nothing of ours"
            reached = each["identity"] == were.get(key)
        else:
            each["expected"] = earlier if is_back else version
            reached = each["version"] == each["expected"]
        reached = reached and (each["is_healthy"] is not False or key in ill)
        each["verdict"] = _verdict(each, key in wanted, reached, is_back)
        if key in gone and each["identity"] is None:
            each |= {"verdict": Verdict.GONE, "message": "It is no longer in its group."}
    return found


def _with_unseen(seen: Observation, wanted: Iterable[str]) -> Observation:
    unseen = sorted(set(wanted) - {each.key for each in seen.instances})
    message = "It was not seen."
    missing = (ObservedInstance(key, None, message=message) for key in unseen)
    return Observation((*seen.instances, *missing))


def _verdict(each: Mapping[str, Any], touched: bool, reached: bool, back: bool) -> Verdict:
    if not touched:
        return Verdict.UNTOUCHED
    if each["identity"] is None:
        return Verdict.UNKNOWN
    if not reached:
        return Verdict.DIFFERENT
    return Verdict.ROLLED_BACK if back else Verdict.DEPLOYED


def _is_ill(each: Mapping[str, Any]) -> bool:
    return each["is_healthy"] is False
