"""acceptance.md, by number."""

from tests.aws.waiting import until
from tests.aws.wire import Wire
from tests.ecs.conftest import Open
from tests.ecs.shop import step
from tests.ecs.test_every_type import BY_DNS, DOWNSIZED, REPLICA, succeeded


def test_A41_all_phases_go_back_at_once(open_shop: Open) -> None:
    shop = open_shop(workflow_type="CANARY", rollback_all_phases_at_once=True)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    rollback = succeeded(shop.scene.roll_back(bad))
    assert [each.name for each in rollback.phases.all()] == ["Rollback all phases"]
    assert shop.everything() == before


def test_A48_four_old_tasks_are_back_and_scale_again_though_the_new_ones_had_scaled(
    open_shop: Open,
) -> None:
    shop = open_shop(**REPLICA, settings={"desired": 4})
    succeeded(shop.deploy("1.4.1"))
    shop.scale("1", 2, 8)
    scaling = shop.scaling("1")
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.counts() == {"1": 0, "2": 4}
    assert shop.cloud.demand(shop.cluster, f"{shop.key}__1", 6) == 0
    assert shop.cloud.demand(shop.cluster, f"{shop.key}__2", 7) == 7
    shop.settle()
    succeeded(shop.scene.roll_back(bad))
    assert shop.counts() == {"1": 4, "2": 0}
    assert shop.images("1") == ["1.4.1"] * 4
    assert shop.images("2") == []
    assert shop.scaling("1") == scaling
    assert shop.scaling("2") is None
    assert shop.cloud.demand(shop.cluster, f"{shop.key}__1", 6) == 6


def test_A49_a_lower_number_later_changes_nothing(open_shop: Open) -> None:
    shop = open_shop(
        workflow_type="CANARY",
        phases=[
            {"name": "One", "steps": [step("ecs.setup"), step("ecs.upgrade", instances="25%")]},
            {"name": "Two", "steps": [step("ecs.upgrade", "Again", instances="10%")]},
        ],
        settings={"desired": 4},
    )
    succeeded(shop.deploy("1.4.1"))
    assert shop.counts() == {"1": 1}


def test_A50_old_tasks_are_healthy_before_production_changes(open_shop: Open, wire: Wire) -> None:
    shop = open_shop(**DOWNSIZED)
    succeeded(shop.deploy("1.4.1"))
    first = shop.listeners()
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.listeners() == first[::-1]
    assert shop.counts() == {"1": 0, "2": 2}
    assert shop.colors() == {"1": "GREEN", "2": "BLUE"}
    seen: list[int] = []

    def look(operation: str) -> None:
        if operation == "modify_listener":
            seen.append(shop.healthy(first[0]))

    wire.before = look
    succeeded(shop.scene.roll_back(bad))
    assert seen == [2, 2]
    assert shop.listeners() == first
    assert shop.counts() == {"1": 2, "2": 0}
    assert shop.colors() == {"1": "BLUE", "2": "GREEN"}


def test_A51_the_weights_are_those_from_before(open_shop: Open) -> None:
    shop = open_shop(**BY_DNS)
    succeeded(shop.deploy("1.4.1"))
    before = shop.records()
    assert before == {"Lastgood-Blue": 100, "Lastgood-Green": 0}
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.records() == {"Lastgood-Blue": 0, "Lastgood-Green": 100}
    succeeded(shop.scene.roll_back(bad))
    assert shop.records() == before
    assert shop.counts() == {"1": 2, "2": 0}


def test_two_services_that_had_tasks_have_them_again(open_shop: Open) -> None:
    shop = open_shop(**REPLICA, settings={"desired": 3})
    succeeded(shop.deploy("1.4.1"))
    succeeded(shop.deploy("1.4.2"))
    shop.update("1", desiredCount=2)
    shop.settle()
    bad = succeeded(shop.deploy("1.4.3"))
    assert shop.counts() == {"1": 0, "2": 0, "3": 3}
    succeeded(shop.scene.roll_back(bad))
    assert shop.counts() == {"1": 2, "2": 3, "3": 0}


def test_three_services_without_tasks_are_kept(open_shop: Open) -> None:
    shop = open_shop(**REPLICA, settings={"desired": 1}, balanced=False)
    for number in range(6):
        succeeded(shop.deploy(f"1.4.{number}"))
    until(lambda: set(shop.counts()) == {"2", "3", "4", "5", "6"})
    succeeded(shop.deploy("1.4.9"))
    until(lambda: set(shop.counts()) == {"3", "4", "5", "6", "7"})
