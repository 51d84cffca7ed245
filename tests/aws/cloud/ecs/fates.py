"""How a container fares, by its image's tag alone.

missing…   cannot be pulled
crash…     ends with 1 at once, before its task has been seen to run
exits…     runs for a moment, then ends with 1: nothing counts as a failure to start
unready…   runs, but no health check ever finds it healthy
slow…      takes a while to start
any other  starts and is healthy
"""

from enum import StrEnum

from ..asked import Json


class Fate(StrEnum):
    MISSING = "missing"
    CRASH = "crash"
    EXITS = "exits"
    UNREADY = "unready"
    SLOW = "slow"
    WELL = "well"


def fate_of_image(image: str) -> Fate:
    return fate_of_name(image.rpartition(":")[2])


def fate_of_name(name: str) -> Fate:
    return next((each for each in Fate if name.startswith(each.value)), Fate.WELL)


def fate_of_task(definition: Json) -> Fate:
    """The worst of its essential containers."""
    essential = [each for each in definition["containerDefinitions"] if each.get("essential", True)]
    fates = {fate_of_image(each["image"]) for each in essential}
    return next((each for each in Fate if each in fates), Fate.WELL)


def worst_image(definition: Json) -> str:
    """The image that a task's fate comes from."""
    fate = fate_of_task(definition)
    images = [each["image"] for each in definition["containerDefinitions"]]
    return str(next((each for each in images if fate_of_image(each) is fate), images[0]))
