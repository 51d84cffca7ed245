"""Versions of the fake cloud's launch templates."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud


@pytest.fixture
def template(cloud: FakeCloud) -> str:
    """Of three versions, the first of which is the default."""
    made = cloud.launch_template()
    for name in ("2", "3"):
        cloud.launch_version(made, name)
    return made


def versions(cloud: FakeCloud, template: str, **given: Any) -> list[int]:
    pages = cloud.client("ec2").get_paginator("describe_launch_template_versions")
    return [
        each["VersionNumber"]
        for page in pages.paginate(LaunchTemplateId=template, **given)
        for each in page["LaunchTemplateVersions"]
    ]


def test_the_same_token_makes_one_version(cloud: FakeCloud, template: str) -> None:
    given: dict[str, Any] = {
        "LaunchTemplateId": template,
        "LaunchTemplateData": {"InstanceType": "t3.small"},
        "ClientToken": cloud.name("token"),
    }
    ec2 = cloud.client("ec2")
    first, second = (
        ec2.create_launch_template_version(**given)["LaunchTemplateVersion"]["VersionNumber"]
        for _ in range(2)
    )
    assert first == second == 4
    assert versions(cloud, template) == [4, 3, 2, 1]


def test_versions_are_told_by_number_name_and_page(cloud: FakeCloud, template: str) -> None:
    assert versions(cloud, template, Versions=["$Latest", "$Default"]) == [3, 1]
    assert versions(cloud, template, MinVersion="2", MaxVersion="2") == [2]
    assert versions(cloud, template, PaginationConfig={"PageSize": 2}) == [3, 2, 1]
    with pytest.raises(ClientError, match="VersionNotFound"):
        versions(cloud, template, Versions=["9"])


def test_a_version_is_deleted_unless_it_is_the_default(cloud: FakeCloud, template: str) -> None:
    found = cloud.client("ec2").delete_launch_template_versions(
        LaunchTemplateId=template, Versions=["1", "2", "9"]
    )
    gone = found["SuccessfullyDeletedLaunchTemplateVersions"]
    assert [each["VersionNumber"] for each in gone] == [2]
    kept = found["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert [each["VersionNumber"] for each in kept] == [1, 9]
    assert versions(cloud, template) == [3, 1]
