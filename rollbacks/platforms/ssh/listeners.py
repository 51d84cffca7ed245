"""A load balancer of AWS as a front: its listener, or a rule of one, sends to a target group."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rollbacks.platforms import credentials, everywhere, waits
from rollbacks.platforms.asking import Asking
from rollbacks.platforms.aws import balancing, rights
from rollbacks.platforms.aws import settings as aws
from rollbacks.platforms.aws.api import Api
from rollbacks.platforms.aws.balancing import Actions
from rollbacks.platforms.base import (
    Control,
    Inspection,
    InstanceOutcome,
    OutcomeState,
    PlatformError,
    Running,
    TargetRef,
)
from rollbacks.platforms.ssh.calls import Faults
from rollbacks.platforms.ssh.fronts import Front, Shown, Switch
from rollbacks.platforms.ssh.health import until_right
from rollbacks.platforms.ssh.places import key_of
from rollbacks.platforms.ssh.settings import COLORS, Listener

PART = "listener"
_UNUSED = "unused"
_SEE = (
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)


@dataclass
class _Call:
    """Whoever may change something at AWS."""

    api: Api
    control: Control

    def write(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        return self.api.write(self.control, service, operation, **parameters)


class ListenerFront(Front):
    """Exactly what it does is kept, and brought back as it was."""

    def __init__(self, target: TargetRef, settings: Listener) -> None:
        super().__init__(target)
        own = {name: getattr(settings, name) for name in aws.Connector.model_fields}
        credential = credentials.resolve(settings.credential or "")
        self.settings = settings
        self.api = Api(replace(target, connector=own, credential=credential))

    def look(self, control: Control | None) -> Shown:
        return Shown({PART: self._color_in(self.keep())}, {})

    def keep(self) -> Actions:
        return balancing.actions_of(self, self.settings.listener)

    def inspect(self) -> Inspection:
        arn = self.settings.listener
        change = "ModifyRule" if ":listener-rule/" in arn else "ModifyListener"
        needs = {rights.ANYTHING: _SEE, arn: (f"elasticloadbalancing:{change}",)}
        told = rights.inspected(self.api, needs)
        try:
            warnings, problems = self._of_groups()
        except PlatformError as error:
            if not error.permanent:
                raise
            warnings, problems = [], [str(error)]
        return Inspection(
            warnings=(*told.warnings, *warnings), problems=(*told.problems, *problems)
        )

    def bring(self, switch: Switch) -> Faults | Running:
        arn, now = self.settings.listener, self.keep()
        is_there = self._color_in(now) == switch.color
        wanted = switch.kept or (now if is_there else self._swapped(now))
        if now != wanted:
            if waiting := self._until_healthy(switch, or_unused=True):
                return waiting
            balancing.bring_actions(_Call(self.api, switch.control), arn, wanted)
        if self.keep() != wanted:
            raise PlatformError(f"{arn} was told, but does not do, what it should")
        if waiting := self._until_healthy(switch, or_unused=False):
            return waiting
        self._prove(switch)
        state = OutcomeState.UNCHANGED if now == wanted else OutcomeState.DONE
        switch.control.report(PART, InstanceOutcome(state, f"Sends to {switch.color}"))
        return {}

    def _swapped(self, actions: Actions) -> Actions:
        return balancing.swapped(actions, self.settings.blue, self.settings.green)

    def _color_in(self, actions: Actions) -> str:
        found = [group for group, weight in balancing.forwarded(actions).items() if weight]
        colors = {getattr(self.settings, color): color for color in COLORS}
        if len(found) != 1 or found[0] not in colors:
            names = ", ".join(map(balancing.short, found)) or "no target group"
            raise PlatformError(
                f"The listener sends to {names}; it must be the target group of one color.",
                permanent=True,
            )
        return colors[found[0]]

    def _until_healthy(self, switch: Switch, *, or_unused: bool) -> Running | None:
        """Nobody is sent to a target group of which a target is not healthy; `or_unused`: or of
        which that is not known, because nothing sends there yet."""
        group = getattr(self.settings, switch.color)

        def missing() -> Mapping[str, str]:
            health = balancing.health_in(self, group)
            ill = [
                f"{name} is {each.state}" + (f" ({each.reason})" if each.reason else "")
                for name, each in health.items()
                if not (each.is_healthy or (or_unused and each.state == _UNUSED))
            ]
            if not health:
                ill = ["it has no target"]
            text = f"Target group of {switch.color}: {', '.join(ill)}"
            return {key_of(self.target): text} if ill else {}

        return waits.until(switch.control, missing, lambda: "")

    def _of_groups(self) -> tuple[list[str], list[str]]:
        """What is to be known of the target groups, and what is wrong with them."""
        arns = {color: getattr(self.settings, color) for color in COLORS}
        found = balancing.target_groups(self, arns.values())
        missing = [color for color in COLORS if arns[color] not in found]
        idle = [
            color
            for color in COLORS
            if color not in missing and not found[arns[color]].get("LoadBalancerArns")
        ]
        return [
            f"Nothing sends to the target group of {color}, so AWS checks its targets only once it "
            "serves: let a test listener, or the weight 0, send there"
            for color in idle
        ], [f"The target group of {color} is not there" for color in missing]

    def _prove(self, switch: Switch) -> None:
        settings = switch.settings
        check = settings.health_check
        if check is None:
            return
        if check.url is None:
            raise PlatformError(
                "A load balancer is asked by a URL; its health_check cannot be a command.",
                permanent=True,
            )
        url = check.url

        async def go() -> None:
            asking = Asking()
            try:
                await until_right(
                    lambda limit: asking.ask(url, check, limit), settings.health_timeout
                )
            finally:
                await asking.close()

        everywhere.run(go(), switch.control, 1)
