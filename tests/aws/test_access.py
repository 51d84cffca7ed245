"""As whom we speak to AWS, and what is said where that cannot be."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rollbacks.platforms.aws import access
from rollbacks.platforms.aws.api import Api
from rollbacks.platforms.aws.settings import Connector
from rollbacks.platforms.base import PlatformError
from tests.aws.cloud import FakeCloud
from tests.aws.target import target_of, written


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The worker is nobody to AWS until a test makes it somebody."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    access.forget()


def caller(cloud: FakeCloud, credential: str | None, **connector: Any) -> str:
    arn = Api(target_of(cloud, credential, **connector)).caller
    return arn.partition(f":{cloud.account_id}:")[2]


def test_the_credential_has_the_keys(cloud: FakeCloud) -> None:
    account = cloud.account(["ecs:*"], name="given")
    assert caller(cloud, written(account)) == "user/given"


def test_without_one_the_worker_goes_as_itself(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = cloud.account(["ecs:*"], name="ambient")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, account[name])
    assert caller(cloud, None) == "user/ambient"


def test_a_profile_of_the_workers_own_files(cloud: FakeCloud, tmp_path: Path) -> None:
    text = written(cloud.account(["ecs:*"], name="profiled"))
    (tmp_path / "credentials").write_text(text.replace("default", "shop"))
    assert caller(cloud, None, profile="shop") == "user/profiled"
    with pytest.raises(PlatformError, match="The worker has no AWS profile shopp") as raised:
        caller(cloud, None, profile="shopp")
    assert raised.value.permanent


def test_a_role_is_assumed_with_the_external_id_of_the_credential(cloud: FakeCloud) -> None:
    role = cloud.role(["ecs:ListClusters"], external_id="42-lastgood", name="rollbacks")
    text = written(cloud.account(["sts:AssumeRole"]), external_id="42-lastgood")
    assert caller(cloud, text, role=role) == "assumed-role/rollbacks/lastgood"
    Api(target_of(cloud, text, role=role)).read("ecs", "list_clusters")


def test_the_external_id_may_stand_alone(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    role = cloud.role(["ecs:*"], external_id="43-lastgood", name="alone")
    account = cloud.account(["sts:AssumeRole"])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, account[name])
    found = caller(cloud, "[default]\nexternal_id = 43-lastgood\n", role=role)
    assert found == "assumed-role/alone/lastgood"


def test_a_role_that_does_not_let_us_in_is_named(cloud: FakeCloud) -> None:
    role = cloud.role(["ecs:*"], external_id="44-lastgood", name="closed")
    text = written(cloud.account(["sts:AssumeRole"]), external_id="wrong-one")
    with pytest.raises(PlatformError, match=rf"AWS refuses AssumeRole: .*{role}") as raised:
        caller(cloud, text, role=role)
    assert raised.value.permanent
    assert "wrong-one" not in str(raised.value)


def test_each_connector_is_asked_in_its_region(cloud: FakeCloud) -> None:
    text = written(cloud.account(["ecs:*"]))
    Api(target_of(cloud, text, region=cloud.region)).read("ecs", "list_clusters")
    with pytest.raises(PlatformError, match="the region us-west-2"):
        Api(target_of(cloud, text, region="us-west-2")).read("ecs", "list_clusters")


def test_a_session_that_was_ended_is_begun_anew_the_next_time(cloud: FakeCloud) -> None:
    role = cloud.role(["ecs:*"], name="renewed")
    api = Api(target_of(cloud, written(cloud.account(["sts:AssumeRole"])), role=role))
    api.read("ecs", "list_clusters")
    cloud.end_sessions()
    with pytest.raises(PlatformError, match="The session in the role has ended") as raised:
        api.read("ecs", "list_clusters")
    assert not raised.value.permanent
    api.read("ecs", "list_clusters")


def test_one_session_serves_all_clients_and_targets(cloud: FakeCloud) -> None:
    role = cloud.role(["ecs:*", "autoscaling:*"], name="shared")
    text = written(cloud.account(["sts:AssumeRole"], name="sharing"))
    before = len(cloud.requests)
    for _ in range(3):
        api = Api(target_of(cloud, text, role=role))
        api.read("ecs", "list_clusters")
        api.read("autoscaling", "describe_auto_scaling_groups")
    actions = [each.action for each in cloud.requests[before:]]
    assert actions.count("AssumeRole") == 1
    assert len(actions) == 7


@pytest.mark.parametrize(
    "text",
    [
        "AKIASECRET",
        "[default]\naws_access_key_id = AKIASECRET\n",
        "[default]\nregion = AKIASECRET\n",
        "aws_access_key_id = AKIASECRET\naws_secret_access_key = x",
        "[a]\nx=AKIASECRET\n[a]\n",
        "",
    ],
)
def test_what_is_no_credential_is_told_so_and_not_shown(cloud: FakeCloud, text: str) -> None:
    with pytest.raises(PlatformError) as raised:
        caller(cloud, text)
    assert raised.value.permanent
    assert "credential" in str(raised.value)
    assert "AKIASECRET" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_worker_that_is_nobody_is_told_what_to_do(cloud: FakeCloud) -> None:
    with pytest.raises(PlatformError, match="the worker finds none of its own") as raised:
        caller(cloud, None)
    assert raised.value.permanent


def test_secrets_are_in_no_repr(cloud: FakeCloud) -> None:
    account = cloud.account(["*"])
    target = target_of(cloud, written(account))
    secret = account["AWS_SECRET_ACCESS_KEY"]
    assert secret not in repr(target)
    assert secret not in repr(access._way(target))


def test_an_endpoint_that_is_away_says_so_and_passes() -> None:
    with FakeCloud() as gone:
        target = target_of(gone, written(gone.account(["*"])), connect_timeout=0.2)
    with pytest.raises(PlatformError, match="AWS gave no answer") as raised:
        Api(target).read("ecs", "list_clusters")
    assert not raised.value.permanent


@pytest.mark.parametrize(
    "wrong",
    [
        {"region": "Frankfurt"},
        {"region": "eu-central-1", "role": "rollbacks"},
        {"region": "eu-central-1", "endpoint": "localhost:5000"},
        {"region": "eu-central-1", "secret": "x"},
        {},
    ],
)
def test_a_connector_that_is_written_wrong(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Connector.model_validate(wrong)
