from rollbacks.platforms.pcf.destinations import (
    Destination,
    Route,
    handed_over,
    kept,
    parsed,
    superfluous,
    unmet,
    with_app,
    without,
)


def test_the_new_app_takes_the_place_of_all_old_ones() -> None:
    now = [Destination("old", port=9090), Destination("older"), Destination("theirs")]
    assert handed_over(now, ["old", "older"], "new") == [Destination("new"), Destination("theirs")]


def test_weights_go_to_whoever_takes_the_place() -> None:
    now = [
        Destination("old", weight=60),
        Destination("older", weight=10),
        Destination("t", weight=30),
    ]
    found = handed_over(now, ["old", "older"], "new")
    assert [(each.app, each.weight) for each in found] == [("new", 70), ("t", 30)]


def test_somebody_elses_two_ports_stay_two() -> None:
    theirs = [Destination("theirs", port=8080), Destination("theirs", port=9090)]
    assert handed_over(theirs, ["old"], "new", "http2") == [
        Destination("new", protocol="http2"),
        *theirs,
    ]


def test_handing_over_twice_is_as_once() -> None:
    once = handed_over([Destination("old"), Destination("theirs")], ["old"], "new")
    assert handed_over(once, ["old"], "new") == once


def test_what_is_not_said_may_be_anything() -> None:
    now = [Destination("a", port=8080, protocol="http1", guid="1"), Destination("b", guid="2")]
    assert unmet([Destination("a")], now) == []
    assert superfluous([Destination("a")], now) == [Destination("b")]
    assert unmet([Destination("a", port=9090)], now) == [Destination("a", port=9090)]
    assert unmet([Destination("a", weight=10)], now) == [Destination("a", weight=10)]


def test_apps_come_once_and_go() -> None:
    assert with_app([Destination("a")], "a") == [Destination("a")]
    assert without(with_app([Destination("a")], "b"), ["a"]) == [Destination("b")]


def test_what_is_kept_is_read_again() -> None:
    route = Route("g", "shop.example.com", (Destination("a", "web", 8080, "http1", 40, "x"),))
    assert parsed({"routes": kept([route])}) == {"g": ("shop.example.com", route.destinations)}
    assert parsed({}) == {}
