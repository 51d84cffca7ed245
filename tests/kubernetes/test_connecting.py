"""Every way to be let in, and none past a certificate that is not trusted."""

import base64
import copy
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.kubernetes import access
from tests.kubernetes import manifests
from tests.kubernetes.bench import Bench
from tests.kubernetes.cluster import certificates
from tests.ports import LOOPBACK

SEEN = "It is not there."


@dataclass(frozen=True)
class Account:
    """Somebody that the cluster lets in, and how to get there."""

    namespace: str
    kubeconfig: dict[str, Any]

    @property
    def token(self) -> str:
        return str(self.kubeconfig["users"][0]["user"]["token"])

    @property
    def server(self) -> str:
        return str(self.kubeconfig["clusters"][0]["cluster"]["server"])

    @property
    def authority(self) -> bytes:
        cluster = self.kubeconfig["clusters"][0]["cluster"]
        if "certificate-authority" in cluster:
            return Path(cluster["certificate-authority"]).read_bytes()
        return base64.b64decode(cluster["certificate-authority-data"])

    def shown(self, user: dict[str, Any], **cluster: Any) -> str:
        """A kubeconfig that lets in otherwise."""
        found = copy.deepcopy(self.kubeconfig)
        found["users"][0]["user"] = user
        found["clusters"][0]["cluster"] |= cluster
        return yaml.safe_dump(found)


@pytest.fixture(scope="module")
def account(cluster: Any) -> Account:
    namespace = cluster.namespace()
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    kubeconfig = cluster.account(namespace, "worker", rules).read_text()
    return Account(namespace, yaml.safe_load(kubeconfig))


def bench(account: Account, credential: str, **connector: Any) -> Bench:
    text = manifests.written(manifests.workload())
    return Bench(account.namespace, credential, text, connector=connector)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def let_in(made: Bench) -> None:
    assert [each.message for each in made.observe().instances] == [SEEN]


def test_with_the_token_of_a_kubeconfig(account: Account) -> None:
    let_in(bench(account, yaml.safe_dump(account.kubeconfig)))


def test_with_the_token_in_a_file(account: Account, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{account.token}\n")
    let_in(bench(account, account.shown({"tokenFile": str(path)})))


@pytest.mark.only_fake("its authority signs no certificates for tests")
def test_with_a_client_certificate_in_files_and_within(cluster: Any, account: Account) -> None:
    text = cluster.certified("ann", "system:masters").read_text()
    let_in(bench(account, text))
    user = yaml.safe_load(text)["users"][0]["user"]
    within = {f"{name}-data": encoded(Path(path).read_bytes()) for name, path in user.items()}
    let_in(bench(account, account.shown(within)))


def test_with_a_plugin(account: Account, tmp_path: Path) -> None:
    path = tmp_path / "plugin"
    path.write_text(f"print({json.dumps({'status': {'token': account.token}})!r})")
    version = "client.authentication.k8s.io/v1"
    plugin = {"apiVersion": version, "command": sys.executable, "args": [str(path)]}
    let_in(bench(account, account.shown({"exec": plugin})))


def test_with_a_token_and_an_authority(account: Account, tmp_path: Path) -> None:
    path = tmp_path / "ca.crt"
    path.write_bytes(account.authority)
    connector = {"server": account.server, "certificate_authority": str(path)}
    let_in(bench(account, account.token, **connector))


def test_with_the_service_account_of_the_workers_pod(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = urlsplit(account.server)
    monkeypatch.setattr(access, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", str(server.hostname))
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port or 443))
    (tmp_path / "token").write_text(account.token)
    (tmp_path / "ca.crt").write_bytes(account.authority)
    let_in(bench(account, "", in_cluster=True))


@pytest.mark.only_fake("what its certificate is called is not known")
def test_under_the_name_that_the_certificate_has(account: Account) -> None:
    user = {"token": account.token}
    let_in(bench(account, account.shown(user, **{"tls-server-name": "localhost"})))
    with pytest.raises(PlatformError, match=r"certificate is not trusted.*elsewhere") as caught:
        bench(account, account.shown(user, **{"tls-server-name": "elsewhere"})).observe()
    assert caught.value.permanent


def test_a_certificate_that_is_not_trusted_is_refused_for_good(account: Account) -> None:
    another = certificates.authority.__wrapped__()  # of the same name, with another key
    text = copy.deepcopy(account.kubeconfig)
    text["clusters"][0]["cluster"] = {
        "server": account.server,
        "certificate-authority-data": encoded(another.certificate_pem),
    }
    with pytest.raises(PlatformError, match="the cluster's certificate is not trusted") as caught:
        bench(account, yaml.safe_dump(text)).observe()
    assert caught.value.permanent
    assert account.token not in str(caught.value)


def test_somebody_unknown_is_refused_for_good(account: Account) -> None:
    with pytest.raises(PlatformError, match="does not accept the connector's cred") as caught:
        bench(account, account.shown({"token": "wrong-token"})).observe()
    assert caught.value.permanent
    assert "wrong-token" not in str(caught.value)


def test_a_password_that_the_cluster_does_not_know_opens_nothing(account: Account) -> None:
    made = bench(account, account.shown({"username": "ann", "password": "no-password"}))
    (seen,) = made.observe().instances
    assert seen.identity is None
    assert 'the cluster refuses: deployments.apps "storefront" is forbidden' in seen.message
    assert "no-password" not in seen.message


def test_a_cluster_that_does_not_answer_may_answer_later(account: Account) -> None:
    text = account.shown({"token": "a"}, server=f"https://{LOOPBACK}:1")
    with pytest.raises(PlatformError, match="the cluster did not answer") as caught:
        bench(account, text).observe()
    assert not caught.value.permanent
