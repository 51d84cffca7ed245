"""Commands by sudo, as it is on Debian: a user without rights, a real sudoers drop-in, a password
that is read from standard input and shows up nowhere."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from rollbacks.platforms.base import Done, OutcomeState, PlatformError, TargetRef
from rollbacks.platforms.ssh import Ssh
from rollbacks.platforms.ssh.access import access_to
from rollbacks.platforms.ssh.become import _READY
from tests.platforms.ssh.conftest import Shop, shop_on
from tests.sshd import Fleet

PASSWORD = "correct horse 'battery' $(staple)"
NAME = f"lastgood{os.getpid()}"
DROP_IN = Path("/etc/sudoers.d") / NAME

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("sudo"), reason="only root can add users and sudoers"
)


@dataclass
class Guest:
    """A shop that is logged in to as somebody who may not even write there."""

    shop: Shop
    password: Path

    def may(self, rule: str) -> None:
        """What sudo lets the guest do from now on."""
        DROP_IN.write_text(f"{rule}\n")
        DROP_IN.chmod(0o440)

    def target(self, **sudo: Any) -> TargetRef:
        known = {"user": NAME, "sudo": {"user": "root", **sudo}}
        return self.shop.fleet.target(**known)

    @property
    def with_password(self) -> TargetRef:
        return self.target(password=f"file:{self.password}")

    def there_and_back(self, target: TargetRef) -> None:
        shop = self.shop
        before, spec = shop.trees(), shop.spec("1-1.4.0")
        captured = shop.step.capture(target, spec, shop.control)
        assert isinstance(shop.step.apply(target, spec, captured, shop.control), Done)
        assert shop.links() == {"releases/1-1.4.0"}
        owner = shop.fleet.path("web-1", "releases/1-1.4.0/index.html").stat().st_uid
        assert owner == 0
        assert isinstance(shop.step.undo(target, spec, captured, shop.control), Done)
        assert shop.trees() == before


def _run(*words: str, stdin: str = "") -> None:
    """Somebody else may be changing the users of this machine just now."""
    for _ in range(50):
        done = subprocess.run(words, input=stdin, text=True, capture_output=True, check=False)
        if "cannot lock" not in done.stderr:
            break
        time.sleep(0.1)
    done.check_returncode()


@contextmanager
def user() -> Iterator[None]:
    """There for as long as this lasts, with the sudoers drop-in."""
    _run("useradd", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", NAME)
    try:
        _run("chpasswd", stdin=f"{NAME}:{PASSWORD}\n")
        yield
    finally:
        DROP_IN.unlink(missing_ok=True)
        _run("userdel", "--force", NAME)


@pytest.fixture
def guest() -> Iterator[Guest]:
    # pytest's own directories are for nobody but root.
    directory = Path(tempfile.mkdtemp(prefix="lastgood-sudo-"))
    directory.chmod(0o755)
    try:
        with user(), Fleet(2, directory / "fleet") as fleet:
            password = directory / "password"
            password.touch(mode=0o600)
            password.write_text(f"{PASSWORD}\n")
            yield Guest(shop_on(fleet), password)
    finally:
        shutil.rmtree(directory)


def test_without_a_password_where_sudo_asks_for_none(guest: Guest) -> None:
    guest.may(f"{NAME} ALL=(root) NOPASSWD: ALL")
    guest.there_and_back(guest.target())


@pytest.mark.parametrize("rule", ["ALL", "NOPASSWD: ALL"])
def test_with_a_password_whether_sudo_asks_for_it_or_not(guest: Guest, rule: str) -> None:
    guest.may(f"{NAME} ALL=(root) {rule}")
    guest.there_and_back(guest.with_password)


def test_scripts_run_as_the_other_user_and_get_no_password_to_read(guest: Guest) -> None:
    guest.may(f"Defaults:{NAME} !use_pty\n{NAME} ALL=(root) ALL")
    guest.shop.settings = {
        "restart_command": "id -un; cat; env; cat /proc/$PPID/cmdline | tr '\\0' ' '",
    }
    shop, target = guest.shop, guest.with_password
    spec = shop.spec("1-1.4.0")
    captured = shop.step.capture(target, spec, shop.control)
    assert isinstance(shop.step.apply(target, spec, captured, shop.control), Done)
    said = "\n".join(text for _, text in shop.control.lines)
    assert "root" in said.splitlines()
    assert "LASTGOOD_RELEASE=1-1.4.0" in said
    assert PASSWORD not in said
    assert _READY not in said.splitlines()


def test_the_password_is_in_no_command_line_log_or_repr(
    guest: Guest, caplog: pytest.LogCaptureFixture
) -> None:
    """The command lines of all processes of this machine are read as long as it lasts."""
    caplog.set_level(1)
    guest.may(f"{NAME} ALL=(root) ALL")
    seen: set[bytes] = set()
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.005):
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        text = (process / name).read_bytes()
                    except OSError:
                        continue
                    if NAME.encode() in text or b"lastgood" in text:
                        seen.add(text)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        guest.there_and_back(guest.with_password)
    finally:
        is_over.set()
        thread.join()
    assert any(b"sudo\0-k\0-S" in text for text in seen), "nothing was watched"
    assert not any(PASSWORD.encode() in text for text in seen)
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(access_to(guest.with_password))
    assert PASSWORD not in guest.shop.fleet.log("web-1")
    assert PASSWORD not in repr(guest.shop.control.reports) + repr(guest.shop.control.lines)


@pytest.mark.parametrize(
    ("rule", "password", "said"),
    [
        ("", "", "a password is required"),
        ("", PASSWORD, "is not in the sudoers file"),
        ("{name} ALL=(root) ALL", "", "a password is required"),
        ("{name} ALL=(root) ALL", "wrong", "incorrect password attempt"),
        ("{name} ALL=(root) /bin/true", PASSWORD, "is not allowed to execute"),
    ],
)
def test_a_missing_right_is_said_before_anything_is_touched(
    guest: Guest, rule: str, password: str, said: str
) -> None:
    guest.may(rule.format(name=NAME))
    guest.password.write_text(password)
    target = guest.with_password if password else guest.target()
    spec, before = guest.shop.spec("1-1.4.0"), guest.shop.trees()
    inspection = guest.shop.step.inspect(target, spec, None)
    [problem] = inspection.problems
    assert problem.startswith("web-1, web-2: may not act as root by sudo (")
    assert said in problem
    with pytest.raises(PlatformError, match="may not act as root by sudo") as refused:
        guest.shop.step.capture(target, spec, guest.shop.control)
    assert refused.value.permanent
    assert set(guest.shop.control.states.values()) == {OutcomeState.FAILED}
    assert guest.shop.trees() == before
    assert PASSWORD not in str(refused.value)


def test_a_password_on_two_lines_is_refused(guest: Guest) -> None:
    guest.password.write_text("one\ntwo\n")
    with pytest.raises(PlatformError, match="must be on one line, alone"):
        Ssh().observe(guest.with_password)
    gone = replace(guest.target(password="env:LASTGOOD_NO_SUCH_PASSWORD"))
    with pytest.raises(PlatformError, match="no environment variable LASTGOOD_NO_SUCH_PASSWORD"):
        Ssh().observe(gone)
