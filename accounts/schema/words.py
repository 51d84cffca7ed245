"""The enums of the API: the vocabulary, under the names the field's API has for it."""

from enum import Enum

import strawberry
from strawberry.types.enum import EnumValue

from accounts.rows import Scope
from accounts.vocabulary import AccountPermission, Action, PermissionType

strawberry.enum(
    AccountPermission,
    name="AccountPermissionType",
    description="What a group may do across the account.",
    graphql_name_from="value",
)
# People say "Manage Applications", so that name is understood too. Last, because what is answered
# is the first name of a value.
AccountPermission.__strawberry_definition__.values.append(  # type: ignore[attr-defined]
    EnumValue(
        "MANAGE_APPLICATIONS",
        AccountPermission.MANAGE_APPLICATIONS.value,
        description="Another name of CREATE_AND_DELETE_APPLICATION, which is what is answered.",
    )
)
strawberry.enum(PermissionType, name="AppPermissionType", description="What kind of thing it is.")
strawberry.enum(Action, name="Actions", description="What may be done to it.")


@strawberry.enum(description="All there is, and all that comes later.")
class FilterType(Enum):
    ALL = Scope.EVERYTHING


@strawberry.enum
class EnvFilterType(Enum):
    PRODUCTION_ENVIRONMENTS = Scope.PRODUCTION
    NON_PRODUCTION_ENVIRONMENTS = Scope.NON_PRODUCTION


@strawberry.enum
class WorkflowFilterType(Enum):
    PRODUCTION_WORKFLOWS = Scope.PRODUCTION
    NON_PRODUCTION_WORKFLOWS = Scope.NON_PRODUCTION
    WORKFLOW_TEMPLATES = Scope.TEMPLATES


@strawberry.enum
class PipelineFilterType(Enum):
    PRODUCTION_PIPELINES = Scope.PRODUCTION
    NON_PRODUCTION_PIPELINES = Scope.NON_PRODUCTION
