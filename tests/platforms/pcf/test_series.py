from dataclasses import replace

import pytest

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.pcf import CloudFoundry, series
from tests.platforms.pcf.described import target


def test_a_series_is_one_service_on_one_infrastructure() -> None:
    one = target()
    other = replace(one, infrastructure="west")
    assert series.label_of(one) != series.label_of(other)
    assert len(series.label_of(one)) <= 63  # what a label has room for


def test_apps_are_named_after_the_service_and_numbered() -> None:
    assert series.name_of(series.key_of(target()), 7) == "Shop__web_shop__production__7"
    assert series.key_of(target(app_name="shop-{environment}")) == "shop-production"


def test_names_and_annotations_have_their_limits() -> None:
    with pytest.raises(PlatformError, match="longer than 255"):
        series.name_of("n" * 254, 1)
    with pytest.raises(PlatformError, match="The routes takes 5001 characters"):
        series.require_short("The routes", "x" * 5_001)


def test_a_phase_selects_nothing() -> None:
    assert CloudFoundry().select(target(), {}) == ("Shop__web_shop__production",)
    with pytest.raises(PlatformError, match="select nothing"):
        CloudFoundry().select(target(), {"apps": ["x"]})
