import re
from dataclasses import replace

import pytest

from rollbacks.platforms import numbering
from rollbacks.platforms.ami import series
from rollbacks.platforms.ami.sizes import Sizes
from rollbacks.platforms.aws import lineage
from rollbacks.platforms.base import PlatformError
from tests.platforms.ami.described import target

TAKEN = re.compile(r"[\w .:/=+\-@]*\Z")  # what a tag's value may consist of


def test_a_series_is_one_service_on_one_infrastructure() -> None:
    one = target()
    assert lineage.series_of(one) == "Shop/web shop/production/east"
    assert lineage.series_of(replace(one, infrastructure="west")) != lineage.series_of(one)


def test_long_names_still_tell_series_apart() -> None:
    long = replace(target(), application="a" * 80, service="s" * 80, environment="e" * 80)
    first, second = (
        lineage.series_of(replace(long, infrastructure="i" * 79 + end)) for end in "12"
    )
    assert first != second
    assert len(first) == len(second) == 256


def test_groups_are_named_after_the_service_and_numbered() -> None:
    assert series.name_of(series.key_of(target()), 7) == "Shop__web_shop__production__7"
    assert series.key_of(target(group_name="shop-{environment}")) == "shop-production"


def test_a_name_that_is_too_long_for_aws_is_refused() -> None:
    with pytest.raises(PlatformError, match="longer than 255"):
        series.name_of("n" * 254, 1)


def test_tags_say_what_an_upgrade_needs_and_no_more_than_aws_takes() -> None:
    tags = series.tags_of("S", "12-1.4.2", 4, Sizes(1, 4, 2), {3: 2, 2: 3})
    assert tags[lineage.VERSION] == "1.4.2"
    assert lineage.before_of(tags) == {3: 2, 2: 3}
    assert all(TAKEN.match(value) for value in tags.values())


def test_what_a_tag_has_no_room_for_are_the_oldest() -> None:
    many = dict.fromkeys(range(1, 100), 10)
    tags = series.tags_of("S", "1-1", 100, Sizes(0, 1, 1), many)
    assert len(tags[lineage.BEFORE]) <= 256
    found = lineage.before_of(tags)
    assert 30 < len(found) < 99
    assert min(found) == 100 - len(found)


@pytest.mark.parametrize("text", ["", "x", "3=", "=2", "3=x 4"])
def test_a_tag_that_somebody_has_changed_says_nothing(text: str) -> None:
    assert lineage.before_of({lineage.BEFORE: text}) == {}
    assert lineage.number_of({lineage.NUMBER: text}) == 0


def test_numbers_go_on_from_the_highest_there_is() -> None:
    assert numbering.next_number([]) == 1
    assert numbering.next_number([9, 10, 3]) == 11


def test_of_the_groups_without_instances_the_three_newest_stay() -> None:
    assert numbering.superfluous([1, 2, 3]) == []
    assert numbering.superfluous([5, 1, 2, 9, 3]) == [2, 1]


def test_a_launch_template_version_is_known_by_release_and_series() -> None:
    assert series.mark("1-1", "a") != series.mark("1-1", "b")
    assert lineage.token("1-1", "a") == lineage.token("1-1", "a")
    assert len(lineage.token("1-1", "a")) <= 128
    assert len(series.mark("1-" + "v" * 300, "a")) <= 255
