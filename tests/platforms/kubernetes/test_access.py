"""Where a cluster is and who we are: from a kubeconfig, a token, or the worker's own pod."""

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization as s

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.kubernetes import access
from rollbacks.platforms.kubernetes.access import access_to
from tests.kubernetes.cluster import certificates
from tests.platforms.kubernetes.kubeconfigs import (
    CANARY,
    SERVER,
    authority,
    encoded,
    target,
    written,
)

BEARER = {"Authorization": f"Bearer {CANARY}"}


def pair(name: str = "worker") -> tuple[str, str]:
    made = certificates.client(name)
    return made.certificate_pem.decode(), made.key_pem.decode()


def test_a_token_says_who_we_are() -> None:
    found = access_to(target(written({"token": CANARY})))
    assert (found.server, found.headers) == (SERVER, BEARER)
    assert CANARY not in repr(found)


def test_a_token_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    path = tmp_path / "token"
    text = written({"tokenFile": str(path)})
    for token in ("first", CANARY):
        path.write_text(f"{token}\n")
        assert access_to(target(text)).headers == {"Authorization": f"Bearer {token}"}


def test_a_password_is_basic_authentication() -> None:
    found = access_to(target(written({"username": "ann", "password": CANARY})))
    expected = base64.b64encode(f"ann:{CANARY}".encode()).decode()
    assert found.headers == {"Authorization": f"Basic {expected}"}


def test_a_client_certificate_needs_no_header(tmp_path: Path) -> None:
    certificate, key = pair()
    for name, text in (("c", certificate), ("k", key)):
        (tmp_path / name).write_text(text)
    as_data = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
    as_files = {"client-certificate": str(tmp_path / "c"), "client-key": str(tmp_path / "k")}
    for user in (as_data, as_files):
        assert access_to(target(written(user))).headers == {}


def test_the_connector_may_name_another_context() -> None:
    text = written({"token": CANARY}, context="nowhere")
    assert access_to(target(text, context="shop")).headers == BEARER


def test_proxy_and_server_name_are_taken_from_the_kubeconfig() -> None:
    proxy = "http://proxy.example:3128"
    text = written({"token": "t"}, **{"tls-server-name": "kubernetes", "proxy-url": proxy})
    found = access_to(target(text))
    assert (found.server_name, found.proxy) == ("kubernetes", proxy)


def _exec(**fields: Any) -> dict[str, Any]:
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", **fields}}


