"""A target on the suite's own cloud, for what all platforms on AWS share."""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms.base import Pace, Secret, TargetRef
from tests.aws.cloud import FakeCloud


def target_of(
    cloud: FakeCloud, credential: str | None, pace: Pace | None = None, **connector: Any
) -> TargetRef:
    return TargetRef(
        application="shop",
        service="web",
        environment="production",
        infrastructure="eu",
        connector={"region": cloud.region, "endpoint": cloud.endpoint, **connector},
        settings={},
        credential=None if credential is None else Secret(credential),
        pace=pace,
    )


def written(account: Mapping[str, str], **more: str) -> str:
    """An account's keys as AWS's credentials file has them."""
    lines = {
        "aws_access_key_id": account["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": account["AWS_SECRET_ACCESS_KEY"],
        **more,
    }
    return "[default]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items())
