"""What the suite's own foundation does wrong on purpose, and what it remembers."""

import time

import httpx
import pytest

from .caller import Caller
from .foundation import (
    Asked,
    Delay,
    Drop,
    Error,
    FakeFoundation,
    Fate,
    Place,
    bad_gateway,
    broken,
    too_many,
    unavailable,
)


@pytest.fixture
def app(caller: Caller, place: Place) -> str:
    return caller.app(place, "shop")


def color(caller: Caller, app: str, value: str) -> httpx.Response:
    path = f"/v3/apps/{app}/environment_variables"
    return caller.send("PATCH", path, {"var": {"COLOR": value}})


def variables(caller: Caller, app: str) -> dict[str, str]:
    found: dict[str, str] = caller.ask("GET", f"/v3/apps/{app}/environment_variables")["var"]
    return found


@pytest.mark.parametrize("by_reset", [False, True])
@pytest.mark.parametrize("after_effect", [False, True])
def test_a_lost_answer_leaves_the_effect_behind(
    caller: Caller, app: str, after_effect: bool, by_reset: bool
) -> None:
    caller.foundation.fail("PATCH */environment_variables", Drop(after_effect, by_reset))
    with pytest.raises(httpx.TransportError):
        color(caller, app, "green")
    assert variables(caller, app) == ({"COLOR": "green"} if after_effect else {})
    assert color(caller, app, "blue").status_code == 200


def test_the_nth_change_fails_and_no_other(caller: Caller, app: str) -> None:
    caller.foundation.fail_change(2, Error(unavailable()))
    said = []
    for value in ("green", "red", "blue"):
        variables(caller, app)
        said.append(color(caller, app, value).status_code)
    assert said == [200, 503, 200]
    assert variables(caller, app) == {"COLOR": "blue"}


def test_too_many_requests_say_when_to_come_again(caller: Caller, app: str) -> None:
    caller.foundation.fail("GET /v3/apps/*", Error(too_many(retry_after=7)), times=2)
    answers = [caller.send("GET", f"/v3/apps/{app}") for _ in range(3)]
    assert [each.status_code for each in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert [each.headers["X-RateLimit-Remaining"] for each in answers] == ["0", "0", "19999"]
    assert answers[0].headers["Content-Type"].startswith("text/plain")  # as the real one
    first = answers[0].json()["errors"][0]
    assert first == {
        "code": 10013,
        "title": "CF-RateLimitExceeded",
        "detail": "Rate Limit Exceeded",
    }


def test_a_broken_one_says_500(caller: Caller, app: str) -> None:
    caller.foundation.fail("GET /v3/apps/*", Error(broken()))
    answer = caller.send("GET", f"/v3/apps/{app}")
    assert (answer.status_code, answer.json()["errors"][0]["title"]) == (500, "UnknownError")


def test_the_router_before_it_may_answer_without_a_document(caller: Caller, app: str) -> None:
    caller.foundation.fail("GET /v3/apps/*", Error(bad_gateway()))
    answer = caller.send("GET", f"/v3/apps/{app}")
    assert (answer.status_code, answer.text[:15]) == (502, "502 Bad Gateway")


def test_a_delay_delays(caller: Caller, app: str) -> None:
    caller.foundation.fail("GET /v3/apps/*", Delay(0.1))
    began = time.monotonic()
    assert caller.send("GET", f"/v3/apps/{app}").status_code == 200
    assert time.monotonic() - began >= 0.1


def test_tokens_may_be_refused_for_a_while(caller: Caller) -> None:
    caller.foundation.fail("POST /oauth/token", Error(unavailable()))
    assert caller.token({"grant_type": "password"}).status_code == 503
    caller.log_in()


def test_what_was_planned_can_be_called_off(
    foundation: FakeFoundation, caller: Caller, app: str
) -> None:
    foundation.fail("GET /v3/apps/*", Error(broken()), times=100)
    foundation.behave("shop:ill", Fate.NEVER_STARTS)
    foundation.heal()
    assert caller.send("GET", f"/v3/apps/{app}").status_code == 200
    caller.deploy(app, "shop:ill")
    caller.running(app, 1)


def test_bodies_may_come_in_chunks(caller: Caller, app: str) -> None:
    url = f"{caller.foundation.api}/v3/apps/{app}/environment_variables"
    chunks = iter([b'{"var": {"COL', b'OR": "green"}}'])
    sent = caller.http.patch(url, content=chunks)
    assert sent.json()["var"] == {"COLOR": "green"}


def test_requests_are_remembered_in_order(caller: Caller, app: str) -> None:
    asked = len(caller.foundation.requests)
    variables(caller, app)
    color(caller, app, "green")
    path = f"/v3/apps/{app}/environment_variables"
    change = Asked("PATCH", path, "", {"var": {"COLOR": "green"}})
    assert caller.foundation.requests[asked:] == [Asked("GET", path, ""), change]
    assert caller.foundation.changes[-1] == change
