"""The confirmation without JavaScript."""

from django.urls import reverse

from tests.acceptance.browser import Browser
from tests.scene import Scene


def test_the_comparison_with_what_runs_now_is_a_page_without_javascript(shop: Scene) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    url = reverse("drift", args=[bad.pk])
    client = Browser(shop.engineer).client
    page, fragment = client.get(url), client.get(url, headers={"HX-Request": "true"})
    assert b"<h1>Compared with what runs now</h1>" in page.content
    assert b"3 of 3 instances" in page.content
    assert b"<h1>" not in fragment.content
    assert page.headers["Vary"] == fragment.headers["Vary"]
    assert "HX-Request" in page.headers["Vary"]
