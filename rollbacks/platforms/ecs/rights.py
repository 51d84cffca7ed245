"""Which AWS actions each kind of step takes, and on what, to be asked for before anything begins.

Pure. Where something has no ARN yet, one that a policy for such things is about stands for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

EVERYTHING = "*"
_ANY = "lastgood"  # stands for what is not there yet
Needs = dict[str, list[str]]

_SEE_SERVICE = ("ecs:DescribeServices",)
_CHANGE_SERVICE = ("ecs:UpdateService",)
_SEE = (
    "ec2:DescribeSubnets",
    "ecs:DescribeClusters",
    "ecs:DescribeContainerInstances",
    "ecs:DescribeTaskDefinition",
    "ecs:ListServiceDeployments",
    "ecs:ListServices",
    "ecs:ListTaskDefinitions",
    "ecs:ListTasks",
    "ecs:DescribeTasks",
)
_SEE_SCALING = (
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
)
_SCALE = (
    "application-autoscaling:DeleteScalingPolicy",
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:RegisterScalableTarget",
)
_SEE_BALANCING = (
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)
_RECORDS = ("route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets")
_SEE_RECORDS = (
    "route53:GetChange",
    "servicediscovery:GetNamespace",
    "servicediscovery:GetService",
)


class Account:
    """Names things of one account and region; `caller` is our own ARN there."""

    def __init__(self, caller: str, region: str, cluster: str) -> None:
        self._partition, self._account = caller.split(":")[1], caller.split(":")[4]
        self._region = region
        self._cluster = cluster.rpartition("/")[2]

    def service(self, name: str) -> str:
        return self._arn("ecs", f"service/{self._cluster}/{name}")

    def definition(self, family: str) -> str:
        return self._arn("ecs", f"task-definition/{family}:1")

    @property
    def scalable_target(self) -> str:
        return self._arn("application-autoscaling", f"scalable-target/{_ANY}")

    def zone(self, name: str) -> str:
        return f"arn:{self._partition}:route53:::hostedzone/{name}"

    def _arn(self, service: str, what: str) -> str:
        return f"arn:{self._partition}:{service}:{self._region}:{self._account}:{what}"


def of_rollout(
    account: Account,
    names: Iterable[str],
    families: Iterable[str],
    roles: Iterable[str],
    *,
    is_undo: bool,
) -> Needs:
    """By ARN. A deployment that could not be undone is not begun; both take the same."""
    needs: Needs = {EVERYTHING: [*_SEE, *_SEE_SCALING, *_SEE_BALANCING]}
    for name in names:
        needs[account.service(name)] = [*_SEE_SERVICE, *_CHANGE_SERVICE]
    if not is_undo:
        _add_registering(needs, account, families, roles)
    return needs


def of_scaling(account: Account) -> Needs:
    """Of what changes the auto scaling of a service."""
    return {account.scalable_target: list(_SCALE)}


def of_series(
    account: Account,
    kind: str,
    settings: Mapping[str, Any],
    key: str,
    families: Sequence[str],
    roles: Sequence[str],
    *,
    is_undo: bool,
) -> Needs:
    """Of a step of a series, by ARN. A setup also takes what its undo does."""
    makes = kind in ("ecs.setup", "ecs.stage")
    needs: Needs = {
        EVERYTHING: [*_SEE, *_SEE_SCALING, *_SEE_BALANCING],
        account.service(f"{key}__1"): [*_SEE_SERVICE, *_CHANGE_SERVICE],
        **of_scaling(account),
    }
    if settings["listeners"] or settings["route53"]:
        needs[account.service(f"{key}__1")] += ["ecs:TagResource", "ecs:UntagResource"]
    if makes and not is_undo:
        needs[account.service(f"{key}__1")] += ["ecs:CreateService", "ecs:DeleteService"]
        _add_registering(needs, account, families, roles)
    if listeners := settings["listeners"]:
        for arn in (listeners["production"], listeners["test"]):
            verb = "ModifyRule" if ":listener-rule/" in arn else "ModifyListener"
            needs[arn] = [f"elasticloadbalancing:{verb}"]
    if route53 := settings["route53"]:
        needs[account.zone(route53["zone"])] = list(_RECORDS)
        needs[EVERYTHING] += _SEE_RECORDS
    return needs


def _add_registering(
    needs: Needs, account: Account, families: Iterable[str], roles: Iterable[str]
) -> None:
    for family in families:
        needs[account.definition(family)] = ["ecs:RegisterTaskDefinition", "ecs:TagResource"]
    for role in roles:
        needs[role] = ["iam:PassRole"]
