"""Settings of connectors and infrastructure definitions, checked by the platform they are for."""

from collections.abc import Mapping
from typing import Any

from dashboard.models import Connector
from rollbacks.definition import DefinitionError, checked
from rollbacks.platforms import platform_of
from rollbacks.platforms.base import Platform, PlatformError


def connector_settings(deployment_type: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are stored; raises DefinitionError that names the fields."""
    model = _platform(deployment_type, "deployment_type").connector_model
    return checked(model, settings, "settings").model_dump(mode="json", exclude_unset=True)


def infrastructure_settings(connector: Connector, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are stored; raises DefinitionError that names the fields."""
    model = _platform(connector.deployment_type, "connector").infrastructure_model
    return checked(model, settings, "settings").model_dump(mode="json", exclude_unset=True)


def _platform(deployment_type: str, field: str) -> Platform:
    try:
        return platform_of(deployment_type)
    except PlatformError as error:
        raise DefinitionError([(field, str(error))]) from None
