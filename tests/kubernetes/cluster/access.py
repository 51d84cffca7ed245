"""Who calls, and what they may: bearer tokens, client certificates, and the cluster's roles."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import resources as r
from .problems import Refused, forbidden
from .resources import Resource
from .store import Store

Json = dict[str, Any]
MASTERS, AUTHENTICATED = "system:masters", "system:authenticated"


@dataclass(frozen=True)
class User:
    """Somebody who proved who they are."""

    name: str
    groups: tuple[str, ...] = ()
    is_observed: bool = True  # the test's own look does not count among the requests

    @property
    def is_master(self) -> bool:
        return MASTERS in self.groups


@dataclass(frozen=True)
class Question:
    """May this be done? With no namespace: in the whole cluster."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


# Who shows nothing, or what the cluster does not know: such as a password.
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


def service_account(namespace: str, name: str) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return User(f"system:serviceaccount:{namespace}:{name}", (*groups, AUTHENTICATED))


def is_allowed(store: Store, user: User, question: Question) -> bool:
    if user.is_master:
        return True
    if question.group == "authorization.k8s.io" and AUTHENTICATED in user.groups:
        return True
    return any(_grants(rule, question) for rule in _rules(store, user, question.namespace))


def check(store: Store, user: User, question: Question, resource: Resource) -> None:
    """Raises Refused unless it is allowed."""
    if not is_allowed(store, user, question):
        raise refusal(user, question, resource)


def refusal(user: User, question: Question, resource: Resource) -> Refused:
    where = (
        f'in the namespace "{question.namespace}"' if question.namespace else "at the cluster scope"
    )
    return forbidden(
        resource,
        question.name,
        f'User "{user.name}" cannot {question.verb} resource "{question.full_resource}" in API '
        f'group "{question.group}" {where}',
    )


def _rules(store: Store, user: User, namespace: str) -> Iterator[Json]:
    """Every rule that is bound to this user where the question is about."""
    bindings = store.all(r.CLUSTER_BINDINGS)
    if namespace:
        bindings = [*bindings, *store.all(r.BINDINGS, namespace)]
    for binding in bindings:
        if any(_is_subject(each, user, binding) for each in binding.get("subjects", [])):
            reference = binding["roleRef"]
            if reference["kind"] == "ClusterRole":
                role = store.get(r.CLUSTER_ROLES, "", reference["name"])
            else:
                role = store.get(r.ROLES, namespace, reference["name"])
            yield from (role or {}).get("rules", [])


def _is_subject(subject: Json, user: User, binding: Json) -> bool:
    match subject["kind"]:
        case "ServiceAccount":
            namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
            return user.name == f"system:serviceaccount:{namespace}:{subject['name']}"
        case "Group":
            return subject["name"] in user.groups
        case _:
            return bool(subject["name"] == user.name)


def _grants(rule: Json, question: Question) -> bool:
    resources = rule.get("resources", [])
    any_sub = f"*/{question.subresource}"
    return (
        _has(rule.get("verbs", []), question.verb)
        and _has(rule.get("apiGroups", []), question.group)
        and (_has(resources, question.full_resource) or any_sub in resources)
        and (not rule.get("resourceNames") or question.name in rule["resourceNames"])
    )


def _has(listed: list[str], wanted: str) -> bool:
    return "*" in listed or wanted in listed
