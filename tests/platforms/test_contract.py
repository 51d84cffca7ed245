"""What holds for every platform alike: what it promises, and what it does when nobody answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from django.conf import settings
from pydantic import ValidationError

from dashboard.models import DeploymentType
from rollbacks import definition
from rollbacks.eligibility import SUPPORTED
from rollbacks.platforms import ANYWHERE, PLATFORMS
from rollbacks.platforms.aws import access
from rollbacks.platforms.base import (
    ArtifactRef,
    Observation,
    Platform,
    PlatformError,
    Secret,
    Step,
    StepSpec,
    TargetRef,
)
from tests.certificates import Authority
from tests.platforms.ssh.control import RecordingControl
from tests.ports import LOOPBACK, free_port

AWS_KEYS = "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = canary-7d1\n"
BEARER = "canary-7d1"
SECRET_WORDS = ("password", "secret", "token", "private_key", "access_key")
HOST = {"name": "web-1", "address": LOOPBACK}
WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: storefront}
spec:
  selector: {matchLabels: {app: storefront}}
  template:
    metadata: {labels: {app: storefront}}
    spec: {containers: [{name: storefront, image: "${image}"}]}
"""
COLORS = """
apiVersion: v1
kind: Service
metadata: {name: storefront, annotations: {lastgood.io/primary-service: "true"}}
spec: {selector: {app: storefront}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: storefront-stage, annotations: {lastgood.io/stage-service: "true"}}
spec: {selector: {app: storefront}, ports: [{port: 80}]}
---
"""


@dataclass(frozen=True)
class Silent:
    """A place where nobody listens, as people would write it."""

    connector: Mapping[str, Any]
    infrastructure: Mapping[str, Any]
    credential: str


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, Silent]]:
    authority = tmp_path / "authority.pem"
    authority.write_text(Authority().pem)
    known_hosts = tmp_path / "known_hosts"
    known_hosts.touch()
    port = free_port()
    nobody = f"https://{LOOPBACK}:{port}"
    aws = {"region": "eu-central-1", "endpoint": f"http://{LOOPBACK}:{port}"}
    monkeypatch.setattr(access, "READ_ATTEMPTS", 1)
    yield {
        "AMI": Silent(aws, {"base_group": "storefront"}, AWS_KEYS),
        "ECS": Silent(aws, {"cluster": "shop", "launch_type": "FARGATE"}, AWS_KEYS),
        "KUBERNETES": Silent(
            {"server": nobody, "certificate_authority": str(authority)},
            {"namespace": "shop"},
            BEARER,
        ),
        "PCF": Silent(
            {"api": nobody, "certificate_authority": str(authority)},
            {"organization": "shop", "space": "production"},
            f"username: deployer\npassword: {BEARER}\n",
        ),
        "SSH": Silent(
            {"user": "deployer", "known_hosts": str(known_hosts), "port": port},
            {"directory": "/srv/shop", "hosts": [HOST]},
            asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode(),
        ),
        "WINRM": Silent(
            {"user": "deployer", "ca_certificates": str(authority), "port": port},
            {"site": "Shop", "hosts": [HOST]},
            BEARER,
        ),
    }
    access.forget()


def target_at(platform: Platform, place: Silent) -> TargetRef:
    return TargetRef(
        application="Shop",
        service="storefront",
        environment="production",
        infrastructure="east",
        connector=platform.connector_model.model_validate(place.connector).model_dump(),
        settings=platform.infrastructure_model.model_validate(place.infrastructure).model_dump(),
        credential=Secret(place.credential),
    )


def parsed(platform: Platform, workflow_type: str) -> definition.WorkflowDefinition:
    """What a workflow is that says no more than it must."""
    document: dict[str, Any] = {}
    if platform.name == "KUBERNETES":
        colors = COLORS if workflow_type == "BLUE_GREEN" else ""
        document = {"settings": {"manifests": colors + WORKLOAD}}
    return definition.parse(document, platform.name, workflow_type)


def first_step(platform: Platform, target: TargetRef) -> tuple[Step, StepSpec]:
    """Of a Basic workflow."""
    kinds = {**ANYWHERE, **platform.steps}
    step = parsed(platform, "BASIC").completed(kinds).phases[0].steps[0]
    kind = kinds[step.kind]
    spec = StepSpec(
        name=step.name,
        kind=step.kind,
        settings=kind.settings_model.model_validate(step.settings).model_dump(),
        variables={},
        artifact=ArtifactRef("1.4.2", "registry.example/shop/storefront:1.4.2", "", "DOCKER"),
        instances=platform.select(target, {}),
        release="12-1.4.2",
    )
    return kind, spec


