"""`make bench-aws`: a rollback of ECS services beside the AWS CLI doing the same by hand.

Both in one run, in turns, on equal services of the same endpoint. Ours is all there is to it:
asking before, the undo, the wait, and the look that proves it. Theirs is `aws ecs update-service`
with the recorded task definition for each, then `aws ecs describe-services` until all are steady.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from dashboard.models import Deployment
from tests.aws.cloud import FakeCloud
from tests.ecs.shop import shop_in
from tests.ecs.test_every_type import succeeded
from tests.scene import run

CLI = os.environ.get("LASTGOOD_BENCH_AWS", "aws")
ROUNDS = 3
AT_MOST = 1.1
MOST_DESCRIBED = 10
PAUSE_SECONDS = 1.0  # between two looks by hand; ours waits longer


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as running:
        yield running


def _say(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")


def _timed(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _worked(rollback: Deployment) -> None:
    succeeded(run(rollback))


class ByHand:
    """The AWS CLI on services of a cluster."""

    def __init__(self, cloud: FakeCloud, cluster: str, names: Sequence[str], home: Path) -> None:
        self._cluster = cluster
        self._names = names
        own = {
            **cloud.account(["ecs:*"]),
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "HOME": str(home),
            "AWS_PAGER": "",
        }
        inherited = {key: os.environ[key] for key in ("PATH",)}
        self._environment = {**inherited, **own}

    def _ecs(self, *arguments: str) -> Any:
        command = [CLI, "ecs", *arguments, "--cluster", self._cluster, "--output", "json"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=600, env=self._environment
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def bring(self, definition: str) -> None:
        for name in self._names:
            self._ecs("update-service", "--service", name, "--task-definition", definition)
        while not self._is_steady(definition):
            time.sleep(PAUSE_SECONDS)

    def _is_steady(self, definition: str) -> bool:
        return all(
            len(each["deployments"]) == 1
            and each["taskDefinition"] == definition
            and each["runningCount"] == each["desiredCount"]
            for first in range(0, len(self._names), MOST_DESCRIBED)
            for each in self._ecs(
                "describe-services", "--services", *self._names[first : first + MOST_DESCRIBED]
            )["services"]
        )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [1, 50])
def test_a_rollback_takes_no_longer_than_by_hand(
    cloud: FakeCloud, count: int, tmp_path: Path
) -> None:
    shop = shop_in(cloud, timeout=600, balanced=False, more_services=count - 1)
    first = shop.look()
    network = {"networkConfiguration": first["networkConfiguration"]}
    names = [
        cloud.service(
            shop.cluster, first["taskDefinition"], launchType="FARGATE", desiredCount=2, **network
        )
        for _ in range(count)
    ]
    by_hand = ByHand(cloud, shop.cluster, names, tmp_path)
    ours_took, theirs_took = [], []
    succeeded(shop.deploy("1"))
    good = shop.look()["taskDefinition"]
    by_hand.bring(good)
    for number in range(ROUNDS if count == 1 else 1):
        bad = succeeded(shop.deploy(f"2.{number}"))
        rollback = shop.scene.confirm(bad)
        ours_took.append(_timed(partial(_worked, rollback)))
        by_hand.bring(cloud.task_definition(shop.family, f"2.{number}"))
        theirs_took.append(_timed(partial(by_hand.bring, good)))
    ratio = median(ours_took) / median(theirs_took)
    _say(
        f"{count} services: Lastgood {median(ours_took):.2f} s, "
        f"AWS CLI {median(theirs_took):.2f} s, ratio {ratio:.2f}"
    )
    assert ratio <= AT_MOST
