"""The kinds of objects that Lastgood knows, where the API serves them, and our marks on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]  # as the API gives and takes it

MANAGER = "lastgood"  # our name as a field manager
PREFIX = "lastgood.io/"
RELEASE = f"{PREFIX}release"  # annotation, also of pods: the deployment that brought it
WORKLOAD = f"{PREFIX}workload"  # label: the name of the workload that this is made for
TRACK = f"{PREFIX}track"  # label of pods: stable or canary
COLOR = f"{PREFIX}color"  # label of pods, and in selectors of services: blue or green
SKIP_VERSIONING = f"{PREFIX}skip-versioning"
PRIMARY_SERVICE = f"{PREFIX}primary-service"
STAGE_SERVICE = f"{PREFIX}stage-service"


@dataclass(frozen=True)
class Kind:
    """One kind; `rank` orders what is applied: what others need goes first."""

    name: str
    api_version: str
    plural: str
    rank: int = 5

    @property
    def group(self) -> str:
        return self.api_version.partition("/")[0] if "/" in self.api_version else ""

    @property
    def root(self) -> str:
        """The path of its API, without a slash at the end."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"


DEPLOYMENT = Kind("Deployment", "apps/v1", "deployments", 7)
STATEFUL_SET = Kind("StatefulSet", "apps/v1", "statefulsets", 7)
DAEMON_SET = Kind("DaemonSet", "apps/v1", "daemonsets", 7)
SERVICE = Kind("Service", "v1", "services", 4)
CONFIG_MAP = Kind("ConfigMap", "v1", "configmaps", 2)
SECRET = Kind("Secret", "v1", "secrets", 2)
POD = Kind("Pod", "v1", "pods")
EVENT = Kind("Event", "v1", "events")
AUTOSCALER = Kind("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers", 8)

WORKLOADS = {kind.name: kind for kind in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)}
VERSIONED = {kind.name: kind for kind in (CONFIG_MAP, SECRET)}

# What may stand in manifests.
KINDS = {
    kind.name: kind
    for kind in (
        Kind("ServiceAccount", "v1", "serviceaccounts", 0),
        Kind("Role", "rbac.authorization.k8s.io/v1", "roles", 1),
        Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings", 1),
        *VERSIONED.values(),
        Kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims", 3),
        SERVICE,
        *WORKLOADS.values(),
        Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets", 8),
        AUTOSCALER,
        Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies", 8),
        Kind("Ingress", "networking.k8s.io/v1", "ingresses", 9),
    )
}


def kind_of(manifest: Object) -> Kind:
    """The kind of an object of a checked manifest."""
    return KINDS[manifest["kind"]]


def name_of(manifest: Object) -> str:
    return str(manifest["metadata"]["name"])


def key_of(manifest: Object) -> str:
    """How an object is called for people, and an instance by its key: Deployment/web."""
    return f"{manifest['kind']}/{name_of(manifest)}"


def annotations(manifest: Object) -> dict[str, str]:
    return manifest.get("metadata", {}).get("annotations") or {}


def labels(manifest: Object) -> dict[str, str]:
    return manifest.get("metadata", {}).get("labels") or {}


def pod_template(workload: Object) -> Object:
    """The pod template, of what was written or of what lives."""
    template: Object = workload.get("spec", {}).get("template") or {}
    return template


def containers(template: Object) -> Iterator[Object]:
    """Every container of a pod template, initial ones first."""
    spec = template.get("spec") or {}
    yield from spec.get("initContainers") or ()
    yield from spec.get("containers") or ()
