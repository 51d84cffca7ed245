"""Plugins that say who we are, as real programs."""

import json
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.kubernetes import plugins
from rollbacks.platforms.kubernetes.access import access_to
from tests.kubernetes.cluster import certificates
from tests.platforms.kubernetes.kubeconfigs import CANARY, SERVER, target, written

VERSION = "client.authentication.k8s.io/v1"
Plugin = Callable[..., dict[str, Any]]


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    """Writes a program that counts its calls, and says how a kubeconfig names it."""

    def write(body: str, name: str = "plugin", **fields: Any) -> dict[str, Any]:
        path = tmp_path / name
        lines = ["import json, os, sys, time", f"open({str(path)!r} + '.calls', 'a').write('x')"]
        path.write_text("\n".join([*lines, body]))
        arguments = [str(path), *fields.pop("args", ())]
        return {"apiVersion": VERSION, "command": sys.executable, "args": arguments, **fields}

    return write


def says(**status: Any) -> str:
    return f"print({json.dumps({'kind': 'ExecCredential', 'status': status})!r})"


def calls(plugin: dict[str, Any]) -> int:
    return len(Path(plugin["args"][0] + ".calls").read_text())


def in_seconds(seconds: float) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def test_its_token_is_used(plugin: Plugin) -> None:
    made = plugin(says(token=CANARY))
    found = access_to(target(written({"exec": made})))
    assert found.headers == {"Authorization": f"Bearer {CANARY}"}


def test_its_certificate_is_used(plugin: Plugin) -> None:
    pair = certificates.client("worker")
    certificate, key = pair.certificate_pem.decode(), pair.key_pem.decode()
    made = plugin(says(clientCertificateData=certificate, clientKeyData=key))
    assert access_to(target(written({"exec": made}))).headers == {}


def test_it_is_told_arguments_environment_and_cluster(plugin: Plugin) -> None:
    body = """
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
said = [info["apiVersion"], info["spec"]["interactive"], info["spec"]["cluster"]["server"]]
said += [os.environ["REGION"], *sys.argv[1:]]
print(json.dumps({"status": {"token": "|".join(map(str, said))}}))
"""
    made = plugin(
        body, args=["get", "5"], env=[{"name": "REGION", "value": "east"}], provideClusterInfo=True
    )
    status = plugins.credential(made, {"server": SERVER})
    assert status["token"] == f"{VERSION}|False|{SERVER}|east|get|5"


def test_it_is_asked_again_a_minute_before_its_answer_expires(plugin: Plugin) -> None:
    lasting = plugin(says(token="a", expirationTimestamp=in_seconds(120)), "lasting")
    ending = plugin(says(token="a", expirationTimestamp=in_seconds(50)), "ending")
    for _ in range(3):
        plugins.credential(lasting, {})
        plugins.credential(ending, {})
    assert (calls(lasting), calls(ending)) == (1, 3)


def test_what_it_said_is_forgotten_once_the_cluster_does_not_accept_it(plugin: Plugin) -> None:
    made = plugin(says(token="a", expirationTimestamp=in_seconds(600)))
    access = access_to(target(written({"exec": made})))
    assert not access.forget(), "it was said just now; to ask again does not help"
    for _ in range(2):
        access = access_to(target(written({"exec": made})))
    assert calls(made) == 2
    assert access.forget()
    access_to(target(written({"exec": made})))
    assert calls(made) == 3


@pytest.mark.parametrize("moment", [None, "soon", "2000-01-01T00:00:00"])
def test_it_is_asked_each_time_where_it_does_not_say_how_long(
    plugin: Plugin, moment: str | None
) -> None:
    made = plugin(says(token="a", **({"expirationTimestamp": moment} if moment else {})))
    for _ in range(2):
        assert plugins.credential(made, {})["token"] == "a"
    assert calls(made) == 2


@pytest.mark.parametrize(
    ("body", "fields", "sentence", "permanent"),
    [
        ("", {"apiVersion": "v1"}, "its apiVersion must be one of", True),
        ("", {"command": "/nowhere/plugin"}, "it cannot be started: No such file", True),
        ("", {"env": [CANARY]}, "its args or env are not lists", True),
        ("", {"args": 5}, "its args or env are not lists", True),
        (f"print({CANARY!r})", {}, "its answer is no ExecCredential", True),
        ("print('[]')", {}, "its answer is no ExecCredential", True),
        (f"print(json.dumps({{'status': {CANARY!r}}}))", {}, "no ExecCredential", True),
        (
            "sys.exit('log in first with ' + os.environ['KEY'])",
            {"env": [{"name": "KEY", "value": CANARY}]},
            r"gave no credential \(exit 1\): log in first with …",
            False,
        ),
    ],
)
def test_what_is_wrong_is_said_without_a_secret(
    plugin: Plugin, body: str, fields: dict[str, Any], sentence: str, permanent: bool
) -> None:
    made = plugin(body)
    with pytest.raises(PlatformError, match=sentence) as caught:
        plugins.credential(made | fields, {})
    assert caught.value.permanent is permanent
    assert CANARY not in str(caught.value)


def test_one_that_hangs_keeps_no_other_waiting(plugin: Plugin, tmp_path: Path) -> None:
    until = tmp_path / "until"
    body = f"while not os.path.exists({str(until)!r}): time.sleep(0.01)\n{says(token='late')}"
    hangs, answers = plugin(body, "hangs"), plugin(says(token="a"), "answers")
    said: list[str] = []
    asking = threading.Thread(target=lambda: said.append(plugins.credential(hangs, {})["token"]))
    asking.start()
    while not Path(hangs["args"][0] + ".calls").exists():
        time.sleep(0.01)
    assert plugins.credential(answers, {})["token"] == "a"
    assert not said
    until.touch()
    asking.join()
    assert said == ["late"]


def test_one_that_hangs_is_ended(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "TIME_LIMIT", 0.3)
    with pytest.raises(PlatformError, match=r"gave no credential within 0.3 s\.") as caught:
        plugins.credential(plugin("time.sleep(60)"), {})
    assert not caught.value.permanent
