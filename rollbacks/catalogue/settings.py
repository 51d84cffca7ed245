"""Settings of connectors and infrastructure definitions, checked by the platform they are for."""

from collections.abc import Mapping
from typing import Any

from dashboard.models import Connector
from rollbacks import rosters
from rollbacks.definition import DefinitionError, checked
from rollbacks.platforms import platform_of
from rollbacks.platforms.base import Platform, PlatformError
from rollbacks.platforms.hosts import Hosted


def connector_settings(deployment_type: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are stored; raises DefinitionError that names the fields."""
    model = _platform(deployment_type, "deployment_type").connector_model
    return checked(model, settings, "settings").model_dump(mode="json", exclude_unset=True)


def infrastructure_settings(connector: Connector, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are stored; raises DefinitionError that names the fields."""
    model = _platform(connector.deployment_type, "connector").infrastructure_model
    found = checked(model, settings, "settings")
    if isinstance(found, Hosted) and found.auto_scaling_group:
        _require_on_aws(found.auto_scaling_group.connector)
    return found.model_dump(mode="json", exclude_unset=True)


def _require_on_aws(name: str) -> None:
    """By a connector, because who may edit those decides which secret is sent where."""
    if Connector.objects.filter(name=name, deployment_type__in=rosters.ON_AWS).exists():
        return
    raise DefinitionError(
        [
            (
                f"settings.{rosters.SETTING}.connector",
                f"there is no connector {name} of ECS or AMI, which says how AWS is asked",
            )
        ]
    )


def _platform(deployment_type: str, field: str) -> Platform:
    try:
        return platform_of(deployment_type)
    except PlatformError as error:
        raise DefinitionError([(field, str(error))]) from None
