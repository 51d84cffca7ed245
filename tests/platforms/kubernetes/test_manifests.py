"""Manifests: what may stand in them, and what is filled in."""

from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.kubernetes import previews
from rollbacks.platforms.kubernetes.colors import colored
from rollbacks.platforms.kubernetes.manifests import checked, hard_coded, rendered
from rollbacks.platforms.kubernetes.releases import objects_of
from tests.kubernetes.manifests import config_map, container, service, workload, written
from tests.nightly import IS_NIGHTLY
from tests.platforms.kubernetes.specs import IMAGE, spec

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5) | st.dates(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part),
    max_leaves=5,
)


@cache
def with_value(value: str) -> str:
    """A ConfigMap that has it, and a workload."""
    return written({**config_map(), "data": {"value": value}}, workload())


def filled(value: str, **variables: str) -> Any:
    """What becomes of a value of a ConfigMap."""
    text = with_value(value)
    return rendered(text, spec(text, variables=variables))[0]["data"]["value"]


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("${image}", f"{IMAGE}:2"),
        ("${version}", "2"),
        ("${release}", "12-2"),
        ("a ${COLOR} b ${COLOR}", "a red b red"),
        ("${COUNT|number}", 4),
        ("${COUNT}", "4"),
        ("$${COLOR} $COLOR $$ ${", "${COLOR} $COLOR $$ ${"),
        ("$$${COLOR}", "$${COLOR}"),
        ("${not a name} ${1}", "${not a name} ${1}"),
        ("${LOOP}", "${COLOR}"),
    ],
)
def test_placeholders_are_filled_in_once(value: str, becomes: object) -> None:
    assert filled(value, COLOR="red", COUNT="4", LOOP="${COLOR}") == becomes


def test_what_is_ours_cannot_be_replaced_by_a_variable() -> None:
    assert filled("${image}", image="other", version="other") == f"{IMAGE}:2"


def test_placeholders_may_stand_in_every_text() -> None:
    text = written(
        config_map(),
        workload(
            replicas="${COUNT|number}",
            annotations={"note": "v${version}"},
            pod={"nodeSelector": {"zone": "${ZONE}"}},
        ),
    )
    found = rendered(text, spec(text, variables={"COUNT": "4", "ZONE": "a"}))[-1]["spec"]
    assert found["replicas"] == 4
    assert found["template"]["metadata"]["annotations"] == {"note": "v2"}
    assert found["template"]["spec"]["nodeSelector"] == {"zone": "a"}


def test_an_artifact_with_a_checksum_is_deployed_by_it() -> None:
    text = written(workload())
    digest = "sha256:" + "a" * 64
    for location, image in (
        (IMAGE, f"{IMAGE}@{digest}"),
        (f"{IMAGE}@sha256:bb", f"{IMAGE}@sha256:bb"),
    ):
        found = rendered(text, spec(text, checksum=digest, location=location))[0]
        assert found["spec"]["template"]["spec"]["containers"][0]["image"] == image


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("${UNKNOWN}", r"\$\{UNKNOWN\} in the manifests is neither image, version, release nor"),
        ("${WORD|number}", "WORD must be a number, not 'three'"),
        ("${LONG|number}", "LONG must be a number, not '1_000'"),
    ],
)
def test_what_cannot_be_filled_in_is_said(value: str, sentence: str) -> None:
    with pytest.raises(PlatformError, match=sentence) as caught:
        filled(value, WORD="three", LONG="1_000")
    assert caught.value.permanent


NOTED = written(workload(annotations={"note": "${VALUE}"}))


@settings(deadline=None, max_examples=50)
@given(st.text())
def test_no_value_can_become_structure(value: str) -> None:
    assert filled("a ${VALUE}", VALUE=value) == f"a {value}"
    plain = rendered(NOTED, spec(NOTED, variables={"VALUE": ""}))
    found = rendered(NOTED, spec(NOTED, variables={"VALUE": value}))
    assert found[0]["spec"]["template"]["metadata"]["annotations"] == {"note": value}
    found[0]["spec"]["template"]["metadata"]["annotations"] = {"note": ""}
    assert found == plain


def test_what_others_need_comes_first() -> None:
    text = written(workload(), service(), config_map())
    kinds = [each["kind"] for each in rendered(text, spec(text))]
    assert kinds == ["ConfigMap", "Service", "Deployment"]


def test_workloads_into_which_the_artifact_does_not_come_are_named() -> None:
    hard = workload(name="hard", containers=[container(image=f"{IMAGE}:1")])
    inside = workload(name="part", containers=[container(image="proxy/${image}")])
    initial = workload(name="first", containers=[container(image="a")])
    initial["spec"]["template"]["spec"]["initContainers"] = [container("i")]
    text = written(workload(), hard, inside, initial)
    assert hard_coded(text) == ["Deployment/hard"]


def changed(**fields: Any) -> dict[str, Any]:
    return {**workload(), **fields}


def metadata(**fields: Any) -> dict[str, Any]:
    return changed(metadata={"name": "web", **fields})


def pod(**fields: Any) -> dict[str, Any]:
    return workload(pod=fields)


def secret(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, **fields}


