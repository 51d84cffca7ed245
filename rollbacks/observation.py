"""What runs on a target now, what that says about a deployment, and the record of it."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from dashboard.models import Artifact, Connector, Instance, Target
from rollbacks import rosters
from rollbacks.definition import DefinitionError, checked
from rollbacks.pacing import SharedPace
from rollbacks.platforms import credentials, platform_of
from rollbacks.platforms.base import (
    ArtifactRef,
    Member,
    Observation,
    ObservedInstance,
    PlatformError,
    TargetRef,
)

log = logging.getLogger(__name__)


def target_ref(
    target: Target,
    *,
    with_credential: bool = True,
    besides: Collection[str] = (),
    goes_back: bool = False,
) -> TargetRef:
    """The target as a plain value for a platform; raises PlatformError naming what is wrong.

    `besides`: hosts that are meant though their group does not have them in service. `goes_back`:
    it is for taking a deployment back.
    """
    platform = platform_of(target.service.deployment_type)
    infrastructure = target.infrastructure
    connector: Connector = infrastructure.connector
    try:
        connection = checked(platform.connector_model, connector.settings, "connector")
        settings = checked(platform.infrastructure_model, infrastructure.settings, "infrastructure")
    except DefinitionError as error:
        raise PlatformError(
            f"{infrastructure} cannot be used as it is configured: {error}", permanent=True
        ) from None
    return TargetRef(
        application=target.service.application.name,
        service=target.service.name,
        environment=infrastructure.environment.name,
        infrastructure=infrastructure.name,
        connector=connection.model_dump(),
        settings=settings.model_dump(),
        credential=credentials.resolve(connector.credential) if with_credential else None,
        hosts=rosters.hosts(infrastructure, besides),
        pace=SharedPace(goes_back=goes_back),
    )


def artifact_ref(artifact: Artifact | None) -> ArtifactRef | None:
    """The artifact as a plain value for a platform."""
    if artifact is None:
        return None
    return ArtifactRef(
        version=artifact.version,
        location=artifact.location,
        checksum=artifact.checksum,
        artifact_type=artifact.service.artifact_type,
    )


def every_instance(target: Target) -> tuple[str, ...]:
    """The keys of all instances the infrastructure has; no network."""
    platform = platform_of(target.service.deployment_type)
    return platform.select(target_ref(target, with_credential=False), {})


def observe(
    target: Target,
    instances: Sequence[str] = (),
    besides: Collection[str] = (),
    *,
    goes_back: bool = False,
) -> Observation:
    """Look at the live platform. Raises PlatformError where nothing could be learned.

    `besides` and `goes_back`: see `target_ref`.
    """
    ref = target_ref(target, besides=besides, goes_back=goes_back)
    found = platform_of(target.service.deployment_type).observe(ref, instances)
    return Observation(tuple(_plain(each) for each in found.instances))


def _plain(seen: ObservedInstance) -> ObservedInstance:
    members = seen.members and tuple(
        replace(each, version=plain(each.version), message=plain(each.message))
        for each in seen.members
    )
    return replace(seen, version=plain(seen.version), message=plain(seen.message), members=members)


def plain(text: str) -> str:
    """What a host or platform said, as every database can keep it: no NUL, no half surrogates."""
    return text.replace("\0", "").encode(errors="replace").decode()


def as_json(observation: Observation) -> dict[str, Any]:
    """The observation as it is kept in a deployment's `before`; `members` only where there are."""
    return {
        "instances": [
            {
                "key": each.key,
                "identity": each.identity,
                "version": each.version,
                "is_healthy": each.is_healthy,
                "message": each.message,
                **({} if each.members is None else {"members": _members(each.members)}),
            }
            for each in observation.instances
        ]
    }


def _members(members: Iterable[Member]) -> list[dict[str, Any]]:
    return [asdict(each) for each in members]


def identities(document: Mapping[str, Any] | None) -> dict[str, str | None]:
    """Identity by instance key out of a deployment's `before` or `after`."""
    return {each["key"]: each["identity"] for each in (document or {}).get("instances", ())}


