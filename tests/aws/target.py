"""A target on the suite's own cloud, for what all platforms on AWS share."""

import os
from collections.abc import Mapping, Sequence
from functools import cache
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


def credential_of(cloud: FakeCloud, actions: Sequence[str]) -> str:
    """The name of a new environment variable with the keys of who may do that.

    Whoever may do the same is the same: the product makes its clients once, which takes longer
    than many a test.
    """
    name = cloud.name("AWS_CREDENTIALS").replace("-", "_")
    os.environ[name] = written(_account(cloud, tuple(actions)))
    return name


@cache
def _account(cloud: FakeCloud, actions: tuple[str, ...]) -> dict[str, str]:
    return cloud.account(actions)
