"""Scaling policies, and what they do when there is more or less to do.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html
"""

from uuid import uuid4

from ..asked import Actions, Asked, Json
from ..ecs.records import Rollout
from ..ecs.services import Services
from ..world import World
from .records import DIMENSION, Policy, Target, invalid, missing
from .targets import Targets, check_modelled, pages

_SETTINGS = {
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "StepScaling": "StepScalingPolicyConfiguration",
}
_TRACKING = "TargetTrackingScaling"


class Policies:
    def __init__(self, world: World, services: Services, targets: Targets) -> None:
        self._world = world
        self._services = services
        self._targets = targets

    def actions(self) -> Actions:
        return {
            "PutScalingPolicy": self.put,
            "DeleteScalingPolicy": self.delete,
            "DescribeScalingPolicies": self.describe,
        }

    def put(self, asked: Asked) -> Json:
        """By its name: one that is there already is changed, and keeps its ARN."""
        target, given = self._targets.find(asked), asked.parameters
        name, kind = given["PolicyName"], given.get("PolicyType", "StepScaling")
        if kind not in _SETTINGS or _SETTINGS[kind] not in given:
            raise invalid(f"A policy of type {kind} needs its configuration")
        settings = given[_SETTINGS[kind]]
        known = target.policies.get(name)
        if known is not None and known.kind != kind:
            raise invalid("The type of a scaling policy cannot be changed")
        if kind == _TRACKING:
            _check_metric(target, name, settings)
        made = known or self._made(target, name, kind)
        made.settings = settings
        target.policies[name] = made
        return {"PolicyARN": made.arn, "Alarms": made.alarms}

    def delete(self, asked: Asked) -> Json:
        check_modelled(asked)
        resource, name = asked.parameters["ResourceId"], asked.parameters["PolicyName"]
        for target in self._targets.all():
            if target.resource == resource and name in target.policies:
                del target.policies[name]
                return {}
        raise missing(f"No scaling policy found with policy name: {name}", resource)

    def describe(self, asked: Asked) -> Json:
        check_modelled(asked)
        given = asked.parameters
        found = [
            _shown(target, policy)
            for target in self._targets.all()
            if given.get("ResourceId") in (None, target.resource)
            for policy in target.policies.values()
            if not given.get("PolicyNames") or policy.name in given["PolicyNames"]
        ]
        listed, following = pages(found, asked)
        return {"ScalingPolicies": listed, "NextToken": following}

    def meet(self, cluster: str, name: str, count: int) -> int:
        """There is work for so many tasks now; returns what is desired after that.

        Nothing happens without a policy. While a deployment is in progress nothing is scaled in.
        """
        service = self._services.existing(cluster, name)
        target = self._targets.of(service)
        if target is None or not target.policies:
            return service.desired
        wanted, suspended = target.within(count), target.suspended
        if wanted > service.desired and count > service.desired:
            may = not suspended["DynamicScalingOutSuspended"]
        else:
            is_rolling = service.primary.rollout is Rollout.IN_PROGRESS
            scales_in = any(each.scales_in for each in target.policies.values())
            may = scales_in and not is_rolling and not suspended["DynamicScalingInSuspended"]
            may = may and wanted < service.desired
        if may:
            self._services.resize(service, wanted)
        return service.desired

    def _made(self, target: Target, name: str, kind: str) -> Policy:
        resource = f"scalingPolicy:{uuid4()}:resource/ecs/{target.resource}:policyName/{name}"
        alarms = [self._alarm(target, which) for which in ("High", "Low")]
        arn = self._world.arn("autoscaling", resource)
        return Policy(name, arn, kind, {}, alarms if kind == _TRACKING else [])

    def _alarm(self, target: Target, which: str) -> Json:
        name = f"TargetTracking-{target.resource}-Alarm{which}-{uuid4()}"
        return {"AlarmName": name, "AlarmARN": self._world.arn("cloudwatch", f"alarm:{name}")}


def _check_metric(target: Target, name: str, settings: Json) -> None:
    """One policy for each metric."""
    metrics = [
        _metric(each.settings)
        for each in target.policies.values()
        if each.kind == _TRACKING and each.name != name
    ]
    if _metric(settings) in metrics:
        raise invalid(
            "Only one TargetTrackingScaling policy for a given metric specification is allowed."
        )


def _metric(settings: Json) -> Json:
    return {key: each for key, each in settings.items() if key.endswith("MetricSpecification")}


def _shown(target: Target, policy: Policy) -> Json:
    return {
        "PolicyARN": policy.arn,
        "PolicyName": policy.name,
        "ServiceNamespace": "ecs",
        "ResourceId": target.resource,
        "ScalableDimension": DIMENSION,
        "PolicyType": policy.kind,
        _SETTINGS[policy.kind]: policy.settings,
        "Alarms": policy.alarms,
        "CreationTime": policy.created_at,
    }