REFUSED: list[tuple[str, str]] = [
    ("a: [", "is not YAML"),
    ("when: 2026-02-30", "is not YAML"),
    ("text", "every document must be an object with kind, apiVersion and metadata"),
    ("{kind: Deployment}", "every document must be an object"),
    ("", "there is no workload: Deployment, StatefulSet, DaemonSet"),
    (written(config_map()), "there is no workload"),
    (written(workload(), workload()), "Deployment/storefront is there twice"),
    (written(changed(kind="Pod")), "Pod cannot be applied; these can: ServiceAccount, Role"),
    (written(changed(kind=["Pod"])), "cannot be applied"),
    (written(changed(apiVersion="apps/v1beta1")), "a Deployment has the apiVersion apps/v1"),
    (written(metadata(namespace="other")), "Deployment/web: the infrastructure definition says"),
    (written(metadata(name="${NAME}")), "placeholders cannot stand in names"),
    (written(metadata(name="A")), "'A' is no name"),
    (written(metadata(name="a" * 254)), "is no name"),
    (written(metadata(name=5)), "5 is no name"),
    (written(workload(replicas="a ${COUNT|number}")), "must be the whole value"),
    (written(metadata(labels=["a"])), "labels must be an object with names and values"),
    (written(metadata(annotations={"on": True})), "annotations: on must be text: put quotes"),
    (written(metadata(annotations={"on": None})), "annotations: on must be text"),
    (written(changed(spec="a")), "spec must be an object"),
    (written(changed(spec={"selector": {}, "template": ["a"]})), "template must be an object"),
    (written(changed(spec=None)), "spec is missing, or empty"),
    (written(changed(spec={"selector": {}})), "template is missing"),
    (written(changed(spec={"selector": {}, "template": {"spec": {}}})), "metadata is missing"),
    (written(workload(replicas=[3])), "replicas must be a number"),
    (written(workload(containers=["a"])), "containers must be a list of objects"),
    (written(workload(containers=[{"image": "a"}])), "each container needs a name"),
    (written(workload(containers=[container(env={"A": "b"})])), "env must be a list of objects"),
    (written(workload(containers=[container(envFrom=["a"])])), "envFrom must be a list"),
    (written(pod(volumes={"a": "b"})), "volumes must be a list of objects"),
    (written(pod(volumes=[{"configMap": "a"}])), "configMap must be an object"),
    (written(pod(imagePullSecrets="a")), "imagePullSecrets must be a list"),
    (written(service() | {"spec": {"selector": "a"}}), "selector must be an object"),
    (written(workload(), config_map()) + "\n---\n5: 6", "the name 5 must be text"),
    (written(workload(annotations={"at": yaml.safe_load("2026-01-01")})), "put quotes around it"),
    ("metadata: {a: .nan}", "the value nan is neither text nor number"),
    ("&a {metadata: {a: *a}}", "is too large, or refers to itself"),
    (written(secret(data={"a": "YQ=="})), "Secret/login: say where the worker finds each secret"),
    (written(secret(stringData={"a": "hunter2"})), "never the secret itself"),
    (written(secret(stringData={"a": "x ${env:A}"})), "never the secret itself"),
    (written(secret(stringData={"a": "${A}"})), "never the secret itself"),
    (written(secret(stringData={"a": "${file:relative}"})), "never the secret itself"),
    (written(secret(stringData=["a"])), "stringData must be an object"),
]


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
def test_what_cannot_work_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        checked(text)
    assert "hunter2" not in str(caught.value)


def test_a_few_lines_of_aliases_are_not_unfolded_without_end() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ValueError, match="is too large"):
        checked("\n".join(lines))


PLACES = [
    ("metadata",), ("metadata", "labels"), ("metadata", "annotations"), ("spec",), ("kind",),
    ("spec", "replicas"), ("spec", "selector"), ("spec", "template"),
    ("spec", "selector", "matchLabels"), ("spec", "template", "metadata"),
    ("spec", "template", "metadata", "labels"), ("spec", "template", "spec"),
    ("spec", "template", "spec", "containers"), ("spec", "template", "spec", "volumes"),
    ("spec", "template", "spec", "initContainers"),
    ("spec", "template", "spec", "imagePullSecrets"), ("spec", "updateStrategy"),
]  # fmt: skip


@settings(deadline=None, max_examples=500 if IS_NIGHTLY else 60)
@given(st.sampled_from(PLACES), VALUES)
def test_whatever_stands_in_a_workload_is_read_or_refused_with_a_sentence(
    place: tuple[str, ...], value: object
) -> None:
    found = workload(pod={"volumes": [{"name": "v", "secret": {"secretName": "s"}}]})
    holder: Any = found
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = value
    text = yaml.safe_dump(found, allow_unicode=True)
    try:
        checked(text)
    except ValueError:
        return
    hard_coded(text)
    try:
        (brought,) = objects_of(spec(text, instances=[f"{found['kind']}/storefront"]))
    except PlatformError:
        return  # a placeholder that is not known
    colored(brought, "blue")
    previews.of_rollout(
        spec(text),
        {"objects": {"Deployment/storefront": brought}, "scaled_by": {}, "versioned": []},
    )
