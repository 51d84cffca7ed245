"""Real TLS and real logins: who gets in, and what a person hears who does not."""

import logging
import re
import ssl
import threading
import time
from typing import Any

import pytest
from requests import adapters

from rollbacks.platforms.base import (
    InstanceOutcome,
    OutcomeState,
    PlatformError,
    Running,
    Stopped,
)
from rollbacks.platforms.winrm import Winrm, access
from rollbacks.platforms.winrm.access import access_to, guard_for
from rollbacks.platforms.winrm.places import places_of
from rollbacks.platforms.winrm.scripts import Call
from rollbacks.platforms.winrm.sessions import Remote
from rollbacks.platforms.winrm.sockets import GuardedSocket
from tests.platforms.ssh.control import RecordingControl
from tests.platforms.winrm.conftest import Shop
from tests.ports import free_port
from tests.winrm.host import Fleet
from tests.winrm.host.fleet import AUTHORITY, PASSWORD, USER
from tests.winrm.host.logins import Principal
from tests.winrm.host.wsman import Fault

WAYS: dict[str, dict[str, Any]] = {
    "basic": {"authentication": "basic"},
    "negotiate": {"authentication": "negotiate"},
    "credssp": {"authentication": "credssp"},
    "negotiate, messages encrypted": {"authentication": "negotiate", "encrypt_messages": True},
}


def seen(shop: Shop) -> str:
    """What is said of the one host: its message, or why there is none."""
    return Winrm().observe(shop.target).instances[0].message


def refusal(shop: Shop) -> PlatformError:
    """What a capture says of the one host."""
    with pytest.raises(PlatformError) as refused:
        shop.capture("1-1.4.0")
    return refused.value


@pytest.mark.parametrize("way", WAYS)
def test_a_way_in(shop: Shop, way: str) -> None:
    shop.connector = WAYS[way]
    assert "The site Shop-Blue serves C:\\inetpub\\blue" in seen(shop)
    shop.deploy("1-1.4.0")
    assert shop.host.windows.served(shop.host.production) == (200, "<p>1.4.0</p>")


def test_a_certificate_is_a_way_in(shop: Shop) -> None:
    shop.connector = {"authentication": "certificate", "user": None}
    shop.secret = {"secret": AUTHORITY.vouch("robot").pem}
    assert "The site Shop-Blue serves" in seen(shop)
    shop.secret = {"secret": AUTHORITY.vouch("somebody").pem}
    assert "does not let the connector's certificate identity in" in seen(shop)


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_password_is_said_and_nothing_else(shop: Shop, way: str) -> None:
    shop.connector, shop.secret = WAYS[way], {"secret": "Wr0ng"}
    refused = refusal(shop)
    assert refused.permanent
    assert f"does not let {USER} in with {WAYS[way]['authentication']}" in str(refused)
    assert "check the user and the connector's credential" in str(refused)
    assert shop.host.listener.requests == []


def test_a_way_that_the_host_does_not_offer(shop: Shop) -> None:
    shop.host.logins.offers = ('Basic realm="WSMAN"',)
    shop.connector = {"authentication": "negotiate"}
    assert "does not offer negotiate; enable it there" in str(refusal(shop))


def test_a_certificate_nobody_vouched_for_gets_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.connector = {"ca_certificates": None}
    refused = refusal(shop)
    assert refused.permanent
    assert "is not trusted" in str(refused)
    assert "nothing was sent" in str(refused)
    assert shop.host.listener.requests == []


def test_a_certificate_for_another_address_gets_nothing(shop: Shop, fleet: Fleet) -> None:
    file = fleet.directory / "other.pem"
    file.write_text(AUTHORITY.vouch("other", "127.0.0.2").pem)
    shop.host.listener.context.load_cert_chain(file)
    assert "IP address mismatch" in str(refusal(shop))


