"""Why activities began, and why launches failed, as Auto Scaling words it.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-verify-scaling-activity.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-healthchecks.html
"""

from .records import Group, Instance, Template, stamp

ELB = "an instance was taken out of service in response to an ELB system health check failure."
GONE = (
    "an instance was taken out of service in response to an EC2 health check indicating it has "
    "been terminated or stopped."
)
SET = "an instance was taken out of service in response to a user health-check."
REPLACED = "an instance was launched in response to an unhealthy instance needing to be replaced."
REFRESHED = "an instance was launched in response to an instance refresh."
REFRESHING = "an instance was taken out of service in response to an instance refresh."
ASKED = "instance {} was taken out of service in response to a user request."


def grown(group: Group, count: int) -> str:
    return (
        f"{group.why}At {stamp()} an instance was started in response to a difference between "
        f"desired and actual capacity, increasing the capacity from {count} to {group.desired}."
    ).removeprefix(f"At {stamp()} ")


def shrunk(group: Group, count: int, instance: Instance) -> str:
    return (
        f"{group.why}At {stamp()} an instance was taken out of service in response to a "
        f"difference between desired and actual capacity, shrinking the capacity from {count} to "
        f"{group.desired}.  At {stamp()} instance {instance.id} was selected for termination."
    ).removeprefix(f"At {stamp()} ")


def constrained(group: Group, before: int) -> str:
    """The beginning of the causes of what follows a request."""
    low, high = group.settings["MinSize"], group.settings["MaxSize"]
    return (
        f"At {stamp()} a user request update of AutoScalingGroup constraints to min: {low}, max: "
        f"{high}, desired: {group.desired} changing the desired capacity from {before} to "
        f"{group.desired}.  "
    )


def no_capacity(template: Template, zone: str) -> str:
    kind = template.instance_type
    return (
        f"We currently do not have sufficient {kind} capacity in the Availability Zone you "
        f"requested ({zone}). Our system will be working on provisioning additional capacity. "
        f"You can currently get {kind} capacity by not specifying an Availability Zone in your "
        "request. Launching EC2 instance failed."
    )


def set_explicitly(group: Group, before: int) -> str:
    return (
        f"At {stamp()} a user request explicitly set group desired capacity changing the desired "
        f"capacity from {before} to {group.desired}.  "
    )
