"""How an object would differ, in lines for a person; what may be a secret is hidden. Pure."""

import copy
import difflib
import re

import yaml

from rollbacks.platforms.kubernetes.kinds import (
    Object,
    annotations,
    containers,
    labels,
    pod_template,
)

_NOT_SHOWN = {"apiVersion", "kind", "metadata", "status"}
_WORDS = r"pass|pwd|secret|token|key|credential|auth"
_SECRET_NAME = re.compile(_WORDS, re.IGNORECASE)
_IN_ARGUMENT = re.compile(rf"(-[\w-]*(?:{_WORDS})[\w-]*=)[^\s'\"]+", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)")
_HIDDEN = "(hidden)"


def lines(before: Object | None, after: Object | None) -> tuple[str, ...]:
    old, new = (_text(each) for each in (before, after))
    lines = difflib.unified_diff(old, new, lineterm="", n=2)
    return tuple(line for line in lines if not line.startswith(("---", "+++")))


def _text(thing: Object | None) -> list[str]:
    """What a person wants to compare of an object; what may be a secret is hidden."""
    if thing is None:
        return []
    shown = {name: part for name, part in thing.items() if name not in _NOT_SHOWN}
    shown["labels"] = labels(thing)
    shown["annotations"] = {
        name: value for name, value in annotations(thing).items() if "last-applied" not in name
    }
    if thing["kind"] == "Secret":
        shown["data"] = shown["stringData"] = _HIDDEN
    shown = copy.deepcopy(shown)
    for container in containers(pod_template(shown)):
        for each in container.get("env") or ():
            if "value" in each and _SECRET_NAME.search(each["name"]):
                each["value"] = _HIDDEN
    text: str = yaml.safe_dump(shown, sort_keys=True, allow_unicode=True)
    for pattern in (_IN_ARGUMENT, _IN_ADDRESS):
        text = pattern.sub(rf"\1{_HIDDEN}", text)
    return text.splitlines()
