"""Records as the API shows them."""

from ..asked import Json
from .records import Activity, Group, Instance, Refresh


def group(found: Group, with_instances: bool = True) -> Json:
    settings = {key: value for key, value in found.settings.items() if key != "Tags"}
    return {
        "DefaultCooldown": 300,
        "HealthCheckType": "EC2",
        "HealthCheckGracePeriod": 0,
        "NewInstancesProtectedFromScaleIn": False,
        "TerminationPolicies": ["Default"],
        **settings,
        "AutoScalingGroupName": found.name,
        "AutoScalingGroupARN": found.arn,
        "TargetGroupARNs": [
            each for each, state in found.target_groups.items() if state != "Removing"
        ],
        "LoadBalancerNames": [],
        "Instances": [instance(each) for each in found.instances] if with_instances else [],
        "CreatedTime": found.created_at,
        "SuspendedProcesses": [
            {"ProcessName": key, "SuspensionReason": why} for key, why in found.suspended.items()
        ],
        "EnabledMetrics": [],
        "Status": "Delete in progress" if found.is_deleting else None,
        "Tags": tags(found),
        "ServiceLinkedRoleARN": None,
    }


def tags(found: Group) -> list[Json]:
    return [
        {
            "ResourceId": found.name,
            "ResourceType": "auto-scaling-group",
            "Key": key,
            "Value": each["Value"],
            "PropagateAtLaunch": each["PropagateAtLaunch"],
        }
        for key, each in sorted(found.tags.items())
    ]


def instance(found: Instance) -> Json:
    return {
        "InstanceId": found.id,
        "InstanceType": found.template.instance_type,
        "AvailabilityZone": found.zone,
        "LifecycleState": found.lifecycle.value,
        "HealthStatus": found.health,
        "ProtectedFromScaleIn": found.is_protected,
        "LaunchTemplate": found.template.shown,
    }


def activity(of: Group, found: Activity) -> Json:
    return {
        "ActivityId": found.id,
        "AutoScalingGroupName": of.name,
        "AutoScalingGroupARN": of.arn,
        "Description": found.description,
        "Cause": found.cause,
        "StartTime": found.started_at,
        "EndTime": found.ended_at,
        "StatusCode": found.status,
        "StatusMessage": found.message or None,
        "Progress": found.progress,
        "Details": "{}",
    }


def refresh(of: Group, found: Refresh) -> Json:
    return {
        "InstanceRefreshId": found.id,
        "AutoScalingGroupName": of.name,
        "Status": found.status,
        "StatusReason": found.reason or None,
        "StartTime": found.started_at,
        "EndTime": found.ended_at,
        "PercentageComplete": found.percentage,
        "InstancesToUpdate": len(found.to_replace),
        "Preferences": found.preferences,
        "DesiredConfiguration": found.desired,
        "RollbackDetails": found.rollback,
        "Strategy": "Rolling",
    }