def test_libraries_may_not_trust_whom_we_do_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """requests reads variables of the worker's environment that name other authorities."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(shop.fleet.authority))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert "The site Shop-Blue serves" in seen(shop)
    monkeypatch.setattr(adapters, "DEFAULT_CA_BUNDLE_PATH", str(shop.fleet.authority))
    shop.connector = {"ca_certificates": None}
    assert "is not trusted" in seen(shop)


def test_old_tls_is_not_spoken(shop: Shop) -> None:
    guard = guard_for(access_to(shop.target))
    assert guard.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert guard.verify_mode == ssl.CERT_REQUIRED
    assert guard.check_hostname


def test_a_user_without_rights_is_told_which(shop: Shop) -> None:
    shop.host.logins.principals[USER] = Principal(USER, may_enter=False)
    refused = refusal(shop)
    assert refused.permanent
    assert f"denies {USER} PowerShell: make the user an administrator there" in str(refused)


@pytest.mark.parametrize(
    ("status", "said", "permanent"),
    [(403, "denies", True), (404, "has no WinRM", True), (503, "answered 503", False)],
)
def test_answers_that_are_not_winrm(shop: Shop, status: int, said: str, permanent: bool) -> None:
    shop.host.listener.answers["/wsman"] = status
    refused = refusal(shop)
    assert said in str(refused)
    assert refused.permanent is permanent


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0x803381A6, "has too many sessions of deployer at the moment"),
        (0x80338012, r"broke the session off: for a reason of its own \(0x80338012\)"),
    ],
)
def test_faults_that_may_pass(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    def refuse(*_: object) -> str:
        raise Fault(code, "for a reason of its own")

    monkeypatch.setattr(shop.host.shells, "serve", refuse)
    refused = refusal(shop)
    assert re.search(said, str(refused))
    assert not refused.permanent


def test_nobody_listens(shop: Shop) -> None:
    port = free_port()
    shop.infrastructure["hosts"] = [{**shop.host.document, "port": port}]
    refused = refusal(shop)
    assert not refused.permanent
    assert f"127.0.0.1:{port} refused the connection" in str(refused)


@pytest.mark.parametrize(
    ("secret", "connector", "said"),
    [
        (None, {}, "needs a password"),
        ("two\nlines", {}, "on one line"),
        ("", {}, "on one line"),
        (None, {"authentication": "certificate", "user": None}, "needs a certificate"),
        ("no", {"authentication": "certificate", "user": None}, "is no certificate"),
        ("x", {"ca_certificates": "/nowhere"}, "cannot read the certificates /nowhere"),
        ("x", {"ca_certificates": "/dev/null"}, "no certificate in PEM"),
        ("x", {"authentication": "kerberos"}, "The worker has no Kerberos"),
    ],
)
def test_what_is_wrong_with_a_connector_is_said(
    shop: Shop, secret: str | None, connector: dict[str, Any], said: str
) -> None:
    shop.secret, shop.connector = {"secret": secret}, connector
    with pytest.raises(PlatformError, match=said) as refused:
        access_to(shop.target)
    assert refused.value.permanent


def test_a_secret_is_nowhere_to_be_seen(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shop.deploy("1-1.4.0")
    entry = access_to(shop.target)
    place = places_of(shop.target)[0]
    remote = Remote(place, entry, guard_for(entry), lambda: None)
    shown = [repr(entry), repr(remote), repr(vars(remote)), repr(shop.target), caplog.text]
    shown += [repr(Call("receive", {"Data": PASSWORD.encode()}))]
    shown += [repr(vars(shop.control)), repr(shop.captured)]
    sent = [repr(call) for call in shop.host.shells.calls]
    remote.end()
    assert [each for each in (*shown, *sent) if PASSWORD in each] == []
    ours = [each for each in caplog.records if not each.name.startswith("psrpcore")]
    assert ours
    assert not [each for each in ours if "Release" in each.getMessage()], "no message is logged"


@pytest.mark.parametrize("fleet", [3], indirect=True)
def test_a_host_that_hangs_hides_no_other(shop: Shop) -> None:
    shop.connector = {"connect_timeout": 5, "command_timeout": 5}
    shop.capture("1-1.4.0")
    shop.fleet.hosts["web-2"].listener.paused.clear()
    control = RecordingControl()
    shop.deploy("1-1.4.0", control)
    states = {name: str(state) for name, state in control.states.items()}
    assert states == {"web-1": "DONE", "web-2": "UNKNOWN", "web-3": "DONE"}
    assert "No answer from" in control.outcomes["web-2"].message


@pytest.mark.parametrize("fleet", [3], indirect=True)
def test_no_host_waits_for_one_that_hangs(shop: Shop) -> None:
    """It hangs until the others are done: would they wait for it, it would be given up."""
    shop.capture("1-1.4.0")
    paused = shop.fleet.hosts["web-2"].listener.paused
    paused.clear()
    control = RecordingControl()

    def report(instance: str, outcome: InstanceOutcome) -> None:
        RecordingControl.report(control, instance, outcome)
        if [control.states.get(each) for each in ("web-1", "web-3")] == [OutcomeState.DONE] * 2:
            paused.set()

    control.report = report  # type: ignore[method-assign]
    shop.deploy("1-1.4.0", control)
    assert set(control.states.values()) == {OutcomeState.DONE}
    assert control.known_at("web-2") == max(at for at, _, _ in control.reports)


def test_a_host_that_hangs_while_a_script_runs_is_given_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library would ask it five times more, and wait longer each time."""
    monkeypatch.setattr(access, "READ_SECONDS", 0.5)
    shop.connector = {"command_timeout": 20}
    shop.capture("1-1.4.0")
    shop.host.shells.after = lambda call: shop.host.listener.paused.clear()
    waiting = shop.deploy("1-1.4.0")
    assert isinstance(waiting, Running)
    assert waiting.message == f"web-1: no answer from 127.0.0.1:{shop.host.listener.port}"


def test_a_stop_is_heeded_at_once_while_a_host_hangs(shop: Shop) -> None:
    shop.connector = {"connect_timeout": 60}
    shop.capture("1-1.4.0")
    shop.host.listener.paused.clear()
    control = RecordingControl()
    stop = threading.Timer(0.5, lambda: setattr(control, "stop_at", 1))
    began = time.monotonic()
    stop.start()
    with pytest.raises(Stopped):
        shop.deploy("1-1.4.0", control)
    assert time.monotonic() - began < 10, "it would have waited for a minute"


def test_a_lease_that_ends_while_a_script_is_packed_sends_none(
    shop: Shop, quiet_watch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a worker that is stopped between the checkpoint and the system call that sends."""
    shop.capture("1-1.4.0")
    control, send = RecordingControl(), GuardedSocket.send
    before = len(shop.host.shells.calls)

    def late(self: GuardedSocket, data: Any, *flags: Any) -> int:
        if b"Action" in bytes(data) and b"/shell/Command<" in bytes(data):
            control.stop_at = 1
        return send(self, data, *flags)

    monkeypatch.setattr(GuardedSocket, "send", late)
    with pytest.raises(Stopped):
        shop.deploy("1-1.4.0", control)
    assert len(shop.host.shells.calls) == before


def test_an_answer_in_many_pieces_and_a_script_that_takes_its_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fragments over several messages; receives that time out and are asked again."""
    monkeypatch.setattr(access, "OPERATION_SECONDS", 0.1)
    shop.host.shells.fragment, shop.host.shells.delay = 64, 0.25
    assert "The site Shop-Blue serves C:\\inetpub\\blue" in seen(shop)
    assert shop.host.listener.requests.count("Receive") > 8
