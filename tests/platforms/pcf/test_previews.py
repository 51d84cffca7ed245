from rollbacks.platforms.pcf import previews
from rollbacks.platforms.pcf.destinations import Destination, Route, kept
from tests.platforms.pcf.described import spec, state, target

KEY = "Shop__web_shop__production"
CAPTURED = {
    "apps": {"g1": state(f"{KEY}__1", 3).as_json},
    "routes": kept([Route("r", "shop.example.com", (Destination("g1"), Destination("x")))]),
    "name": f"{KEY}__2",
}


def test_an_undo_tells_counts_routes_and_what_becomes_of_the_new_app() -> None:
    found = [(each.what, each.after) for each in previews.of_setup(target(), spec(), CAPTURED)]
    assert found == [
        (f"instances of {KEY}__1", "3"),
        ("route shop.example.com", f"{KEY}__1, another app"),
        (f"{KEY}__2", "deleted"),
    ]
    keeping = spec(after_rollback="KEEP")
    assert previews.of_setup(target(), keeping, CAPTURED)[-1].after == "without instances"


def test_what_goes_forward_tells_the_version() -> None:
    (change,) = previews.of_setup(target(), spec(), None)
    assert (change.instance, change.what, change.after) == (KEY, "droplet", "1.4.2")