OTHER_KEY = pair("somebody-else")[1]
REFUSED: dict[str, tuple[str, str]] = {
    "no YAML": (f"{{{CANARY}", "it is not YAML; for a token, the connector needs a server"),
    "a token": (CANARY, "it is not YAML; for a token"),
    "a list": (f"[{CANARY}]", "it is not YAML"),
    "no context": (written({"token": CANARY}, context=""), "it has no current context"),
    "a wrong context": (written({"token": CANARY}, context="west"), "it has no context named west"),
    "contexts that are none": (f"current-context: a\ncontexts: 5 # {CANARY}", "no context named a"),
    "no user": (written(None), "it has no user named worker"),
    "nobody": (written({"name": CANARY}), "no token, certificate, password or exec plugin"),
    "a certificate without a key": (
        written({"client-certificate-data": encoded(pair()[0])}),
        "no token, certificate, password or exec plugin",
    ),
    "a key of another": (
        written(
            {
                "client-certificate-data": encoded(pair()[0]),
                "client-key-data": encoded(OTHER_KEY),
            }
        ),
        "its client certificate and key do not fit",
    ),
    "a certificate that cannot be decoded": (
        written({"client-certificate-data": f"={CANARY}"}),
        "its client-certificate: it cannot be decoded",
    ),
    "a number for a certificate": (
        written({"client-certificate-data": 5}),
        "its client-certificate: it cannot be decoded",
    ),
    "a file that is not there": (
        written({"client-certificate": "/nowhere"}),
        "its client-certificate: No such file",
    ),
    "a token file that is not there": (
        written({"tokenFile": "/nowhere"}),
        "its tokenFile /nowhere cannot be read",
    ),
    "a token of two lines": (written({"token": f"{CANARY}\n{CANARY}"}), "credential is no token"),
    "an auth-provider": (
        written({"auth-provider": {"config": {"token": CANARY}}}),
        "use an exec plugin",
    ),
    "no verifying": (
        written({"token": CANARY}, **{"insecure-skip-tls-verify": True}),
        "skips verifying certificates; give its authority",
    ),
    "plain http": (
        written({"token": CANARY}, server="http://127.0.0.1:8080"),
        "no server that begins with https://",
    ),
    "no server": (written({"token": CANARY}, server=None), "no server that begins with https://"),
    "a server that is no address": (
        written({"token": CANARY}, server="https://host:port/"),
        "https://host:port/ is no address of a cluster",
    ),
    "a proxy that cannot be used": (
        written({"token": CANARY}, **{"proxy-url": "socks5://proxy:1080"}),
        "must begin with http:// or https://",
    ),
    "an authority that is none": (
        written({"token": CANARY}, **{"certificate-authority-data": encoded(CANARY)}),
        "certificate authority is no PEM certificate",
    ),
    "an authority of nonsense in PEM": (
        written(
            {"token": CANARY},
            **{
                "certificate-authority-data": encoded(
                    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
                )
            },
        ),
        "certificate authority is no PEM certificate",
    ),
    "an authority in an empty file": (
        written(
            {"token": CANARY},
            **{"certificate-authority-data": None, "certificate-authority": "/dev/null"},
        ),
        "certificate authority is no PEM certificate",
    ),
    "somebody who stands for another": (
        written({"token": CANARY, "as": "admin", "as-groups": ["system:masters"]}),
        "impersonates somebody (as, as-groups), which Lastgood does not",
    ),
    "a plugin that is no object": (written({"exec": CANARY}), "the exec plugin of shop is no"),
    "a plugin without a command": (written(_exec()), "it has no command"),
    "a plugin of another time": (
        written({"exec": {"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "a"}}),
        "its apiVersion must be one of client.authentication.k8s.io/v1,",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_kubeconfig_that_cannot_be_used_is_refused_without_showing_it(name: str) -> None:
    text, sentence = REFUSED[name]
    with pytest.raises(PlatformError) as caught:
        access_to(target(text))
    said = str(caught.value)
    assert sentence in said
    assert said.endswith(".")
    assert not said.endswith("..")
    assert caught.value.permanent
    assert CANARY not in said
    # What a traceback would show of where it came from.
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it() -> None:
    made = certificates.client("worker")
    locked = s.BestAvailableEncryption(CANARY.encode())
    key = made.key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, locked).decode()
    user = {
        "client-certificate-data": encoded(made.certificate_pem.decode()),
        "client-key-data": encoded(key),
    }
    with pytest.raises(PlatformError, match="or the key has a passphrase"):
        access_to(target(written(user)))


def test_a_token_goes_with_a_server_and_its_authority(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(authority())
    connector = {"server": f"{SERVER}/", "certificate_authority": str(path)}
    found = access_to(target(f"{CANARY}\n", **connector))
    assert (found.server, found.headers) == (SERVER, BEARER)


@pytest.mark.parametrize(
    ("content", "token", "sentence"),
    [
        (None, CANARY, "cannot read the certificate authority .*: No such file"),
        (b"\xff", CANARY, "it is not text"),
        (b"", CANARY, "no PEM certificate"),
        (CANARY.encode(), CANARY, "no PEM certificate"),
        (b"good", "", "credential is no token"),
        (b"good", f"{CANARY} {CANARY}", "credential is no token"),
        (b"good", f"{CANARY}é", "credential is no token"),
    ],
)
def test_what_is_wrong_with_a_token_or_its_authority_is_said(
    tmp_path: Path, content: bytes | None, token: str, sentence: str
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(authority().encode() if content == b"good" else content)
    with pytest.raises(PlatformError, match=sentence) as caught:
        access_to(target(token, server=SERVER, certificate_authority=str(path)))
    assert caught.value.permanent
    assert CANARY not in str(caught.value)


def test_without_a_credential_the_connector_says_what_is_missing() -> None:
    with pytest.raises(PlatformError, match="has no credential: give a kubeconfig or a token"):
        access_to(target(None))


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As if the worker ran in a pod; the directory of its service account."""
    monkeypatch.setattr(access, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    (tmp_path / "token").write_text(CANARY)
    (tmp_path / "ca.crt").write_text(authority())
    return tmp_path


def test_in_a_pod_the_service_account_says_who_we_are(
    pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = access_to(target(None, in_cluster=True))
    assert (found.server, found.headers) == ("https://10.0.0.1:443", BEARER)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    assert access_to(target(None, in_cluster=True)).server == "https://[fd00::1]:443"


def test_a_service_account_that_cannot_be_read_is_said(
    pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pod / "ca.crt").write_text("")
    with pytest.raises(PlatformError, match="no PEM certificate"):
        access_to(target(None, in_cluster=True))
    (pod / "token").unlink()
    with pytest.raises(PlatformError, match="service account cannot be read: No such file"):
        access_to(target(None, in_cluster=True))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    with pytest.raises(PlatformError, match="this worker does not run in a pod"):
        access_to(target(None, in_cluster=True))
