"""Hosts that hang, refuse, changed or are ill: the others go on, and a person understands why."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import asyncssh
import pytest

from rollbacks.platforms.base import Done, OutcomeState, PlatformError, Running, Secret
from rollbacks.platforms.ssh import entering
from rollbacks.platforms.ssh.access import access_to
from tests.artifacts import checksum
from tests.platforms.ssh.conftest import Shop

DONE, UNKNOWN, FAILED = OutcomeState.DONE, OutcomeState.UNKNOWN, OutcomeState.FAILED


def message(shop: Shop, host: str) -> str:
    return shop.control.outcomes[host].message


def test_a_hung_host_delays_nobody_and_a_retry_finishes_it(shop: Shop) -> None:
    shop.connector = {"connect_timeout": 4}
    shop.capture("1-1.4.0")
    shop.fleet.pause("web-2")
    began = time.monotonic()

    progress = shop.deploy("1-1.4.0")

    assert isinstance(progress, Running)
    assert progress.message.startswith("web-2: no answer from 127.0.0.1:")
    assert progress.message.endswith("within 4 s")
    assert shop.control.states == {"web-1": DONE, "web-2": UNKNOWN, "web-3": DONE}
    assert max(shop.control.known_at(host) for host in ("web-1", "web-3")) < began + 3
    assert shop.fleet.link("web-1") == shop.fleet.link("web-3") == "releases/1-1.4.0"

    shop.fleet.resume("web-2")
    assert isinstance(shop.deploy("1-1.4.0"), Done)
    assert shop.links() == {"releases/1-1.4.0"}


def test_a_host_that_hangs_while_it_is_restarted_is_restarted_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(entering, "KEEPALIVE_SECONDS", 0.3)
    begun = tmp_path / "begun"
    shop.settings = {
        "restart_command": 'if [ "$LASTGOOD_HOST" = web-2 ] && [ ! -e "$BEGUN" ]; '
        'then : >"$BEGUN"; sleep 30; fi; date >>"$BEGUN-$LASTGOOD_HOST"'
    }
    shop.variables["BEGUN"] = str(begun)

    def hang() -> None:
        while not begun.exists():
            time.sleep(0.02)
        shop.fleet.pause("web-2")

    hanging = threading.Thread(target=hang)
    hanging.start()
    progress = shop.deploy("1-1.4.0")
    hanging.join()

    assert isinstance(progress, Running)
    assert "web-2: the connection was lost" in progress.message
    assert shop.control.states["web-2"] == UNKNOWN

    shop.fleet.stop("web-2")
    shop.fleet.start("web-2")
    assert isinstance(shop.deploy("1-1.4.0"), Done)
    assert Path(f"{begun}-web-2").exists()
    assert len(Path(f"{begun}-web-1").read_text().splitlines()) == 1, "not restarted twice"


def test_a_refused_connection_is_tried_again(shop: Shop) -> None:
    shop.capture("1-1.4.0")
    shop.fleet.stop("web-3")

    progress = shop.deploy("1-1.4.0")
    assert isinstance(progress, Running)
    assert "web-3: 127.0.0.1:" in progress.message
    assert "refused the connection" in progress.message

    shop.fleet.start("web-3")
    assert isinstance(shop.deploy("1-1.4.0"), Done)


def test_nothing_is_touched_while_one_host_cannot_be_looked_at(shop: Shop) -> None:
    shop.fleet.stop("web-2")
    before = shop.trees()

    with pytest.raises(PlatformError, match="web-2") as refused:
        shop.deploy("1-1.4.0")

    assert not refused.value.permanent
    assert shop.trees() == before


def test_a_changed_host_key_is_refused_and_nothing_is_sent(shop: Shop) -> None:
    shop.capture("1-1.4.0")
    shop.fleet.rekey("web-3")
    before, said = shop.fleet.tree("web-3"), shop.fleet.log("web-3").count("Accepted publickey")

    with pytest.raises(
        PlatformError, match=r"web-3: the host key of .* is not the one in kn"
    ) as refused:
        shop.deploy("1-1.4.0")

    assert refused.value.permanent
    assert shop.control.states == {"web-1": DONE, "web-2": DONE, "web-3": FAILED}
    assert message(shop, "web-3").endswith("nothing was sent")
    assert shop.fleet.tree("web-3") == before
    assert shop.fleet.log("web-3").count("Accepted publickey") == said
    assert "Failed publickey" not in shop.fleet.log("web-3")


@pytest.mark.parametrize("known", [["web-1", "web-2"], []])
def test_an_unknown_host_is_never_trusted_on_first_use(shop: Shop, known: list[str]) -> None:
    shop.fleet.trust(known)

    with pytest.raises(PlatformError, match=r"127.0.0.1:\d+ is not in known_hosts") as refused:
        shop.capture("1-1.4.0")

    assert refused.value.permanent
    assert "Accepted" not in shop.fleet.log("web-3")


def test_a_key_of_another_kind_is_refused(shop: Shop) -> None:
    other = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    lines = shop.fleet.known_hosts.read_text().splitlines()
    public = other.export_public_key().decode()
    shop.fleet.known_hosts.write_text("".join(f"{line.split()[0]} {public}" for line in lines))

    with pytest.raises(PlatformError, match="is not the one in known_hosts; n") as refused:
        shop.capture("1-1.4.0")
    assert refused.value.permanent


def test_a_known_hosts_file_that_cannot_be_read_is_named(shop: Shop) -> None:
    shop.fleet.known_hosts.write_text("nonsense\n")
    with pytest.raises(PlatformError, match=r"known hosts .*/known_hosts: a line in it"):
        shop.capture("1-1.4.0")
    shop.fleet.known_hosts.unlink()
    with pytest.raises(PlatformError, match=r"known hosts .*/known_hosts: No such file"):
        shop.capture("1-1.4.0")


def test_a_refused_login_and_a_useless_credential_are_told_apart(shop: Shop) -> None:
    target, spec = shop.fleet.target(), shop.spec("1-1.4.0")
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    locked = asyncssh.generate_private_key("ssh-ed25519").export_private_key(
        "pkcs8-pem", passphrase="secret"
    )
    refused = {
        stranger: "does not let .* in with the connector's key",
        stranger[:80]: "is no private key that can be used",
        locked.decode(): "is no private key that can be used",
        "": "is no private key that can be used",
    }
    for credential, sentence in refused.items():
        with pytest.raises(PlatformError, match=sentence) as error:
            shop.step.capture(replace(target, credential=Secret(credential)), spec, shop.control)
        assert error.value.permanent
        assert not credential or credential[40:80] not in str(error.value)
        assert error.value.__cause__ is None
    with pytest.raises(PlatformError, match="has no credential"):
        shop.step.capture(replace(target, credential=None), spec, shop.control)


def test_the_key_is_in_no_repr_and_no_log(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    target = shop.fleet.target()
    shop.deploy("1-1.4.0")
    body = shop.fleet.private_key.splitlines()[1]

    assert body not in repr(target)
    assert body not in repr(access_to(target))
    assert body not in caplog.text
    assert body not in repr(shop.control.reports) + repr(shop.control.lines)


def test_a_failing_restart_is_lasting_and_the_host_goes_back(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    before = shop.trees()
    shop.settings = {
        "restart_command": "readlink current | grep -q 1.4.0 || { echo no such unit >&2; exit 5; }"
    }

    with pytest.raises(PlatformError, match="restarting ended with 5: no such unit") as failed:
        shop.deploy("2-1.4.1")
    assert failed.value.permanent
    assert set(shop.control.states.values()) == {FAILED}
    assert ("web-1", "no such unit") in shop.control.lines

    assert isinstance(shop.roll_back("2-1.4.1"), Done)
    assert shop.trees() == before


def test_a_restart_that_does_not_end_is_lasting(shop: Shop) -> None:
    shop.connector = {"command_timeout": 1}
    shop.settings = {"restart_command": "sleep 20"}
    with pytest.raises(PlatformError, match=r"restart command: no end .* within 1 s") as failed:
        shop.deploy("1-1.4.0")
    assert failed.value.permanent


@pytest.mark.parametrize("shop", [1], indirect=True)
def test_a_restart_may_leave_a_daemon_that_holds_the_output_open(shop: Shop) -> None:
    shop.settings = {"restart_command": "sleep 8 & echo started"}
    began = time.monotonic()

    assert isinstance(shop.deploy("1-1.4.0"), Done)

    assert time.monotonic() - began < 6
    assert ("web-1", "started") in shop.control.lines


def test_a_wrong_checksum_is_refused_before_any_host_is_touched(shop: Shop) -> None:
    shop.capture("1-1.4.0")
    spec, before = shop.spec("1-1.4.0"), shop.trees()
    assert spec.artifact
    wrong = replace(spec, artifact=replace(spec.artifact, checksum=checksum(b"other")))

    with pytest.raises(PlatformError, match=r"web-1, web-2, web-3: .*has the checksum") as refused:
        shop.step.apply(shop.fleet.target(), wrong, shop.captured["1-1.4.0"], shop.control)

    assert refused.value.permanent
    assert shop.trees() == before


class Page(BaseHTTPRequestHandler):
    """Answers with what the server was told to; forgets how to log."""

    def do_GET(self) -> None:
        statuses = self.server.statuses  # type: ignore[attr-defined]
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"shop is well")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.statuses = [200]  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def checked(page: ThreadingHTTPServer, **check: object) -> dict[str, object]:
    url = f"http://{{address}}:{page.server_port}/{{name}}"
    return {"health_check": {"url": url, **check}, "health_timeout": 3}


@pytest.mark.parametrize("shop", [1], indirect=True)
def test_a_host_is_done_once_its_page_answers_well(
    shop: Shop, page: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    page.statuses = [503, 200]  # type: ignore[attr-defined]
    shop.settings = checked(page, expect_text="is well")

    assert isinstance(shop.deploy("1-1.4.0"), Done)
    assert shop.control.states == {"web-1": DONE}


@pytest.mark.parametrize("shop", [1], indirect=True)
@pytest.mark.parametrize(
    ("status", "check", "sentence"),
    [
        (500, {}, "health check answered 500, expected 200"),
        (200, {"expect_text": "1.4.0"}, "health check answered without '1.4.0'"),
        (0, {}, "health check gave no answer"),
    ],
)
def test_a_page_that_stays_wrong_fails_the_host(
    shop: Shop, page: ThreadingHTTPServer, status: int, check: dict[str, object], sentence: str
) -> None:
    page.statuses = [status]  # type: ignore[attr-defined]
    shop.settings = checked(page, **check) | {"health_timeout": 1}
    if not status:
        page.shutdown()
        page.server_close()

    with pytest.raises(PlatformError, match=sentence) as failed:
        shop.deploy("1-1.4.0")

    assert failed.value.permanent
    assert shop.control.states == {"web-1": FAILED}
    shop.settings = {}
    assert isinstance(shop.roll_back("1-1.4.0"), Done)


def test_an_unknown_placeholder_is_named_before_any_host_is_asked(shop: Shop) -> None:
    shop.settings = {"health_check": {"url": "http://{address}:{page_port}/"}}

    with pytest.raises(PlatformError, match="web-1 has no variable 'page_port'"):
        shop.deploy("1-1.4.0")
    assert "Accepted" not in shop.fleet.log("web-1")
