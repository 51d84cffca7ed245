"""What the pages show, each page in a fixed number of queries. Reads only.

Everything starts from `visible_to(actor)`: what the actor may not see is not there.
"""

from dashboard.queries.executions import (
    PAGE,
    DeploymentPage,
    Filters,
    deployment,
    deployment_version,
    deployments,
    filter_choices,
    is_live,
    recent_deployments,
    rollback_state,
)
from dashboard.queries.steps import journal, unknown, verification
from dashboard.queries.targets import may_execute, panel, panel_version, service_rows, services

__all__ = [
    "PAGE",
    "DeploymentPage",
    "Filters",
    "deployment",
    "deployment_version",
    "deployments",
    "filter_choices",
    "is_live",
    "journal",
    "may_execute",
    "panel",
    "panel_version",
    "recent_deployments",
    "rollback_state",
    "service_rows",
    "services",
    "unknown",
    "verification",
]
