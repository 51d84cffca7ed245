"""Which AWS actions each kind of step takes, to be asked for before anything begins. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rollbacks.platforms.aws.rights import ANYTHING

_SEE = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeInstanceRefreshes",
    "autoscaling:DescribePolicies",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeScheduledActions",
)
_SEE_TARGETS = ("elasticloadbalancing:DescribeTargetHealth",)
_SEE_RULE = ("elasticloadbalancing:DescribeRules",)
_MOVE = (
    "autoscaling:UpdateAutoScalingGroup",
    "autoscaling:ResumeProcesses",
    "autoscaling:SuspendProcesses",
    "autoscaling:PutScalingPolicy",
    "autoscaling:DeletePolicy",
    "autoscaling:BatchDeleteScheduledAction",
)
_SCHEDULE = ("autoscaling:BatchPutScheduledUpdateGroupAction",)
_ATTACH = (
    "autoscaling:AttachLoadBalancerTargetGroups",
    "autoscaling:DetachLoadBalancerTargetGroups",
)
_MAKE = (
    "autoscaling:CreateAutoScalingGroup",
    "autoscaling:CreateOrUpdateTags",
    "autoscaling:EnableMetricsCollection",
    "autoscaling:DescribeLifecycleHooks",
    "ec2:CreateLaunchTemplateVersion",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:RunInstances",
    "elasticloadbalancing:DescribeTargetGroups",
)
# The end of the way back; a deployment that could not be undone is not begun.
_UNMAKE = (
    "autoscaling:DeleteAutoScalingGroup",
    "ec2:DeleteLaunchTemplateVersions",
    "ec2:DescribeImages",
    "ec2:DescribeLaunchTemplateVersions",
)
_ABOUT_A_TEMPLATE = (
    "ec2:CreateLaunchTemplateVersion",
    "ec2:DeleteLaunchTemplateVersions",
    "ec2:RunInstances",
)


@dataclass(frozen=True)
class Things:
    """What a step acts upon, as ARNs."""

    groups: Sequence[str] = ()
    template: str | None = None
    rule: str | None = None

    def needs(self, actions: Iterable[str]) -> dict[str, list[str]]:
        """The actions by what they are done to, since a policy may allow them on just that.

        Those that only look are about nothing in particular.
        """
        found: dict[str, list[str]] = {}
        for action in actions:
            for arn in self._of(action):
                found.setdefault(arn, []).append(action)
        return found

    def _of(self, action: str) -> Sequence[str]:
        if action in _ABOUT_A_TEMPLATE:
            return (self.template,) if self.template else ()
        if action == "elasticloadbalancing:ModifyRule":
            return (self.rule,) if self.rule else ()
        if action.startswith("autoscaling:") and not action.startswith("autoscaling:Describe"):
            return self.groups
        return (ANYTHING,)


_REFRESH = (
    "autoscaling:CancelInstanceRefresh",
    "autoscaling:CreateOrUpdateTags",
    "autoscaling:StartInstanceRefresh",
)


def of_step(kind: str, settings: Mapping[str, object], *, is_undo: bool) -> list[str]:
    """The actions that the step itself takes, or its undo; sorted."""
    found = {*_SEE, *_MOVE, *_SEE_TARGETS}
    if settings.get("listener_rule"):
        found.update(_SEE_RULE)
    if settings.get("scheduled_actions") and not is_undo:
        found.update(_SCHEDULE)
    if kind == "ami.refresh":
        found.update(_REFRESH)
    if kind in ("ami.setup", "ami.stage", "ami.refresh"):
        found.update(_UNMAKE if is_undo else (*_MAKE, *_UNMAKE))
    if kind == "ami.switch" or is_undo:
        found.update(_ATTACH)
    if kind == "ami.shift":
        found.add("elasticloadbalancing:ModifyRule")
    return sorted(found)
