"""How long things take here. The real ones take seconds and minutes; their order is the same."""

from dataclasses import dataclass


@dataclass
class Timing:
    """Seconds; a test may change them while the foundation runs."""

    place: float = 0.01  # until a cell has been found for an instance: it is DOWN until then
    start: float = 0.02  # from STARTING to RUNNING, or to CRASHED
    live: float = 0.015  # how long an instance runs that flaps; less than between two looks at it
    restart: float = 0.05  # before what crashed is started again; then twice as long each time
    longest_restart: float = 1.0
    stop: float = 0.02  # an instance that was stopped finishes its requests
    update: float = 0.01  # between two looks at the deployments
    process_upload: float = 0.02  # a package, until it is READY
    stage: float = 0.03  # a build
    job: float = 0.02  # a job, until it is done
    autoscale: float = 0.05  # between two looks of the autoscaler
    access_token: float = 600.0  # how long UAA's tokens are good for
    refresh_token: float = 3600.0
