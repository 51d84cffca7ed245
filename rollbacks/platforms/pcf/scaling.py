"""App Autoscaler: the policy by which an app scales by itself.

While Lastgood moves instances the policy is away, since there is no way to hold it still: a minimum
would raise again what was lowered. Source: the public API of App Autoscaler, v1.
"""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms.pcf.api import Api
from rollbacks.platforms.pcf.calls import Call

Policy = Mapping[str, Any]


def policy_of(api: Api, autoscaler: str | None, app: str) -> dict[str, Any] | None:
    """None where it does not scale by itself. Raises PlatformError."""
    return api.find(_url(autoscaler, app)) if autoscaler else None


def calm(call: Call, app: str) -> None:
    """Nothing but us changes its instances."""
    bring(call, app, None)


def bring(call: Call, app: str, wanted: Policy | None) -> None:
    """The app scales by itself exactly so, or not at all."""
    autoscaler = call.target.settings["autoscaler"]
    now = policy_of(call.api, autoscaler, app)
    if now == wanted or not autoscaler:
        return
    if wanted is None:
        call.write("DELETE", _url(autoscaler, app))
    else:
        call.write("PUT", _url(autoscaler, app), dict(wanted))


def _url(autoscaler: str, app: str) -> str:
    return f"{autoscaler.rstrip('/')}/v1/apps/{app}/policy"
