from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.pcf.filling import Filled
from rollbacks.platforms.pcf.force import is_in_force
from rollbacks.platforms.pcf.loads import LOG_RATE, MEMORY
from rollbacks.platforms.pcf.manifest import Manifest, is_hard_coded, megabytes
from rollbacks.platforms.pcf.settings import SetupSettings

WHOLE: dict[str, Any] = {
    "memory": "1G",
    "disk_quota": "512M",
    "instances": 4,
    "buildpacks": ["java_buildpack"],
    "stack": "cflinuxfs4",
    "command": "run ((mode))",
    "health-check-type": "http",
    "health-check-http-endpoint": "/ok",
    "env": {"MODE": "((mode))", "DEPTH": 3},
    "routes": ["shop.example.com", {"route": "((mode)).example.com", "protocol": "http2"}],
    "services": ["db", {"name": "queue", "parameters": {"lanes": [1, 2]}}],
    "processes": [{"type": "worker", "instances": 2, "memory": "256M"}],
    "sidecars": [{"name": "auth", "command": "auth", "process_types": ["web"], "memory": "32M"}],
    "features": {"ssh": False},
    "metadata": {"labels": {"team": "shop"}},
}


def filled(manifest: dict[str, Any], **variables: str) -> Filled:
    stored = SetupSettings.model_validate({"manifest": manifest}).model_dump(mode="json")
    return Filled(stored, variables)


def test_variables_are_put_in_everywhere() -> None:
    found = filled(WHOLE, mode="fast")
    assert found.routes == {"shop.example.com": None, "fast.example.com": "http2"}
    (app,) = yaml.safe_load(found.document("shop__1"))["applications"]
    assert app["env"] == {"MODE": "fast", "DEPTH": 3}
    assert app["processes"][0]["command"] == "run fast"


def test_what_is_applied_has_neither_instances_nor_routes() -> None:
    (app,) = yaml.safe_load(filled(WHOLE, mode="fast").document("shop__1"))["applications"]
    assert app["name"] == "shop__1"
    assert "routes" not in app
    assert {each["type"]: each["instances"] for each in app["processes"]} == {"web": 0, "worker": 0}
    assert app["services"][1]["parameters"] == {"lanes": [1, 2]}


def test_what_stands_beside_the_processes_is_of_web() -> None:
    manifest = {"memory": "1G", "processes": [{"type": "web", "command": "go"}]}
    (app,) = yaml.safe_load(filled(manifest).document("x"))["applications"]
    assert app["processes"] == [{"memory": "1G", "type": "web", "command": "go", "instances": 0}]


def test_counts_and_sizes_are_told_by_type() -> None:
    found = filled(WHOLE, mode="fast")
    assert found.counts == {"web": 4, "worker": 2}
    assert {kind: each[MEMORY] for kind, each in found.sizes.items()} == {
        "web": 1024,
        "worker": 256,
    }
    assert filled({}).counts == {}
    logging = {"log-rate-limit-per-second": "2K", "processes": [{"type": "web", "memory": "1M"}]}
    assert filled(logging).sizes == {"web": {MEMORY: 1, LOG_RATE: 2048}}


@pytest.mark.parametrize(
    ("text", "size"), [("512M", 512), ("1g", 1024), ("2048K", 2), ("1TB", 2**20), ("x", 0)]
)
def test_sizes(text: str, size: int) -> None:
    assert megabytes(text) == size


@pytest.mark.parametrize(("said", "size"), [(-1, -1), ("-1", -1), (0, 0), ("16KB", 2**14)])
def test_logs_may_have_no_limit(said: int | str, size: int) -> None:
    found = filled({"log-rate-limit-per-second": said})
    assert found.sizes == {"web": {LOG_RATE: size}}
    now = yaml.safe_load(found.document("x"))
    now["applications"][0]["processes"][0]["log-rate-limit-per-second"] = (
        size if size < 0 else "16K"
    )
    assert is_in_force(found.document("x"), yaml.safe_dump(now)) == (size != 0)


@pytest.mark.parametrize(
    "manifest",
    [
        {"name": "shop"},
        {"path": "target/shop.jar"},
        {"random-route": True},
        {"no-route": True},
        {"memory": "512"},
        {"memory": "much"},
        {"log-rate-limit-per-second": "-2"},
        {"routes": ["https://shop.example.com"]},
        {"processes": [{"type": "web"}, {"type": "web"}]},
        {"sidecars": [{"name": "auth"}]},
        {"health-check-type": "guess"},
        {"instances": -1},
    ],
)
def test_what_a_manifest_may_not_say(manifest: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate(manifest)


def test_a_variable_that_nobody_has_given_is_named() -> None:
    with pytest.raises(PlatformError, match=r"\(\(mode\)\) in the manifest is no variable"):
        filled(WHOLE)


def test_a_variable_that_makes_nonsense_is_told_without_its_value() -> None:
    with pytest.raises(PlatformError, match="memory: ") as told:
        filled({"memory": "((size))"}, size="s3cret")
    assert "s3cret" not in str(told.value)


def test_an_image_in_the_manifest_is_hard_coded() -> None:
    assert is_hard_coded({"manifest": {"docker": {"image": "x"}}})
    assert not is_hard_coded({"manifest": {"docker": None}})
    assert filled({"docker": {"image": "x:1"}}).image == "x:1"


def test_a_manifest_is_in_force_where_nothing_of_it_is_missing() -> None:
    wanted = filled(WHOLE, mode="fast").document("shop__1")
    now = yaml.safe_load(wanted)
    (app,) = now["applications"]
    app["processes"][0] |= {"memory": "1024M", "timeout": 60}
    app["env"] |= {"DEPTH": "3", "MORE": "x"}
    app["services"] = ["db", "queue", "other"]
    app["metadata"] = {"labels": {"x": "y"}}
    assert is_in_force(wanted, yaml.safe_dump(now))


@pytest.mark.parametrize(
    "change",
    [
        {"env": {"MODE": "slow", "DEPTH": 3}},
        {"env": {}},
        {"services": ["db"]},
        {"sidecars": []},
        {"stack": "cflinuxfs3"},
        {"buildpacks": ["go_buildpack"]},
        {"processes": [{"type": "web", "instances": 0}]},
    ],
)
def test_a_manifest_of_which_anything_is_missing_is_not_in_force(change: dict[str, Any]) -> None:
    wanted = filled(WHOLE, mode="fast").document("shop__1")
    now = yaml.safe_load(wanted)
    now["applications"][0] |= change
    assert not is_in_force(wanted, yaml.safe_dump(now))