def versions(document: Mapping[str, Any] | None) -> dict[str, str]:
    """Version by instance key out of a deployment's `before` or `after`."""
    return {each["key"]: each["version"] for each in (document or {}).get("instances", ())}


@transaction.atomic
def record(target: Target, observation: Observation, seen_at: datetime) -> None:
    """Keep what was seen: instances that are gone there go here; unreachable ones stay as known.

    A look that began before the last one that was kept (a sync overtaken by a rollback) is not.
    """
    target = Target.objects.select_for_update(no_key=True).get(pk=target.pk)
    if target.synced_at is not None and seen_at < target.synced_at:
        return
    rows = _rows(target, observation.instances, seen_at)
    Instance.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["target", "key"],
        update_fields=_SEEN,
    )
    Instance.objects.filter(target=target).exclude(key__in=[row.key for row in rows]).delete()
    silent = sum(each.identity is None for each in observation.instances)
    error = f"{silent} of {len(rows)} instances gave no answer" if silent else ""
    target.synced_at = target.sync_tried_at = seen_at
    target.sync_error = error
    target.save(update_fields=["synced_at", "sync_tried_at", "sync_error"])


def _rows(target: Target, seen: Iterable[ObservedInstance], seen_at: datetime) -> list[Instance]:
    artifacts = {each.version: each for each in Artifact.objects.filter(service=target.service)}
    known = {each.key: each for each in Instance.objects.filter(target=target)}
    current = target.current_deployment
    rows = [
        _instance(each, known.get(each.key) or Instance(target=target, key=each.key), seen_at)
        for each in seen
    ]
    for row in rows:
        row.artifact = artifacts.get(row.version)
        is_current = current and row.artifact and current.artifact_id == row.artifact.pk
        row.deployment = current if is_current else None
    return rows


_SEEN = [
    "version", "identity", "artifact", "deployment", "is_healthy", "message", "seen_at",
    "members", "size", "healthy", "unhealthy", "strays",
]  # fmt: skip


def _instance(seen: ObservedInstance, instance: Instance, now: datetime) -> Instance:
    """The row with what was seen; of an instance that did not answer, what was known remains."""
    instance.message = seen.message[:300]
    instance.is_healthy = None
    if seen.identity is not None:
        instance.identity, instance.version = seen.identity, seen.version
        instance.is_healthy = seen.is_healthy
        instance.take(None if seen.members is None else _members(seen.members))
    elif instance.members:
        instance.take([{**each, "is_healthy": None} for each in instance.members])
    if seen.identity is not None or instance.pk is None:
        instance.seen_at = now
    return instance


def sync(target: Target, now: datetime) -> None:
    """Look, and keep what was seen; where nothing answers, what was known stays and says so."""
    unlisted = rosters.refresh(target.infrastructure, now)
    try:
        observation = observe(target)
    except PlatformError as error:
        Target.objects.filter(pk=target.pk).update(sync_tried_at=now, sync_error=str(error)[:500])
        return
    record(target, observation, now)
    if unlisted:
        Target.objects.filter(pk=target.pk).update(sync_error=unlisted[:500])


def catch_up(target: Target, now: datetime) -> None:
    """Ask a group that hosts come from for them, and look at those of which there is no record.

    So that what is planned next is planned with what is there now. Never raises.
    """
    if not rosters.has_one(target.infrastructure):
        return
    rosters.refresh(target.infrastructure, now)
    try:
        known = set(Instance.objects.filter(target=target).values_list("key", flat=True))
        unseen = [key for key in every_instance(target) if key not in known]
        seen = observe(target, unseen).instances if unseen else ()
    except PlatformError as fault:
        log.warning("The new hosts of %s could not be looked at: %s", target, fault)
        return
    _add(target, seen, now)


@transaction.atomic
def _add(target: Target, seen: Iterable[ObservedInstance], now: datetime) -> None:
    target = Target.objects.select_for_update(no_key=True).get(pk=target.pk)
    Instance.objects.bulk_create(_rows(target, seen, now), ignore_conflicts=True)
