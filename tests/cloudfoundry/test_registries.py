"""Images from a registry that lets in one user alone."""

import logging

import pytest

from dashboard.models import Deployment, Event, LogLine, Step

from .conftest import Open
from .foundation import FakeFoundation
from .shop import IMAGE
from .test_every_type import succeeded
from .test_troubles import said
from .wire import Wire

PASSWORD = "let-me-pull"
REGISTRY = {"registry": IMAGE.partition("/")[0], "credential": "env:CF_TEST_PULLER"}


@pytest.fixture
def protected(foundation: FakeFoundation, monkeypatch: pytest.MonkeyPatch) -> None:
    foundation.protect(REGISTRY["registry"], "puller", PASSWORD)
    monkeypatch.setenv("CF_TEST_PULLER", f"username: puller\npassword: {PASSWORD}\n")


@pytest.mark.usefixtures("protected")
def test_an_image_is_pulled_with_the_registrys_user_and_nobody_sees_the_password(
    open_shop: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shop = open_shop(registries=[REGISTRY])
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    (package,) = shop.somebody.ask("GET", f"/v3/apps/{shop.guid('2')}/packages")["resources"]
    assert package["data"]["username"] == "puller"
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before
    assert PASSWORD not in caplog.text
    for kind in (Deployment, Step, LogLine, Event):
        assert PASSWORD not in str(list(kind.objects.values()))


@pytest.mark.usefixtures("protected")
def test_an_image_of_another_registry_is_pulled_as_nobody(open_shop: Open) -> None:
    shop = open_shop(registries=[{**REGISTRY, "registry": "other.example"}])
    deployment = shop.deploy("1.4.1")
    assert "unauthorized: authentication required" in said(deployment)


def test_a_user_that_the_worker_does_not_find_is_a_problem_before_anything_is_touched(
    open_shop: Open, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(registries=[REGISTRY])
    for text in (None, f"password: {PASSWORD}", f"{{{PASSWORD}"):
        if text is not None:
            monkeypatch.setenv("CF_TEST_PULLER", text)
        deployment = shop.deploy("1.4.1")
        assert "finds no user at env:CF_TEST_PULLER" in said(deployment)
        assert PASSWORD not in said(deployment)
    assert wire.sent == []
