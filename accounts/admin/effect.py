"""What somebody may do in effect, environment by environment: read from the object permissions."""

from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Q

from accounts.models import EnvironmentGrant, User, UserGroup
from accounts.vocabulary import Right

SHOWN = 50
WORDS = {
    Right.VIEW_DEPLOYMENTS: "view",
    Right.EXECUTE_WORKFLOW: "execute",
    Right.ROLLBACK_WORKFLOW: "roll back",
    Right.ABORT_WORKFLOW: "abort",
}


@dataclass
class InEnvironment:
    name: str
    is_production: bool
    rights: dict[str, set[str]] = field(default_factory=dict)
    """Codenames with the groups they come from."""

    @property
    def words(self) -> list[tuple[str, str]]:
        """(what, through which groups)"""
        return [
            (word, ", ".join(sorted(self.rights[right.value])))
            for right, word in WORDS.items()
            if right.value in self.rights
        ]


@dataclass
class InApplication:
    name: str
    environments: list[InEnvironment] = field(default_factory=list)

    @property
    def shown(self) -> list[InEnvironment]:
        return self.environments[:SHOWN]

    @property
    def more(self) -> int:
        return len(self.environments) - len(self.shown)

    @property
    def counts(self) -> str:
        """In how many environments what may be done."""
        many = len(self.environments)
        parts = [f"{many} environment" + ("s" if many != 1 else "")]
        for right, word in WORDS.items():
            count = sum(right.value in each.rights for each in self.environments)
            if count and right != Right.VIEW_DEPLOYMENTS:
                parts.append(f"{word} in {count if count != many else 'all' if many > 1 else 'it'}")
        return ", ".join(parts)


def of_group(group: UserGroup) -> list[InApplication]:
    """What the group's members may do through this group alone."""
    return _in_effect(Q(group=group.pk))


def of_user(user: User) -> list[InApplication]:
    """What the person may do, and through which groups."""
    return _in_effect(Q(group__user=user.pk))


def _in_effect(whose: Q) -> list[InApplication]:
    grants = EnvironmentGrant.objects.filter(whose).order_by()
    found: dict[int, dict[str, set[str]]] = {}
    for pk, codename, group in grants.values_list(
        "content_object", "permission__codename", "group__name"
    ):
        found.setdefault(pk, {}).setdefault(codename, set()).add(group)
    applications: dict[str, InApplication] = {}
    for each in _environments(grants):
        inside = applications.setdefault(
            each.application.name, InApplication(each.application.name)
        )
        inside.environments.append(InEnvironment(each.name, each.is_production, found[each.pk]))
    return list(applications.values())


def _environments(grants: Any) -> Any:
    environments = apps.get_model("dashboard", "Environment").objects.select_related("application")
    return environments.filter(pk__in=grants.values("content_object"))
