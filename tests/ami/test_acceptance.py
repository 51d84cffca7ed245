"""acceptance.md, by number."""

from tests.ami.conftest import Open
from tests.ami.shop import step
from tests.ami.test_every_type import INCREMENTAL, succeeded


def test_A41_all_phases_go_back_at_once(open_shop: Open) -> None:
    shop = open_shop(workflow_type="CANARY", rollback_all_phases_at_once=True)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    rollback = succeeded(shop.scene.roll_back(bad))
    assert [each.name for each in rollback.phases.all()] == ["Rollback all phases"]
    assert shop.everything() == before


def test_A52_the_old_group_is_back_with_new_instances_and_the_base_group_as_ever(
    open_shop: Open,
) -> None:
    shop = open_shop()
    base = shop.base_group()
    succeeded(shop.deploy("1.4.1"))
    was, sizes = shop.instances("1"), shop.sizes()
    assert len(was) == 2
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.sizes()["1"][1] == 0
    succeeded(shop.scene.roll_back(bad))
    assert shop.sizes() == sizes
    assert len(shop.instances("1")) == 2
    assert not shop.instances("1") & was
    assert set(shop.groups()) == {"1"}
    assert shop.base_group() == base


def test_A53_two_groups_that_had_instances_have_them_again(open_shop: Open) -> None:
    shop = open_shop(sizes={"minimum": 0, "desired": 3, "maximum": 6})
    succeeded(shop.deploy("1.4.1"))
    succeeded(shop.deploy("1.4.2"))
    shop.resize("1", 2)
    shop.settle()
    before = shop.sizes()
    assert (before["1"][1], before["2"][1]) == (2, 3)
    bad = succeeded(shop.deploy("1.4.3"))
    assert [shop.sizes()[number][1] for number in ("1", "2", "3")] == [0, 0, 3]
    succeeded(shop.scene.roll_back(bad))
    assert shop.sizes() == before
    assert (len(shop.instances("1")), len(shop.instances("2"))) == (2, 3)


def test_A54_the_weights_are_the_pair_from_before(open_shop: Open) -> None:
    shop = open_shop(**INCREMENTAL)
    succeeded(shop.deploy("1.4.1"))
    before = shop.weights()
    assert sorted(before.values()) == [0, 100]
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.weights() == {arn: 100 - weight for arn, weight in before.items()}
    succeeded(shop.scene.roll_back(bad))
    assert shop.weights() == before


def test_a_lower_number_later_changes_nothing(open_shop: Open) -> None:
    phases = [
        {"name": "One", "steps": [step("ami.setup"), step("ami.upgrade", instances="50%")]},
        {"name": "Two", "steps": [step("ami.upgrade", "Again", instances="25%")]},
    ]
    shop = open_shop(
        workflow_type="CANARY",
        phases=phases,
        sizes={"minimum": 0, "desired": 4, "maximum": 6},
    )
    succeeded(shop.deploy("1.4.1"))
    assert shop.sizes()["1"][1] == 2
