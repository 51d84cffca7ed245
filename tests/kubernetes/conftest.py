"""The whole engine on a cluster: the suite's own, or any that LASTGOOD_TEST_KUBECONFIG names."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rollbacks.platforms import everywhere
from rollbacks.platforms.kubernetes import rollouts
from tests.kubernetes.cluster import FakeCluster
from tests.kubernetes.real import RealCluster
from tests.kubernetes.shop import Shop, shop_in
from tests.kubernetes.wire import Wire

Open = Callable[..., Shop]
REAL = os.environ.get("LASTGOOD_TEST_KUBECONFIG")


def pytest_configure(config: pytest.Config) -> None:
    said = "only_fake(why): needs the suite's own cluster, whatever LASTGOOD_TEST_KUBECONFIG names"
    config.addinivalue_line("markers", said)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if REAL and (mark := item.get_closest_marker("only_fake")):
            item.add_marker(pytest.mark.skip(reason=f"not on a real cluster: {mark.args[0]}"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """One for all tests; each has its own namespace."""
    with RealCluster(Path(REAL)) if REAL else FakeCluster() as running:
        yield running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite's own cluster does in tenths of a second what takes seconds elsewhere."""
    if not REAL:
        monkeypatch.setattr(everywhere, "AGAIN_SECONDS", 0.2)
        monkeypatch.setattr(rollouts, "BEAT_SECONDS", 0.1)
        monkeypatch.setattr(rollouts, "FIRST_ASKED_AFTER", 1.0)
        monkeypatch.setattr(rollouts, "STUCK_AFTER", 0.3)


@pytest.fixture
def open_shop(transactional_db: None, cluster: Any) -> Open:
    """Opens a shop in a namespace of its own."""

    def start(manifests: str, **choices: Any) -> Shop:
        kubeconfig = str(choices.pop("kubeconfig", cluster.kubeconfig))
        namespace = choices.pop("namespace", None) or cluster.namespace()
        return shop_in(cluster, namespace, kubeconfig, manifests, **choices)

    return start


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Everything that the platform sends from now on."""
    made = Wire()
    usual = httpx.AsyncClient._init_transport

    def watched(self: httpx.AsyncClient, *args: Any, **kwargs: Any) -> httpx.AsyncBaseTransport:
        return made.around(usual(self, *args, **kwargs))

    monkeypatch.setattr(httpx.AsyncClient, "_init_transport", watched)
    return made