def is_shown(credential: Secret | None, text: str) -> bool:
    """Whether any word of it, but for those that are no secret, stands in the text."""
    assert credential is not None
    return any(len(word) > 9 and word in text for word in credential.value.split())


every_platform = pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)


def test_every_platform_of_the_catalogue_is_there() -> None:
    assert set(PLATFORMS) == set(DeploymentType.values)


@every_platform
def test_it_deploys_whatever_may_be_rolled_back(platform: Platform) -> None:
    assert platform.deploys >= SUPPORTED[platform.name]


@every_platform
def test_a_workflow_that_says_nothing_has_phases_each_step_of_which_is_undone(
    platform: Platform,
) -> None:
    for workflow_type in platform.deploys:
        for phase in parsed(platform, workflow_type).phases:
            undone = [each.undo for each in phase.undo_steps]  # type: ignore[union-attr]
            assert undone == [each.name for each in reversed(phase.steps)]


def test_no_kind_of_step_has_two_meanings() -> None:
    every = [kind for platform in PLATFORMS.values() for kind in platform.steps]
    assert len({*every, *ANYWHERE}) == len(every) + len(ANYWHERE)


@every_platform
def test_a_step_is_called_by_its_kind_and_by_words(platform: Platform) -> None:
    for kind, step in platform.steps.items():
        assert (step.kind, bool(step.label.strip())) == (kind, True)


@every_platform
def test_a_slip_of_the_pen_is_refused_everywhere(platform: Platform) -> None:
    models = [platform.connector_model, platform.infrastructure_model]
    for model in models + [step.settings_model for step in platform.steps.values()]:
        with pytest.raises(ValidationError) as refused:
            model.model_validate({"time_out": 3})
        assert "extra_forbidden" in {each["type"] for each in refused.value.errors()}, model


@every_platform
def test_no_setting_is_a_place_for_a_secret(platform: Platform) -> None:
    models = [platform.connector_model, platform.infrastructure_model]
    for model in models + [step.settings_model for step in platform.steps.values()]:
        for name in model.model_fields:
            assert not any(word in name for word in SECRET_WORDS), f"{model.__name__}.{name}"


@every_platform
def test_the_dialog_can_say_what_comes_back_and_what_does_not(platform: Platform) -> None:
    for sentence in (*platform.reverts, *platform.leaves):
        assert sentence[0].isupper()
        assert not sentence.endswith(".")
    assert platform.reverts
    assert platform.leaves


@every_platform
def test_its_steps_are_documented_and_it_has_a_page_that_the_readme_names(
    platform: Platform,
) -> None:
    page = f"docs/platforms/{platform.name.lower()}.md"
    assert page in (settings.BASE_DIR / "README.md").read_text()
    for text in (page, "docs/catalogue.md"):
        words = (settings.BASE_DIR / text).read_text()
        assert [kind for kind in platform.steps if f"`{kind}`" not in words] == [], text


@every_platform
def test_what_it_selects_is_the_same_each_time_and_asks_nobody(
    platform: Platform, silent: Mapping[str, Silent]
) -> None:
    target = target_at(platform, silent[platform.name])
    found = platform.select(target, {})
    assert found
    assert found == platform.select(replace(target, credential=None), {})
    with pytest.raises(PlatformError, match=r"select|take"):
        platform.select(target, {"moon": "full"})


@every_platform
def test_where_nobody_answers_nothing_is_taken_for_gone(
    platform: Platform, silent: Mapping[str, Silent]
) -> None:
    target = target_at(platform, silent[platform.name])
    try:
        seen = platform.observe(target)
    except PlatformError as fault:
        told = [str(fault)]
    else:
        assert isinstance(seen, Observation)
        assert [each.key for each in seen.instances] == list(platform.select(target, {}))
        assert {each.identity for each in seen.instances} == {None}
        told = [each.message for each in seen.instances]
    assert all(told)
    assert not is_shown(target.credential, " ".join(told))


@every_platform
def test_where_nobody_answers_nothing_is_captured_and_nothing_is_called_ready(
    platform: Platform, silent: Mapping[str, Silent]
) -> None:
    target = target_at(platform, silent[platform.name])
    kind, spec = first_step(platform, target)
    control = RecordingControl()
    with pytest.raises(PlatformError) as fault:
        kind.capture(target, spec, control)
    assert not is_shown(target.credential, str(fault.value))
    try:
        found = kind.inspect(target, spec, None)
    except PlatformError as unreachable:
        told = str(unreachable)
    else:
        assert found.problems
        told = " ".join(found.problems)
    assert told
    assert not is_shown(target.credential, told)
