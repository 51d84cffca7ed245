"""The hosts of an infrastructure definition that names an Auto Scaling group instead of them.

They are looked up on AWS and kept, so that everything else reads them from the database. Where AWS
cannot be asked, what was known stays, with what went wrong beside it.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from dashboard.models import Connector, DeploymentType, Infrastructure, Roster
from rollbacks.definition import DefinitionError, checked
from rollbacks.pacing import SharedPace
from rollbacks.platforms import credentials
from rollbacks.platforms.aws.members import Member, members_of
from rollbacks.platforms.aws.settings import Connector as AwsConnector
from rollbacks.platforms.base import PlatformError, TargetRef
from rollbacks.platforms.hosts import AutoScalingGroup

log = logging.getLogger(__name__)

SETTING = "auto_scaling_group"
ON_AWS = (DeploymentType.ECS, DeploymentType.AMI)
Host = Mapping[str, Any]


def has_one(infrastructure: Infrastructure) -> bool:
    """Whether its hosts come and go."""
    return bool(infrastructure.settings.get(SETTING))


def hosts(infrastructure: Infrastructure, besides: Collection[str] = ()) -> tuple[Host, ...] | None:
    """Those in service, as settings would list them; None where the settings do list them.

    `besides`: these too, as long as the group has them. Raises PlatformError where the group has
    never answered.
    """
    if not has_one(infrastructure):
        return None
    group, known = _group(infrastructure), _known(infrastructure)
    return tuple(
        group.host(each.name, each.address).model_dump()
        for each in _members(known)
        if each.address and (each.in_service or each.name in besides)
    )


def gone(infrastructure: Infrastructure, names: Iterable[str]) -> list[str]:
    """Which of these the group has no more, as it said itself when it was asked last."""
    if not has_one(infrastructure):
        return []
    staying = {each.name for each in _members(_known(infrastructure))}
    return [name for name in names if name not in staying]


def caution(infrastructure: Infrastructure) -> str:
    """What is not known of the group's hosts, in a sentence; empty where all is."""
    if not has_one(infrastructure):
        return ""
    try:
        known = _known(infrastructure)
    except PlatformError as fault:
        return f"{fault}."
    if not known.error:
        return ""
    return f"{known.error.rstrip('.')}. Its hosts are those of {known.seen_at:%Y-%m-%d %H:%M %Z}."


def refresh(infrastructure: Infrastructure, now: datetime) -> str:
    """Ask the group, and keep what it says; otherwise why it could not be asked. Never raises."""
    if not has_one(infrastructure):
        return ""
    try:
        group = _group(infrastructure)
        found = members_of(_account(group), group.name, group.address)
    except PlatformError as fault:
        log.warning("The hosts of %s could not be looked up: %s", infrastructure, fault)
        _keep(infrastructure, error=str(fault)[:500])
        return str(fault)
    lost = [each.name for each in found if each.in_service and not each.address]
    what = group.address.replace("_", " ")
    error = f"{', '.join(lost)}: in service, but without a {what}"[:500] if lost else ""
    _keep(infrastructure, members=[asdict(each) for each in found], seen_at=now, error=error)
    return error


def _keep(infrastructure: Infrastructure, **values: Any) -> None:
    """What another group was seen to have says nothing of this one."""
    source = infrastructure.settings[SETTING]
    rows = Roster.objects.filter(infrastructure=infrastructure)
    if not rows.filter(source=source).exists():
        values = {"members": [], "seen_at": None, **values, "source": source}
    Roster.objects.update_or_create(infrastructure=infrastructure, defaults=values)


def _known(infrastructure: Infrastructure) -> Roster:
    source = infrastructure.settings[SETTING]
    found = Roster.objects.filter(infrastructure=infrastructure, source=source).first()
    if found is None or found.seen_at is None:
        why = found.error.rstrip(".") if found else "nobody has looked yet"
        raise PlatformError(
            f"The hosts of the Auto Scaling group {source['name']} are not known: {why}. "
            "Refresh the service's page to look again"
        )
    return found


def _members(known: Roster) -> list[Member]:
    return [Member(**each) for each in known.members]


def _group(infrastructure: Infrastructure) -> AutoScalingGroup:
    try:
        return checked(AutoScalingGroup, infrastructure.settings[SETTING], SETTING)
    except DefinitionError as error:
        raise PlatformError(f"{infrastructure}: {error}", permanent=True) from None


def _account(group: AutoScalingGroup) -> TargetRef:
    """The AWS connector's account, as what asks AWS takes it."""
    connector = Connector.objects.filter(name=group.connector, deployment_type__in=ON_AWS).first()
    if connector is None:
        raise PlatformError(
            f"There is no AWS connector {group.connector}, by which the Auto Scaling group is "
            "asked for its hosts",
            permanent=True,
        )
    try:
        settings = checked(AwsConnector, connector.settings, "connector")
    except DefinitionError as error:
        raise PlatformError(f"{connector} cannot be used: {error}", permanent=True) from None
    return TargetRef(
        application="",
        service="",
        environment="",
        infrastructure=group.name,
        connector=settings.model_dump(),
        settings={},
        credential=credentials.resolve(connector.credential),
        pace=SharedPace(),
    )
