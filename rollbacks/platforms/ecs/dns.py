"""Blue/green with Route 53: two weighted records, each for the Cloud Map service of a release."""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms import waits
from rollbacks.platforms.aws.balancing import WHOLE
from rollbacks.platforms.base import PlatformError, Running
from rollbacks.platforms.ecs.calls import Call, Looks

ROUTE53 = "route53"
CLOUD_MAP = "servicediscovery"
IDENTIFIERS = ("Lastgood-Blue", "Lastgood-Green")  # by registry, in their order
_TYPE = "CNAME"
_IN_SYNC = "INSYNC"
Records = dict[str, dict[str, Any]]  # by set identifier


def records_of(looks: Looks) -> Records:
    """The records of our name; PlatformError where others share it."""
    settings = looks.target.settings["route53"]
    name = _full(settings["record"])
    found = looks.api.read(
        ROUTE53,
        "list_resource_record_sets",
        HostedZoneId=settings["zone"],
        StartRecordName=name,
        StartRecordType=_TYPE,
    )["ResourceRecordSets"]
    own = [each for each in found if each["Name"] == name and each["Type"] == _TYPE]
    if others := [each for each in own if each.get("SetIdentifier") not in IDENTIFIERS]:
        raise PlatformError(
            f"{name} has {len(others)} records that are not Lastgood's: traffic cannot be divided "
            "by weight beside them. Remove them, or name another record.",
            permanent=True,
        )
    return {each["SetIdentifier"]: each for each in own}


def weights(records: Records) -> dict[str, int]:
    return {identifier: int(each["Weight"]) for identifier, each in records.items()}


def registries_in(looks: Looks, records: Records) -> tuple[str, str]:
    """The registry that serves, and the free one; the first one is free where none serves."""
    registries: list[str] = looks.target.settings["route53"]["registries"]
    serving = [
        registry
        for identifier, registry in zip(IDENTIFIERS, registries, strict=True)
        if weights(records).get(identifier)
    ]
    if len(serving) > 1:
        raise PlatformError(
            "Both records get traffic: nobody can say which registry is free for the new release. "
            "Set the weight of one to 0.",
            permanent=True,
        )
    free = next(each for each in registries if each not in serving)
    return next(each for each in registries if each != free), free


def weighed(looks: Looks, new: str, weight: int) -> Records:
    """The two records with this weight for the registry `new`, and the rest for the other."""
    settings = looks.target.settings["route53"]
    return {
        identifier: {
            "Name": _full(settings["record"]),
            "Type": _TYPE,
            "SetIdentifier": identifier,
            "Weight": weight if registry == new else WHOLE - weight,
            "TTL": settings["ttl"],
            "ResourceRecords": [{"Value": _name_of(looks, registry)}],
        }
        for identifier, registry in zip(IDENTIFIERS, settings["registries"], strict=True)
    }


def bring(call: Call, wanted: Records) -> Running | None:
    """Exactly these are the records, in one batch; None once all name servers know.

    Whoever comes after a dead worker waits for the TTL alone.
    """
    now = records_of(call)
    changes = [
        *(
            {"Action": "UPSERT", "ResourceRecordSet": each}
            for key, each in wanted.items()
            if now.get(key) != each
        ),
        *(
            {"Action": "DELETE", "ResourceRecordSet": each}
            for key, each in now.items()
            if key not in wanted
        ),
    ]
    if not changes:
        return None
    made = call.write(
        ROUTE53,
        "change_resource_record_sets",
        HostedZoneId=call.target.settings["route53"]["zone"],
        ChangeBatch={"Changes": changes},
    )
    return _in_sync(call, str(made["ChangeInfo"]["Id"]))


def _in_sync(call: Call, change: str) -> Running | None:
    def missing() -> dict[str, str]:
        told = call.api.read(ROUTE53, "get_change", Id=change)["ChangeInfo"]
        is_there = told["Status"] == _IN_SYNC
        return {} if is_there else {call.key: "Not all name servers know of the weights yet"}

    return waits.until(call.control, missing, str)


def forgotten(call: Call) -> Running | None:
    """Wait until resolvers have forgotten the weights of before; None afterwards."""
    ttl = float(call.target.settings["route53"]["ttl"])
    if waits.slept(call.control, ttl):
        return None
    return Running(f"Resolvers may remember the old weights for {ttl:.0f} s", 1.0)


def _name_of(looks: Looks, registry: str) -> str:
    """The DNS name of a Cloud Map service."""
    service = looks.api.read(CLOUD_MAP, "get_service", Id=registry.rpartition("/")[2])["Service"]
    namespace = service.get("NamespaceId") or service["DnsConfig"]["NamespaceId"]
    found = looks.api.read(CLOUD_MAP, "get_namespace", Id=namespace)["Namespace"]
    return f"{service['Name']}.{found['Name']}"


def _full(name: str) -> str:
    """As Route 53 shows it."""
    return f"{name.lower().rstrip('.')}."


def text_of(records: Mapping[str, Any]) -> str:
    """The weights, for a person."""
    return ", ".join(f"{key} {each['Weight']}" for key, each in records.items()) or "no records"
