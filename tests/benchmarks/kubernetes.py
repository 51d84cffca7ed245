"""`make bench-kubernetes`: a rollback beside `kubectl rollout undo` and `kubectl rollout status`.

Both in one run, in turns, on two equal workloads of the same cluster. Ours is all there is to it:
asking the cluster before, the undo, the wait, and the look that proves it.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import pytest

from dashboard.models import Deployment
from tests.kubernetes import manifests
from tests.kubernetes.conftest import Open, cluster, open_shop
from tests.kubernetes.manifests import NAME
from tests.kubernetes.test_every_type import succeeded
from tests.scene import run

__all__ = ["cluster", "open_shop"]  # fixtures

ROUNDS = 5
AT_MOST = 1.1


def _say(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")


def _timed(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _worked(rollback: Deployment) -> None:
    succeeded(run(rollback))


@pytest.mark.parametrize("replicas", [3, 50])
def test_a_rollback_takes_no_longer_than_kubectl(
    open_shop: Open, cluster: Any, replicas: int
) -> None:
    text = manifests.everything(replicas=replicas)
    shop = open_shop(text, timeout=600)
    theirs = cluster.namespace()
    ours_took, theirs_took = [], []

    def kubectl(*arguments: str, given: str | None = None) -> None:
        command = ["kubectl", f"--kubeconfig={cluster.kubeconfig}", f"--namespace={theirs}"]
        done = subprocess.run(
            [*command, *arguments], input=given, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr

    def deploy_with_kubectl(version: str) -> None:
        image = f"{manifests.IMAGE}:{version}"
        filled = text.replace("${image}", image).replace("${version}", version)
        # What the suite's own cluster serves is no schema that kubectl could check against.
        kubectl("apply", "--validate=false", "-f", "-", given=filled)
        kubectl("rollout", "status", f"deployment/{NAME}")

    def undo_with_kubectl() -> None:
        kubectl("rollout", "undo", f"deployment/{NAME}")
        kubectl("rollout", "status", f"deployment/{NAME}")

    succeeded(shop.deploy("slow-1"))
    deploy_with_kubectl("slow-1")
    for number in range(ROUNDS):
        bad = succeeded(shop.deploy(f"slow-2.{number}"))
        rollback = shop.scene.confirm(bad)
        ours_took.append(_timed(partial(_worked, rollback)))
        deploy_with_kubectl(f"slow-2.{number}")
        theirs_took.append(_timed(undo_with_kubectl))
    ratio = median(ours_took) / median(theirs_took)
    _say(
        f"{replicas} replicas: Lastgood {median(ours_took):.2f} s, "
        f"kubectl {median(theirs_took):.2f} s, ratio {ratio:.2f}"
    )
    assert ratio <= AT_MOST
