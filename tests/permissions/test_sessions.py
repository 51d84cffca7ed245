"""Who is deactivated, or whose password changes, is out with the next request and stays out."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts import administration
from tests.permissions.conftest import Account


@pytest.fixture
def browser(account: Account) -> Client:
    """The member, signed in by the page."""
    client = Client()
    answer = client.post("/sign-in/", {"username": "member", "password": "member"})
    assert answer.status_code == 302
    assert is_in(client)
    return client


def is_in(client: Client) -> bool:
    status: int = client.get("/").status_code
    assert status in {200, 302}
    return status == 200


def deactivate(account: Account) -> None:
    administration.deactivate(account.member, by=account.admin, now=timezone.now())


def test_deactivating_ends_sessions_with_the_next_request(
    account: Account, browser: Client
) -> None:
    deactivate(account)
    assert not is_in(browser)
    assert not Client().login(username="member", password="member")


@pytest.mark.parametrize("asks_meanwhile", [False, True])
def test_reactivating_does_not_revive_a_session(
    account: Account, browser: Client, asks_meanwhile: bool
) -> None:
    deactivate(account)
    if asks_meanwhile:
        assert not is_in(browser)
    administration.reactivate(account.member, by=account.admin)
    assert not is_in(browser)
    assert Client().login(username="member", password="member")


def test_a_new_password_set_by_an_administrator_ends_sessions(
    account: Account, browser: Client
) -> None:
    administration.set_password(account.member, "another", by=account.admin)
    assert not is_in(browser)


def test_sessions_of_others_go_on(account: Account, browser: Client) -> None:
    admin = Client()
    admin.force_login(account.admin)
    deactivate(account)
    assert is_in(admin)


def test_a_right_that_is_taken_is_lost_with_the_next_request(
    account: Account, browser: Client
) -> None:
    page = f"/services/{account.service.pk}/"
    assert browser.get(page).status_code == 200
    administration.remove_member(account.viewers, account.member, by=account.admin)
    assert browser.get(page).status_code == 404
