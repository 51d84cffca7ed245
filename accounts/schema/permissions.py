"""What a group may do, as the API writes it: each type has its input beside it (reference 4.2).

The attributes are the same for all filters, so that one function reads and one writes them.
"""

from dataclasses import dataclass

import strawberry

from accounts.schema.words import EnvFilterType, FilterType, PipelineFilterType, WorkflowFilterType
from accounts.vocabulary import AccountPermission, Action, PermissionType

Ids = list[str] | None


@dataclass
class _All:
    filter_type: FilterType | None = None


@dataclass
class _Applications(_All):
    ids: Ids = strawberry.field(name="appIds", default=None)


@dataclass
class _Services(_All):
    ids: Ids = strawberry.field(name="serviceIds", default=None)


@dataclass
class _Provisioners(_All):
    ids: Ids = strawberry.field(name="provisionerIds", default=None)


@dataclass
class _Templates(_All):
    ids: Ids = strawberry.field(name="templateIds", default=None)


@dataclass
class _Environments:
    filter_types: list[EnvFilterType] | None = None
    ids: Ids = strawberry.field(name="envIds", default=None)


@dataclass
class _Workflows:
    filter_types: list[WorkflowFilterType] | None = None
    ids: Ids = strawberry.field(name="envIds", default=None)


@dataclass
class _Pipelines:
    filter_types: list[PipelineFilterType] | None = None
    ids: Ids = strawberry.field(name="envIds", default=None)


@strawberry.type(description="Every application, or those with these ids.")
class ApplicationFilter(_Applications):
    pass


@strawberry.input(description="Every application (filterType: ALL), or those with these ids.")
class ApplicationFilterInput(_Applications):
    pass


@strawberry.type(description="Every service, or those with these ids.")
class ServiceFilter(_Services):
    pass


@strawberry.input(description="Every service (filterType: ALL), or those with these ids.")
class ServiceFilterInput(_Services):
    pass


@strawberry.type(description="There are none in Lastgood; kept for what is written for the field.")
class ProvisionerFilter(_Provisioners):
    pass


@strawberry.input(description="Lastgood has none, so send filterType: ALL.")
class ProvisionerFilterInput(_Provisioners):
    pass


@strawberry.type(description="There are none in Lastgood; kept for what is written for the field.")
class TemplateFilter(_Templates):
    pass


@strawberry.input(description="Lastgood has none, so send filterType: ALL.")
class TemplateFilterInput(_Templates):
    pass


@strawberry.type(description="Environments by their type, those to come included, and by id.")
class EnvironmentFilter(_Environments):
    pass


@strawberry.input(description="Environments by their type, those to come included, and by id.")
class EnvironmentFilterInput(_Environments):
    pass


@strawberry.type(description="Workflows by the environment they deploy to.")
class WorkflowFilter(_Workflows):
    pass


@strawberry.input(description="Workflows by the environment they deploy to.")
class WorkflowFilterInput(_Workflows):
    pass


@strawberry.type(description="Pipelines by the environments they deploy to.")
class PipelineFilter(_Pipelines):
    pass


@strawberry.input(description="Pipelines by the environments they deploy to.")
class PipelineFilterInput(_Pipelines):
    pass


@strawberry.type(description="Deployments by their environment.")
class DeploymentFilter(_Environments):
    pass


@strawberry.input(description="Deployments by their environment.")
class DeploymentFilterInput(_Environments):
    pass


@strawberry.type(description="Actions on one type of thing; the things must pass every filter.")
class AppPermission:
    permission_type: PermissionType
    actions: list[Action]
    applications: ApplicationFilter
    services: ServiceFilter | None = None
    environments: EnvironmentFilter | None = None
    workflows: WorkflowFilter | None = None
    pipelines: PipelineFilter | None = None
    deployments: DeploymentFilter | None = None
    provisioners: ProvisionerFilter | None = None
    templates: TemplateFilter | None = None


@strawberry.input(description="Actions on one type of thing; the things must pass every filter.")
class AppPermissionInput:
    permission_type: PermissionType
    actions: list[Action] | None = None
    applications: ApplicationFilterInput | None = None
    services: ServiceFilterInput | None = None
    environments: EnvironmentFilterInput | None = None
    workflows: WorkflowFilterInput | None = None
    pipelines: PipelineFilterInput | None = None
    deployments: DeploymentFilterInput | None = strawberry.field(
        default=None,
        description="With permissionType ALL it narrows executing, rolling back and aborting; "
        "without it those reach every environment.",
    )
    provisioners: ProvisionerFilterInput | None = None
    templates: TemplateFilterInput | None = None


@strawberry.type(description="What a group may do across the account.")
class AccountPermissions:
    account_permission_types: list[AccountPermission]


@strawberry.input(description="What a group may do across the account.")
class AccountPermissionInput:
    account_permission_types: list[AccountPermission] | None = None


@strawberry.type(description="Everything a group may do.")
class UserGroupPermissions:
    account_permissions: AccountPermissions
    app_permissions: list[AppPermission]


@strawberry.input(description="Everything a group may do.")
class UserGroupPermissionsInput:
    account_permissions: AccountPermissionInput | None = None
    app_permissions: list[AppPermissionInput] | None = None
