from rollbacks.platforms.base import ArtifactRef, StepSpec
from rollbacks.platforms.ecs import previews
from tests.platforms.ecs.described import ARN, target


def spec(**settings: object) -> StepSpec:
    artifact = ArtifactRef("2", "registry.example/web:2", "", "DOCKER_IMAGE")
    return StepSpec("step", "ecs.rollout", settings, {}, artifact, ("web",), "9-2")


def test_a_rollout_in_words() -> None:
    (forwards,) = previews.of_rollout(spec(), None)
    assert (forwards.what, forwards.after) == ("image", "registry.example/web:2")
    was = {"definition": f"{ARN}:task-definition/web:7", "count": 3}
    back = previews.of_rollout(spec(), {"services": {"web": was}})
    assert [(each.what, each.after) for each in back] == [
        ("task definition", "web:7"),
        ("tasks", "3"),
    ]


def test_a_series_in_words() -> None:
    state = {"count": 4, "definition": "", "color": "", "scaling": None}
    captured = {"services": {"shop__1": state}, "name": "shop__2"}
    back = previews.of_release(target(base_service="base"), spec(), captured)
    assert [(each.what, each.after) for each in back] == [
        ("tasks of shop__1", "4"),
        ("tasks of shop__2", "0"),
    ]
    records = {"Lastgood-Blue": {"Weight": 100}, "Lastgood-Green": {"Weight": 0}}
    weights = previews.of_weights(
        target(base_service="base"), spec(weight=50), {"services": {}, "records": records}
    )
    assert [each.after for each in weights] == ["Lastgood-Blue 100, Lastgood-Green 0"]
