"""How long things take here. The real ones take minutes; their order is the same."""

from dataclasses import dataclass

HOUR = 3600.0  # what takes so long is there until a test skips it


@dataclass
class Timing:
    """Seconds; a test may change them while the cloud runs."""

    provision: float = 0.005  # a task's network interface, before its images are pulled
    pull: float = 0.005  # from pulling a task's images to running
    slow: float = 2.0  # what names that begin with "slow" take instead
    live: float = 0.1  # how long a container lives whose tag begins with "exits"
    health: float = 0.01  # until a health check has made up its mind
    draining: float = 0.01  # a target that was deregistered finishes its requests
    stop: float = 0.005  # from being told to stop to having stopped
    retry: float = 0.02  # before what failed is tried again; then twice as long each time
    longest_retry: float = 2.0
    boot: float = 0.01  # an instance, from launch to InService
    terminate: float = 0.01  # an instance, from being told to having gone
    attach: float = 0.01  # a target group of an Auto Scaling group, between two states
    dns: float = 0.01  # until all name servers know of a change
    refresh_limit: float = 5.0  # an instance refresh waits for instances to be healthy; then fails
