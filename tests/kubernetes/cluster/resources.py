"""The resources the server knows, and where a path leads."""

from dataclasses import dataclass
from urllib.parse import unquote

from .problems import unknown_path
from .schema import Field, one


@dataclass(frozen=True)
class Resource:
    """One kind of object; its type in the schema has the kind's name."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    subresources: tuple[str, ...] = ()
    counts_generations: bool = False
    short: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """As in `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def schema(self) -> Field:
        return one(self.kind)

    def __hash__(self) -> int:
        return hash((self.group, self.plural))


_BOTH = ("status", "scale")
_STATUS = ("status",)

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True, _BOTH, True, ("deploy",))
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet", True, _BOTH, True, ("rs",))
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet", True, _BOTH, True, ("sts",))
DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet", True, _STATUS, True, ("ds",))
REVISIONS = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")
PODS = Resource("", "v1", "pods", "Pod", True, _STATUS, True, ("po",))
SERVICES = Resource("", "v1", "services", "Service", True, _STATUS, False, ("svc",))
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", True, (), False, ("cm",))
SECRETS = Resource("", "v1", "secrets", "Secret")
EVENTS = Resource("", "v1", "events", "Event", True, (), False, ("ev",))
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False, _STATUS, False, ("ns",))
NODES = Resource("", "v1", "nodes", "Node", False, _STATUS, False, ("no",))
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount", True, (), False, ("sa",))
QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota", True, _STATUS, False, ("quota",))
CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True, _STATUS)
INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress", True, _STATUS, True)
BUDGETS = Resource(
    "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True, _STATUS, True
)
AUTOSCALERS = Resource(
    "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True, _STATUS
)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False)
CLUSTER_BINDINGS = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False
)
ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False
)
JOBS = Resource("batch", "v1", "jobs", "Job", True, _STATUS, True)
CRON_JOBS = Resource("batch", "v1", "cronjobs", "CronJob", True, _STATUS, True)

ALL = tuple(each for each in list(globals().values()) if isinstance(each, Resource))
_BY_PATH = {(each.group, each.version, each.plural): each for each in ALL}
_BY_KIND = {(each.api_version, each.kind): each for each in ALL}


def of_kind(api_version: str, kind: str) -> Resource | None:
    return _BY_KIND.get((api_version, kind))


@dataclass(frozen=True)
class Place:
    """Where a path leads: a collection, or an object (or a subresource of it) if it has a name."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def place(path: str) -> Place:
    """The place of a path such as /apis/apps/v1/namespaces/shop/deployments/web/scale."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api":
        parts.insert(1, "")
    if parts[0] not in ("api", "apis") or len(parts) < 4:
        raise unknown_path()
    group, version, *rest = parts[1:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and (group, version, rest[2]) in _BY_PATH:
        namespace, rest = rest[1], rest[2:]
    resource = _BY_PATH.get((group, version, rest[0]))
    if resource is None or len(rest) > 3:
        raise unknown_path()
    name, subresource = (*rest[1:], "", "")[:2]
    if (name or subresource) and resource.namespaced and not namespace:
        raise unknown_path()
    if subresource and subresource not in resource.subresources:
        raise unknown_path()
    return Place(resource, namespace, name, subresource)
