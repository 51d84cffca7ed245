"""How what a platform shows differs from what it is to be, line by line. Pure."""

import difflib

import yaml


def lines(before: object, after: object) -> tuple[str, ...]:
    """As of a unified diff, without a header; None is nothing at all."""
    old, new = (_text(each) for each in (before, after))
    found = difflib.unified_diff(old, new, lineterm="", n=2)
    return tuple(line for line in found if not line.startswith(("---", "+++")))


def _text(thing: object) -> list[str]:
    if thing is None:
        return []
    text: str = yaml.safe_dump(thing, sort_keys=True, allow_unicode=True)
    return text.splitlines()
