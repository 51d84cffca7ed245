"""The list of services, signing in, and the pages of errors."""

import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from tests.pages import factories
from tests.pages.conftest import Shop, SignedIn
from tests.pages.test_service import text_of


def fails(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("as on a bad day")


urlpatterns = [path("fails/", fails)]


def test_services_are_filtered_by_their_own_and_their_applications_name(
    shop: Shop, signed_in: SignedIn
) -> None:
    factories.make_service("billing", factories.make_application("Money"))
    client = signed_in("viewer")
    assert "billing" not in text_of(client, "/?q=STORE")
    assert "billing" in text_of(client, "/?q=money")
    assert "No service matches" in text_of(client, "/?q=nothing+like+it")


def test_services_come_in_pages_that_keep_the_filter(shop: Shop, signed_in: SignedIn) -> None:
    for number in range(60):
        factories.make_service(f"worker-{number:02}")
    client = signed_in("viewer")
    page = client.get("/?q=worker").content.decode()
    assert "worker-49" in page
    assert "worker-50" not in page
    assert 'href="?q=worker&amp;page=2"' in page
    assert "worker-50" in text_of(client, "/?q=worker&page=2")


def test_signing_in_and_out(shop: Shop) -> None:
    client = Client()
    assert client.get("/").headers["Location"] == "/sign-in/?next=/"
    wrong = client.post("/sign-in/", {"username": "viewer", "password": "no"})
    assert b'role="alert"' in wrong.content
    client.post("/sign-in/", {"username": "viewer", "password": "viewer"})
    assert "Sign out" in text_of(client, "/")
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/").status_code == 302


def test_every_error_page_wears_the_shell(shop: Shop, signed_in: SignedIn) -> None:
    client = signed_in("viewer")
    assert "There is no such page" in text_of(client, "/nowhere/")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(shop.people["viewer"])
    assert b"This form had expired" in strict.post("/sign-out/").content


@pytest.mark.urls("tests.pages.test_lists_and_shell")
def test_the_page_of_a_failure_needs_nothing(db: None) -> None:
    client = Client(raise_request_exception=False)
    answer = client.get("/fails/")
    assert answer.status_code == 500
    assert b"Something went wrong in Lastgood" in answer.content


@pytest.mark.parametrize("page", ["/", "/deployments/", "/sign-in/", "/nowhere/"])
def test_nothing_on_a_page_is_inline_or_from_elsewhere(
    shop: Shop, signed_in: SignedIn, page: str
) -> None:
    content = signed_in("viewer").get(page).content.decode()
    assert not re.search(
        r"<style|\sstyle=|\son[a-z]+=|hx-on|<script(?![^>]*src=)|https?://", content
    )
