import pytest

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ecs.definitions import registration, repository_of, tag_of, taking
from tests.platforms.ecs.described import definition

WEB = "registry.example:5000/shop/web"


@pytest.mark.parametrize(
    ("image", "repository", "tag"),
    [
        (f"{WEB}:1.4", WEB, "1.4"),
        (WEB, WEB, ""),
        (f"{WEB}@sha256:ab", WEB, "sha256:ab"),
        (f"{WEB}:1.4@sha256:ab", WEB, "1.4"),
        ("nginx:1", "nginx", "1"),
        ("nginx", "nginx", ""),
    ],
)
def test_an_image_is_a_repository_and_a_tag(image: str, repository: str, tag: str) -> None:
    assert (repository_of(image), tag_of(image)) == (repository, tag)


def test_the_containers_of_the_same_repository_get_the_image() -> None:
    found = definition({"web": f"{WEB}:1", "worker": f"{WEB}:1", "proxy": "envoy:1"})
    assert taking(found, f"{WEB}:2", []) == ["web", "worker"]
    assert taking(found, f"{WEB}:2", ["proxy"]) == ["proxy"]


def test_the_only_container_gets_any_image() -> None:
    assert taking(definition({"web": "nginx"}), f"{WEB}:2", []) == ["web"]


def test_what_nobody_can_tell_is_asked_for() -> None:
    found = definition({"web": "nginx", "proxy": "envoy"})
    with pytest.raises(PlatformError, match="name those that get the image"):
        taking(found, f"{WEB}:2", [])
    with pytest.raises(PlatformError, match="has no container other; it has web, proxy"):
        taking(found, f"{WEB}:2", ["other"])


def test_a_revision_is_the_same_but_for_image_and_tags() -> None:
    found = definition({"web": f"{WEB}:1", "proxy": "envoy:1"}, cpu="256")
    made = registration(found, f"{WEB}:2", ["web"], {"lastgood:release": "9-2"})
    assert [each["image"] for each in made["containerDefinitions"]] == [f"{WEB}:2", "envoy:1"]
    assert made["containerDefinitions"][0]["environment"] == [{"name": "KEY", "value": "hidden"}]
    assert set(made) == {"family", "containerDefinitions", "cpu", "tags"}
    assert made["tags"] == [
        {"key": "team", "value": "shop"},
        {"key": "lastgood:release", "value": "9-2"},
    ]
    assert found.images["web"] == f"{WEB}:1"


def test_what_a_definition_holds_is_not_shown() -> None:
    assert "hidden" not in repr(definition({"web": WEB}))
