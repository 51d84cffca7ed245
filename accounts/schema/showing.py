"""Shows a group's permissions in the words in which they can be sent back."""

from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial
from typing import TypeVar

import strawberry

from accounts import wording
from accounts.rows import Permissions, Row, Scope
from accounts.schema import permissions as api
from accounts.schema.reading import FILTER_OF
from accounts.schema.words import EnvFilterType, FilterType, PipelineFilterType, WorkflowFilterType
from accounts.vocabulary import AccountPermission, PermissionType

Choice = TypeVar("Choice", bound=Enum)
Filter = (
    api.ServiceFilter | api.EnvironmentFilter | api.WorkflowFilter | api.PipelineFilter
    | api.DeploymentFilter | api.ProvisionerFilter | api.TemplateFilter
)  # fmt: skip


@strawberry.type(
    name="PermissionsInWords", description="One sentence for each application permission."
)
class InWords:
    account_permission_types: list[AccountPermission]
    app_permissions: list[str]

    @classmethod
    def of(cls, permissions: Permissions) -> "InWords":
        names = wording.Names.of(permissions.rows)
        return cls(
            account_permission_types=_account(permissions),
            app_permissions=[wording.sentence(row, names) for row in permissions.rows],
        )


def shown(permissions: Permissions) -> api.UserGroupPermissions:
    """All of them; each list in an order that does not change."""
    return api.UserGroupPermissions(
        account_permissions=api.AccountPermissions(account_permission_types=_account(permissions)),
        app_permissions=[_shown(row) for row in permissions.rows],
    )


def _account(permissions: Permissions) -> list[AccountPermission]:
    return [each for each in AccountPermission if each in permissions.account]


def _shown(row: Row) -> api.AppPermission:
    everywhere = row.applications is None
    shown = api.AppPermission(
        permission_type=row.permission_type,
        actions=sorted(row.actions),
        applications=api.ApplicationFilter(
            filter_type=FilterType.ALL if everywhere else None,
            ids=None if everywhere else _ids(row.applications or ()),
        ),
    )
    # Type ALL that reaches every environment is written without a filter.
    if row.permission_type != PermissionType.ALL or Scope.EVERYTHING not in row.scopes:
        setattr(shown, FILTER_OF[row.permission_type], _filter(row))
    return shown


def _filter(row: Row) -> Filter:
    makers: dict[PermissionType, Callable[[], Filter]] = {
        PermissionType.SERVICE: lambda: api.ServiceFilter(
            filter_type=_all(row), ids=None if _all(row) else _ids(row.services)
        ),
        PermissionType.PROVISIONER: lambda: api.ProvisionerFilter(filter_type=_all(row)),
        PermissionType.TEMPLATE: lambda: api.TemplateFilter(filter_type=_all(row)),
        PermissionType.ENV: lambda: api.EnvironmentFilter(
            filter_types=_types(row, EnvFilterType), ids=_environments(row)
        ),
        PermissionType.WORKFLOW: lambda: api.WorkflowFilter(
            filter_types=_types(row, WorkflowFilterType), ids=_environments(row)
        ),
        PermissionType.PIPELINE: lambda: api.PipelineFilter(
            filter_types=_types(row, PipelineFilterType), ids=_environments(row)
        ),
    }
    deployments = partial(
        api.DeploymentFilter, filter_types=_types(row, EnvFilterType), ids=_environments(row)
    )
    return makers.get(row.permission_type, deployments)()


def _all(row: Row) -> FilterType | None:
    return FilterType.ALL if Scope.EVERYTHING in row.scopes else None


def _types(row: Row, choices: type[Choice]) -> list[Choice] | None:
    everything = Scope.EVERYTHING in row.scopes
    return [each for each in choices if everything or each.value in row.scopes] or None


def _environments(row: Row) -> list[str] | None:
    """An empty list where all that was chosen is gone: nothing is not everything."""
    return None if row.scopes and not row.environments else _ids(row.environments)


def _ids(keys: Iterable[int]) -> list[str]:
    return [str(each) for each in sorted(keys)]
