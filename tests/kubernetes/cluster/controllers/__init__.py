"""What makes objects come true: controllers, and nodes that only pretend."""

from ..objects import Objects
from .daemonsets import DaemonSets
from .deployments import Deployments
from .fate import Timing
from .garbage import Namespaces, Owners
from .kubelet import Kubelet
from .loop import Controller
from .quotas import Quotas
from .replicasets import ReplicaSets
from .statefulsets import StatefulSets

_ALL: tuple[type[Controller], ...] = (
    Owners,
    Namespaces,
    Quotas,
    Deployments,
    ReplicaSets,
    StatefulSets,
    DaemonSets,
    Kubelet,
)


def controllers(objects: Objects, timing: Timing) -> list[Controller]:
    """One of each."""
    return [each(objects, timing) for each in _ALL]
