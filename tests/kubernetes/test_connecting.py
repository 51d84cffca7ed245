"""Every way to be let in, and none past a certificate that is not trusted."""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.kubernetes import access
from tests.kubernetes import manifests
from tests.kubernetes.bench import Bench, bench_in
from tests.kubernetes.cluster import FakeCluster, certificates
from tests.ports import LOOPBACK

SEEN = "It is not there."


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeCluster]:
    with FakeCluster() as running:
        yield running


def bench(fake: FakeCluster, credential: str, **connector: Any) -> Bench:
    text = manifests.written(manifests.workload())
    return bench_in(fake, text, credential=credential, connector=connector)


def kubeconfig(fake: FakeCluster, user: dict[str, Any], **cluster: Any) -> str:
    found = yaml.safe_load(Path(fake.kubeconfig).read_text())
    found["users"][0]["user"] = user
    found["clusters"][0]["cluster"] |= cluster
    return yaml.safe_dump(found)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def let_in(made: Bench) -> None:
    assert [each.message for each in made.observe().instances] == [SEEN]


def test_with_the_token_of_a_kubeconfig(fake: FakeCluster) -> None:
    let_in(bench(fake, Path(fake.kubeconfig).read_text()))


def test_with_the_token_in_a_file(fake: FakeCluster, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{fake.admin_token}\n")
    let_in(bench(fake, kubeconfig(fake, {"tokenFile": str(path)})))


def test_with_a_client_certificate_in_files_and_within(fake: FakeCluster) -> None:
    text = fake.certified("ann", "system:masters").read_text()
    let_in(bench(fake, text))
    user = yaml.safe_load(text)["users"][0]["user"]
    within = {f"{name}-data": encoded(Path(path).read_bytes()) for name, path in user.items()}
    let_in(bench(fake, kubeconfig(fake, within)))


def test_with_a_plugin(fake: FakeCluster, tmp_path: Path) -> None:
    path = tmp_path / "plugin"
    path.write_text(f"print({json.dumps({'status': {'token': fake.admin_token}})!r})")
    version = "client.authentication.k8s.io/v1"
    plugin = {"apiVersion": version, "command": sys.executable, "args": [str(path)]}
    let_in(bench(fake, kubeconfig(fake, {"exec": plugin})))


def test_with_a_token_and_an_authority(fake: FakeCluster) -> None:
    authority = str(fake.ca)
    let_in(bench(fake, fake.admin_token, server=fake.url, certificate_authority=authority))


def test_with_the_service_account_of_the_workers_pod(
    fake: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", LOOPBACK)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", fake.url.rpartition(":")[2])
    (tmp_path / "token").write_text(fake.admin_token)
    (tmp_path / "ca.crt").write_bytes(Path(fake.ca).read_bytes())
    let_in(bench(fake, "", in_cluster=True))


def test_under_the_name_that_the_certificate_has(fake: FakeCluster) -> None:
    user = {"token": fake.admin_token}
    let_in(bench(fake, kubeconfig(fake, user, **{"tls-server-name": "localhost"})))
    with pytest.raises(PlatformError, match=r"certificate is not trusted.*elsewhere") as caught:
        bench(fake, kubeconfig(fake, user, **{"tls-server-name": "elsewhere"})).observe()
    assert caught.value.permanent


def test_a_certificate_that_is_not_trusted_is_refused_for_good(
    fake: FakeCluster,
) -> None:
    another = certificates.authority.__wrapped__()  # of the same name, with another key
    authority = {"certificate-authority-data": encoded(another.certificate_pem)}
    text = kubeconfig(fake, {"token": fake.admin_token}, **authority)
    with pytest.raises(PlatformError, match="the cluster's certificate is not trusted") as caught:
        bench(fake, text).observe()
    assert caught.value.permanent
    assert fake.admin_token not in str(caught.value)


@pytest.mark.parametrize("user", [{"token": "wrong-token"}, {"username": "a", "password": "b"}])
def test_somebody_unknown_is_refused_for_good(fake: FakeCluster, user: dict[str, str]) -> None:
    with pytest.raises(PlatformError, match="does not accept the connector's cred") as caught:
        bench(fake, kubeconfig(fake, user)).observe()
    assert caught.value.permanent
    assert "wrong-token" not in str(caught.value)


def test_a_cluster_that_does_not_answer_may_answer_later(fake: FakeCluster) -> None:
    text = kubeconfig(fake, {"token": "a"}, server=f"https://{LOOPBACK}:1")
    with pytest.raises(PlatformError, match="the cluster did not answer") as caught:
        bench(fake, text).observe()
    assert not caught.value.permanent
