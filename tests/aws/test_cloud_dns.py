"""Route 53 of the fake cloud: weighted records, in batches that are done whole or not at all."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud
from .waiting import until

Json = dict[str, Any]


@pytest.fixture
def zone(cloud: FakeCloud) -> str:
    made = cloud.client("route53").create_hosted_zone(
        Name="shop.example", CallerReference=cloud.name("zone")
    )
    return str(made["HostedZone"]["Id"])


def weighted(identifier: str, weight: int, name: str = "web.shop.example") -> Json:
    return {
        "Name": name,
        "Type": "CNAME",
        "SetIdentifier": identifier,
        "Weight": weight,
        "TTL": 60,
        "ResourceRecords": [{"Value": f"{identifier}.shop.example"}],
    }


def simple(name: str, address: str = "10.0.0.1") -> Json:
    return {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": address}]}


def change(cloud: FakeCloud, zone: str, *changes: tuple[str, Json]) -> Json:
    batch = {"Changes": [{"Action": how, "ResourceRecordSet": what} for how, what in changes]}
    made: Json = cloud.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch=batch
    )["ChangeInfo"]
    return made


def records(cloud: FakeCloud, zone: str, **given: Any) -> list[Json]:
    """All but those that every zone has."""
    pages = cloud.client("route53").get_paginator("list_resource_record_sets")
    found = [
        each
        for page in pages.paginate(HostedZoneId=zone, **given)
        for each in page["ResourceRecordSets"]
    ]
    return [each for each in found if each["Type"] not in {"NS", "SOA"}]


def weights(cloud: FakeCloud, zone: str) -> dict[str, int]:
    return {each["SetIdentifier"]: each["Weight"] for each in records(cloud, zone)}


def test_weights_are_shifted_in_one_batch(cloud: FakeCloud, zone: str) -> None:
    change(cloud, zone, ("UPSERT", weighted("blue", 100)), ("UPSERT", weighted("green", 0)))
    change(cloud, zone, ("UPSERT", weighted("blue", 25)), ("UPSERT", weighted("green", 75)))
    assert weights(cloud, zone) == {"blue": 25, "green": 75}
    assert records(cloud, zone)[0] == weighted("blue", 25, "web.shop.example.")


def test_a_change_is_pending_before_all_name_servers_know_it(cloud: FakeCloud, zone: str) -> None:
    made = change(cloud, zone, ("UPSERT", weighted("blue", 1)))
    assert made["Status"] == "PENDING"
    route53 = cloud.client("route53")
    until(lambda: route53.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "INSYNC")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("UPSERT", simple("shop.elsewhere")), "is not permitted in zone shop.example."),
        (("CREATE", weighted("blue", 9)), "set identifier='blue'] but it already exists"),
        (("DELETE", weighted("red", 9)), "but it was not found"),
        (("DELETE", weighted("blue", 9)), "do not match the current values"),
        (("UPSERT", {**simple("web.shop.example"), "Type": "CNAME"}), "another kind of routing"),
        (("UPSERT", {**simple("web.shop.example"), "Weight": 1}), "or neither"),
    ],
)
def test_nothing_of_a_batch_is_done_where_a_part_is_refused(
    cloud: FakeCloud, zone: str, wrong: tuple[str, Json], message: str
) -> None:
    change(cloud, zone, ("UPSERT", weighted("blue", 100)))
    with pytest.raises(ClientError, match="InvalidChangeBatch") as raised:
        change(cloud, zone, ("UPSERT", weighted("green", 5)), wrong)
    assert message in raised.value.response["Error"]["Message"]
    assert weights(cloud, zone) == {"blue": 100}


def test_a_record_is_deleted_by_all_that_it_is(cloud: FakeCloud, zone: str) -> None:
    other = weighted("blue", 1, "other.shop.example")
    change(cloud, zone, ("UPSERT", weighted("blue", 100)), ("UPSERT", other))
    change(cloud, zone, ("DELETE", weighted("blue", 100)))
    assert [each["Name"] for each in records(cloud, zone)] == ["other.shop.example."]


def test_records_are_listed_in_pages_by_their_labels_from_the_right(
    cloud: FakeCloud, zone: str
) -> None:
    names = ["a.b.shop.example", "b.shop.example", "c.shop.example"]
    both = [weighted("blue", 1, "z.shop.example"), weighted("green", 1, "z.shop.example")]
    change(cloud, zone, *(("UPSERT", simple(each)) for each in names))
    change(cloud, zone, *(("UPSERT", each) for each in both))
    found = records(cloud, zone, PaginationConfig={"PageSize": 1})
    assert [each["Name"].partition(".")[0] for each in found] == ["b", "a", "c", "z", "z"]
    start = {"StartRecordName": "z.shop.example", "StartRecordType": "CNAME"}
    first = cloud.client("route53").list_resource_record_sets(HostedZoneId=zone, **start)
    assert [each["SetIdentifier"] for each in first["ResourceRecordSets"]] == ["blue", "green"]


def test_a_right_is_one_on_a_zone(cloud: FakeCloud, zone: str) -> None:
    arn = f"arn:aws:route53:::{zone.removeprefix('/')}"
    route53 = cloud.client("route53", cloud.account(["route53:List*"], [arn]))
    route53.list_resource_record_sets(HostedZoneId=zone)
    with pytest.raises(ClientError, match="AccessDenied"):
        route53.list_resource_record_sets(HostedZoneId="Z000")
