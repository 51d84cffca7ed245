"""acceptance.md, by number."""

import threading

from .conftest import Open
from .foundation import Error, unprocessable
from .shop import SMALL, step
from .test_every_type import CASES, DOWNSIZED, succeeded
from .wire import Wire

FOUR = {**SMALL, "instances": 4}


def test_A41_all_phases_go_back_at_once(open_shop: Open) -> None:
    shop = open_shop(workflow_type="CANARY", rollback_all_phases_at_once=True)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    rollback = succeeded(shop.scene.roll_back(bad))
    assert [each.name for each in rollback.phases.all()] == ["Rollback all phases"]
    assert shop.everything() == before


def test_A55_the_old_app_has_its_routes_and_count_and_the_new_one_is_gone(
    open_shop: Open, wire: Wire
) -> None:
    shop = open_shop(**DOWNSIZED, manifest={**SMALL, "instances": 3})
    succeeded(shop.deploy("1.4.1"))
    before, old = shop.everything(), shop.guid("1")
    assert shop.served() == ["1"]
    bad = succeeded(shop.deploy("1.4.2"))
    assert (shop.served(), shop.served(shop.test_host)) == (["2"], ["1"])
    assert shop.counts() == {"1": 0, "2": 3}
    running: list[int] = []

    def look(what: str) -> None:
        if "/destinations" in what:
            seen = shop.foundation.instances(old)
            running.append(sum(n for (state, _), n in seen.items() if state == "RUNNING"))

    wire.before = look
    succeeded(shop.scene.roll_back(bad))
    assert set(running) == {3}, "routes moved before the old app ran"
    assert shop.served() == ["1"]
    assert shop.guid("1") == old
    assert shop.counts() == {"1": 3}
    assert shop.everything() == before


def test_A56_a_canary_of_four_goes_forward_by_quarters_and_all_the_way_back(
    open_shop: Open, wire: Wire
) -> None:
    shop = open_shop(workflow_type="CANARY", manifest=FOUR)
    succeeded(shop.deploy("1.4.1"))
    assert shop.counts() == {"1": 4}
    before = shop.everything()
    states: list[tuple[int, int]] = []

    def look(what: str) -> None:
        if what.endswith("/actions/scale") and set(shop.counts()) == {"1", "2"}:
            now = shop.counts()
            states.append((now["2"], now["1"]))

    wire.after = look
    bad = succeeded(shop.deploy("1.4.2"))
    settled = [each for each in states if sum(each) == 4]
    assert settled == [(1, 3), (2, 2), (4, 0)]
    states.clear()
    succeeded(shop.scene.roll_back(bad))
    assert states[-1] == (0, 4)
    assert min(sum(each) for each in states) >= 4
    assert shop.counts() == {"1": 4}
    assert shop.everything() == before


def test_a_swap_and_its_rollback_fail_no_request(open_shop: Open) -> None:
    shop = open_shop(**CASES["BLUE_GREEN downsized"])
    succeeded(shop.deploy("1.4.1"))
    answers: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            answers.append(shop.foundation.ask(shop.host).status)
            over.wait(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        bad = succeeded(shop.deploy("1.4.2"))
        succeeded(shop.scene.roll_back(bad))
    finally:
        over.set()
        watcher.join()
    assert set(answers) == {200}
    assert len(answers) > 50


def test_a_lower_number_later_changes_nothing(open_shop: Open) -> None:
    shop = open_shop(
        workflow_type="CANARY",
        phases=[
            {"name": "One", "steps": [step("pcf.setup"), step("pcf.resize", instances="50%")]},
            {"name": "Two", "steps": [step("pcf.resize", "Again", instances="10%")]},
        ],
        manifest=FOUR,
    )
    succeeded(shop.deploy("1.4.1"))
    assert shop.counts() == {"1": 2}


def test_two_apps_that_had_instances_have_them_again(open_shop: Open) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    succeeded(shop.deploy("1.4.2"))
    shop.scale("1", 1)
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.3"))
    assert shop.counts() == {"1": 0, "2": 0, "3": 2}
    succeeded(shop.scene.roll_back(bad))
    assert shop.counts() == {"1": 1, "2": 2}
    assert shop.everything() == before


def test_as_many_versions_are_kept_as_is_said_and_the_predecessor_always(open_shop: Open) -> None:
    shop = open_shop(settings={"keep": 1})
    for number in range(4):
        bad = succeeded(shop.deploy(f"1.4.{number}"))
    assert shop.counts() == {"2": 0, "3": 0, "4": 2}
    succeeded(shop.scene.roll_back(bad))
    assert shop.counts() == {"2": 0, "3": 2}


def test_the_new_app_is_kept_where_that_is_said(open_shop: Open) -> None:
    shop = open_shop(settings={"after_rollback": "KEEP"})
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    succeeded(shop.scene.roll_back(bad))
    assert shop.counts() == {"1": 2, "2": 0}
    assert shop.served() == ["1"]
    assert shop.everything() == before


def test_the_predecessor_is_known_by_its_guid(open_shop: Open) -> None:
    shop = open_shop(**DOWNSIZED)
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    old, new = shop.guid("1"), shop.guid("2")
    ask = shop.somebody.ask
    ask("PATCH", f"/v3/apps/{old}", {"name": "renamed"})
    ask("PATCH", f"/v3/apps/{new}", {"name": f"{shop.key}__1"})  # as if it were the old one
    succeeded(shop.scene.roll_back(bad))
    (name, app) = next(iter(shop.everything()["apps"].items()))
    assert (name, app["guid"]) == ("renamed", old)
    assert shop.served() == ["renamed"]


def test_a_first_deployment_that_fails_leaves_nothing(open_shop: Open) -> None:
    shop = open_shop()
    before = shop.foundation.everything(shop.place)
    shop.foundation.fail("POST */actions/start", Error(unprocessable("There is no droplet.")))
    bad = shop.deploy("1.4.1")
    assert bad.code == "ROLLED_BACK", bad.message
    assert shop.foundation.everything(shop.place) == before
