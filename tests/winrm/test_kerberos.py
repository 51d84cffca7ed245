"""Kerberos as a domain has it: a real realm, real tickets, and a host that takes them.

`make test-kerberos` brings the libraries that this needs beside the others.
"""

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.winrm import Winrm
from tests.platforms.winrm.conftest import Shop, shop_for
from tests.winrm.host import Fleet
from tests.winrm.host.fleet import PASSWORD
from tests.winrm.host.logins import Principal
from tests.winrm.realm import REALM, Realm, program

krb5 = pytest.importorskip("krb5", reason="make test-kerberos has the libraries of Kerberos")
pytest.importorskip("gssapi", reason="make test-kerberos has the libraries of Kerberos")
pytestmark = pytest.mark.skipif(
    program("krb5kdc") is None or program("kadmin.local") is None,
    reason="krb5-kdc and krb5-admin-server are not installed",
)

PERSON = f"deployer@{REALM}"
ENTERED = "The site Shop-Blue serves C:\\inetpub\\blue"


@pytest.fixture(scope="module")
def realm() -> Iterator[Realm]:
    with Realm() as running:
        running.add_user("deployer", PASSWORD)
        running.add_user("former", PASSWORD, "-expire", "yesterday")
        running.add_user("locked", PASSWORD, "-allow_tix")
        running.add_user("away", PASSWORD, "-pwexpire", "yesterday")
        running.add_host("127.0.0.1")
        yield running


@pytest.fixture
def shop(realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """On one host of the realm, which is entered with Kerberos by its user's password."""
    for name, value in realm.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KRB5_KTNAME", str(realm.keytab))
    monkeypatch.setenv("KRB5RCACHENAME", "none:")  # else one for the whole machine
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/ticket")
    with Fleet(1, tmp_path / "fleet") as fleet:
        made = shop_for(fleet)
        made.host.logins.principals[PERSON] = Principal(PERSON)
        made.connector = {"authentication": "kerberos", "user": PERSON}
        yield made


def take_ticket(seconds: int = 600) -> float:
    """As kinit does, into KRB5CCNAME; when it ends."""
    context = krb5.init_context()
    options = krb5.get_init_creds_opt_alloc(context)
    krb5.get_init_creds_opt_set_tkt_life(options, seconds)
    person = krb5.parse_name_flags(context, PERSON.encode())
    ticket = krb5.get_init_creds_password(context, person, options, password=PASSWORD.encode())
    cache = krb5.cc_default(context)
    krb5.cc_initialize(context, cache, ticket.client)
    krb5.cc_store_cred(context, cache, ticket)
    return float(ticket.times.endtime + 1)  # the last second counts whole


def seen(shop: Shop) -> str:
    return Winrm().observe(shop.target).instances[0].message


def refusal(shop: Shop) -> PlatformError:
    with pytest.raises(PlatformError) as refused:
        shop.capture("1-1.4.0")
    assert PASSWORD not in str(refused.value)
    assert shop.host.listener.requests == []
    return refused.value


@pytest.mark.parametrize("encrypt", [False, True], ids=["plain", "messages encrypted"])
@pytest.mark.parametrize(
    ("user", "secret"),
    [(PERSON, PASSWORD), (PERSON, None), (None, None)],
    ids=["password", "own ticket", "whoever has the ticket"],
)
def test_a_release_is_brought_and_taken_back(
    shop: Shop, user: str | None, secret: str | None, encrypt: bool
) -> None:
    if secret is None:
        take_ticket()
    shop.secret = {"secret": secret}
    shop.connector |= {"user": user, "encrypt_messages": encrypt}
    before = shop.everything()
    shop.deploy("1-1.4.0")
    assert shop.host.windows.served(shop.host.production) == (200, "<p>1.4.0</p>")
    shop.roll_back("1-1.4.0")
    assert shop.everything() == before
    assert set(shop.host.logins.spoken) == {"kerberos"}


@pytest.mark.parametrize("encrypt", [False, True], ids=["plain", "messages encrypted"])
def test_negotiate_takes_kerberos_where_it_can(shop: Shop, encrypt: bool) -> None:
    shop.connector = {"authentication": "negotiate", "user": PERSON, "encrypt_messages": encrypt}
    assert ENTERED in seen(shop)
    assert set(shop.host.logins.spoken) == {"kerberos"}


def test_negotiate_falls_back_to_ntlm_for_a_local_user(shop: Shop) -> None:
    shop.connector = {"authentication": "negotiate", "user": "local"}
    shop.host.logins.add("local", PASSWORD)
    assert ENTERED in seen(shop)
    assert set(shop.host.logins.spoken) == {"ntlm"}


@pytest.mark.parametrize(
    ("user", "secret", "said"),
    [
        (PERSON, "Wr0ng", "the password is wrong; check the connector's credential"),
        (f"nobody@{REALM}", "x", "the realm knows no such user; write it as name@REALM"),
        ("SHOP\\deployer", "x", "the realm knows no such user; write it as name@REALM"),
        ("deployer@ELSEWHERE.EXAMPLE", "x", "the worker does not know the realm"),
        (f"former@{REALM}", PASSWORD, "the account is locked, disabled or expired"),
        (f"locked@{REALM}", PASSWORD, "the account is locked, disabled or expired"),
        (f"away@{REALM}", PASSWORD, "the password has expired"),
        (None, None, "the worker has no ticket; get one"),
        (PERSON, None, "the worker has no ticket; get one"),
    ],
)
def test_who_is_not_let_in_hears_why(
    shop: Shop, user: str | None, secret: str | None, said: str
) -> None:
    shop.connector["user"], shop.secret = user, {"secret": secret}
    refused = refusal(shop)
    assert refused.permanent
    assert said in str(refused)
    assert "with Kerberos" in str(refused)
    assert said in seen(shop)


@pytest.mark.parametrize("user", [PERSON, None], ids=["named", "whoever has the ticket"])
def test_a_ticket_that_has_expired_is_said(shop: Shop, user: str | None) -> None:
    ends_at = take_ticket(seconds=1)
    shop.connector["user"], shop.secret = user, {"secret": None}
    while time.time() <= ends_at:
        time.sleep(0.05)
    assert "the worker's ticket has expired; renew it (kinit)" in str(refusal(shop))


def test_a_host_that_the_realm_does_not_know_is_said(shop: Shop, realm: Realm) -> None:
    names = [f"host/127.0.0.1@{REALM}", f"host/elsewhere@{REALM}"]
    realm.administer("rename_principal", *names)
    try:
        refused = refusal(shop)
    finally:
        realm.administer("rename_principal", *names[::-1])
    assert refused.permanent
    assert "the realm knows no service host/127.0.0.1" in str(refused)


def test_a_realm_that_does_not_answer_may_answer_later(shop: Shop, realm: Realm) -> None:
    realm.kill()
    try:
        refused = refusal(shop)
    finally:
        realm.start()
    assert "no server of the realm answers the worker" in str(refused)
    assert not refused.permanent
    assert ENTERED in seen(shop)


def test_a_ticket_for_a_key_that_the_host_lost_is_refused_by_it(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRB5_KTNAME", str(tmp_path / "none.keytab"))
    assert "does not let" in str(refusal(shop))


def test_no_secret_is_shown(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert ENTERED in seen(shop)
    shop.connector["user"] = f"nobody@{REALM}"
    assert "no such user" in seen(shop)
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(dict(os.environ))


def test_credssp_has_kerberos_inside(shop: Shop) -> None:
    shop.connector["authentication"] = "credssp"
    assert ENTERED in seen(shop)
    assert set(shop.host.logins.spoken) == {"kerberos"}
