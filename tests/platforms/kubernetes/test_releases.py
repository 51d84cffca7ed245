"""A release's own configuration: versioned names, everything that refers to them, secrets."""

import json
from pathlib import Path
from typing import Any

import pytest

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.kubernetes.releases import objects_of, versioned, with_secrets
from rollbacks.platforms.kubernetes.settings import RolloutSettings
from tests.kubernetes.manifests import NAME, config_map, container, service, workload, written
from tests.platforms.kubernetes.specs import spec

HIDDEN = "hunter2-hunter2"


def secret(name: str = NAME, **string_data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": string_data,
    }


def template(pod: dict[str, Any]) -> str:
    """The pod's spec of the release, as text."""
    own = container()
    text = written(config_map(), secret(), workload(containers=[own], pod=pod))
    found = objects_of(spec(RolloutSettings(manifests=text).manifests))
    return json.dumps(found[-1]["spec"]["template"]["spec"])


def volume(**source: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "v", **source}]}


def used_by(part: str, **fields: Any) -> dict[str, Any]:
    return {part: [{"name": "app", "image": "${image}", **fields}]}


def env(**source: Any) -> dict[str, Any]:
    return {"env": [{"name": "PLAIN", "value": NAME}, {"name": "A", "valueFrom": source}]}


KEY = {"name": NAME, "key": "a"}
REFERENCES: list[dict[str, Any]] = [
    volume(configMap={"name": NAME}),
    volume(secret={"secretName": NAME}),
    volume(projected={"sources": [{"configMap": {"name": NAME}}]}),
    volume(projected={"sources": [{"serviceAccountToken": {}}, {"secret": {"name": NAME}}]}),
    volume(csi={"driver": "d", "nodePublishSecretRef": {"name": NAME}}),
    volume(azureFile={"secretName": NAME, "shareName": "s"}),
    volume(cephfs={"monitors": [], "secretRef": {"name": NAME}}),
    {"imagePullSecrets": [{"name": NAME}]},
    used_by("containers", **env(configMapKeyRef=KEY)),
    used_by("containers", **env(secretKeyRef=KEY)),
    used_by("containers", envFrom=[{"configMapRef": {"name": NAME}}]),
    used_by("containers", envFrom=[{"secretRef": {"name": NAME}}]),
    used_by("initContainers", **env(secretKeyRef=KEY)),
    used_by("initContainers", envFrom=[{"configMapRef": {"name": NAME}}]),
]


@pytest.mark.parametrize("pod", REFERENCES, ids=json.dumps)
def test_the_pods_use_the_releases_own_configuration_wherever_they_name_it(
    pod: dict[str, Any],
) -> None:
    assert f'"{NAME}-12"' in template(pod)


@pytest.mark.parametrize(
    "pod",
    [
        volume(configMap={"name": "other"}),
        volume(secret={"secretName": "other"}),
        volume(persistentVolumeClaim={"claimName": NAME}),
        used_by("containers", env=[{"name": "A", "value": NAME}], args=[NAME]),
        {"imagePullSecrets": [{"name": "other"}], "serviceAccountName": NAME},
    ],
    ids=json.dumps,
)
def test_what_is_only_called_the_same_is_left_alone(pod: dict[str, Any]) -> None:
    assert "-12" not in template(pod)


def test_a_config_map_and_a_secret_of_one_name_are_told_apart() -> None:
    skips = config_map(**{"lastgood.io/skip-versioning": "true"})
    both = volume(configMap={"name": NAME}) | {"imagePullSecrets": [{"name": NAME}]}
    text = written(skips, secret(), workload(pod=both))
    pod = objects_of(spec(text))[-1]["spec"]["template"]["spec"]
    assert pod["volumes"][0]["configMap"]["name"] == NAME
    assert pod["imagePullSecrets"] == [{"name": f"{NAME}-12"}]


def test_what_skips_versioning_keeps_its_name_and_is_not_the_releases_own() -> None:
    skips = config_map(**{"lastgood.io/skip-versioning": "true"})
    found = objects_of(spec(written(skips, secret("login"), workload())))
    assert [each["metadata"]["name"] for each in found] == [NAME, "login-12", NAME]
    assert versioned(found) == [["Secret", "login-12"]]


def test_only_what_a_rollback_brings_back_is_marked_with_the_release() -> None:
    skips = config_map(**{"lastgood.io/skip-versioning": "true"})
    found = objects_of(spec(written(skips, secret(), service(), workload())))
    marks = [each["metadata"]["annotations"].get("lastgood.io/release") for each in found]
    assert marks == [None, "12-2", "12-2", "12-2"]
    pods = found[-1]["spec"]["template"]["metadata"]
    assert pods["annotations"] == {"lastgood.io/release": "12-2"}


@pytest.mark.parametrize(
    ("instances", "sentence"),
    [
        ([], "The manifests bring Deployment/storefront, which the infrastructure definition"),
        (["Deployment/other", f"Deployment/{NAME}"], "do not bring Deployment/other, which"),
        ([f"StatefulSet/{NAME}"], "The manifests bring Deployment/storefront"),
    ],
)
def test_workloads_must_be_those_of_the_infrastructure(instances: list[str], sentence: str) -> None:
    with pytest.raises(PlatformError, match=sentence) as caught:
        objects_of(spec(written(workload()), instances=instances))
    assert caught.value.permanent


def test_a_secret_is_read_only_as_it_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "password"
    path.write_text(HIDDEN)
    monkeypatch.setenv("LOGIN_TOKEN", HIDDEN)
    written_secret = secret(password=f"${{file:{path}}}", token="${env:LOGIN_TOKEN}")
    objects = objects_of(spec(written(written_secret, workload())))
    assert HIDDEN not in json.dumps(objects)
    sent = with_secrets(objects[0])
    assert sent["stringData"] == {"password": HIDDEN, "token": HIDDEN}
    assert HIDDEN not in json.dumps(objects)


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    for reference in (f"file:{tmp_path}/nothing", "env:LASTGOOD_NOBODY_SET_THIS"):
        found = objects_of(spec(written(secret(password=f"${{{reference}}}"), workload())))
        with pytest.raises(PlatformError, match=f"Secret/{NAME}-12: password: .* {reference}"):
            with_secrets(found[0])
