"""Label selectors: which labels a resource has to have."""

import re
from collections.abc import Mapping

_SET = re.compile(r"(?P<key>\S+) (?P<how>in|notin) ?\((?P<values>[^)]*)\)")
_EQUAL = re.compile(r"(?P<key>[^!=]+)(?P<how>==?|!=)(?P<values>.*)")


def selects(selector: str, labels: Mapping[str, str | None]) -> bool:
    """Every requirement is met."""
    requirements = re.findall(r"(?:[^,(]|\([^)]*\))+", selector)
    return all(_is_met(each.strip(), labels) for each in requirements)


def _is_met(requirement: str, labels: Mapping[str, str | None]) -> bool:
    found = _SET.fullmatch(requirement) or _EQUAL.fullmatch(requirement)
    if found is None:
        is_absent = requirement.startswith("!")
        return (requirement.lstrip("!") in labels) != is_absent
    values = {each.strip() for each in found["values"].split(",")}
    is_negative = found["how"] in ("notin", "!=")
    return (labels.get(found["key"].strip()) in values) != is_negative
