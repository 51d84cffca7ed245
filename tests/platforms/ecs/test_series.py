import pytest

from rollbacks.platforms import numbering
from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ecs import Ecs, series
from tests.platforms.ecs.described import target


def test_services_are_named_after_the_service_and_numbered() -> None:
    assert series.name_of(series.key_of(target()), 7) == "Shop__web_shop__production__7"
    assert numbering.number_in("Shop__web", "Shop__web__12") == 12
    assert numbering.number_in("Shop__web", "Shop__web__other__12") is None
    assert numbering.number_in("Shop__web", "Shop__web__x") is None


def test_a_name_that_ecs_does_not_take_is_refused() -> None:
    with pytest.raises(PlatformError, match="longer than 255"):
        series.name_of("n" * 254, 1)
    with pytest.raises(PlatformError, match="only letters, digits"):
        series.key_of(target(service_name="shop.{environment}"))


def test_instances_are_services_in_place_or_one_series() -> None:
    assert Ecs().select(target(), {}) == ("web_shop",)
    two = target(services=["{service}", "worker"])
    assert Ecs().select(two, {}) == ("web_shop", "worker")
    assert Ecs().select(two, {"services": ["worker"]}) == ("worker",)
    assert Ecs().select(target(base_service="base"), {}) == ("Shop__web_shop__production",)


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"services": ["other"]}, "no service other"),
        ({"hosts": ["a"]}, "not by hosts"),
        ({"services": "worker"}, "a list of names"),
    ],
)
def test_what_cannot_be_selected(selection: dict[str, object], said: str) -> None:
    with pytest.raises(PlatformError, match=said):
        Ecs().select(target(), selection)


def test_without_a_base_service_there_is_no_series() -> None:
    with pytest.raises(PlatformError, match="names no base_service"):
        series.base_of(target())
