"""Whether a manifest is in force: what it says, compared with what CAPI writes about the app. Pure.

Where both spell something in different ways it is taken for another, and the manifest is applied
once more, which changes nothing.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from rollbacks.platforms.pcf.manifest import octets

_SIZES = ("memory", "disk_quota", "log-rate-limit-per-second")
Said = Mapping[str, Any]


def is_in_force(wanted: str, now: str) -> bool:
    """Both as YAML, of one app; what is not wanted may be anything."""
    want, has = _app(wanted), _app(now)
    return (
        all(
            _is_same(key, want[key], has.get(key)) for key in ("buildpacks", "stack") if key in want
        )
        and _is_within(want.get("env") or {}, has.get("env") or {})
        and _names(want) <= _names(has)
        and _all_within(_by(want, "processes", "type"), _by(has, "processes", "type"))
        and _all_within(_by(want, "sidecars", "name"), _by(has, "sidecars", "name"))
    )


def _app(text: str) -> Said:
    found: Said = yaml.safe_load(text)["applications"][0]
    return found


def _names(app: Said) -> set[str]:
    """Of the services."""
    return {each if isinstance(each, str) else each["name"] for each in app.get("services") or ()}


def _by(app: Said, key: str, name: str) -> dict[str, Said]:
    return {
        str(each[name]): {field: one for field, one in each.items() if field != name}
        for each in app.get(key) or ()
    }


def _all_within(wanted: Mapping[str, Said], now: Mapping[str, Said]) -> bool:
    return all(_is_within(each, now.get(name, {})) for name, each in wanted.items())


def _is_within(wanted: Said, now: Said) -> bool:
    return all(_is_same(key, each, now.get(key)) for key, each in wanted.items())


def _is_same(key: str, wanted: Any, now: Any) -> bool:
    if key in _SIZES and now is not None:
        return octets(str(wanted)) == octets(str(now))
    if isinstance(wanted, list) and isinstance(now, list):
        return [str(each) for each in wanted] == [str(each) for each in now]
    return str(wanted) == str(now)
