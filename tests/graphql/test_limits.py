"""How much one request may ask for, and how many requests a minute may bring."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone
from graphql import get_introspection_query
from pytest_django import Settings

from accounts.api import TooManyRequests
from accounts.models import User
from dashboard.graphql import calls
from dashboard.models import ApiCall
from tests.graphql import sample
from tests.graphql.conftest import URL, As, Caller
from tests.pages import factories

NAME = "{ viewerName }"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


# How deep


def nested(levels: int) -> str:
    """A query of that many fields on its path."""
    inner = "{ friend " * (levels - 2) + "{ name }" + " }" * (levels - 2)
    return f"{{ person {inner} }}"


def test_ten_fields_deep_is_answered_and_eleven_is_not(viewer: Caller) -> None:
    assert "errors" not in viewer.ask(nested(10))
    error = viewer.refused(nested(11))
    assert error["message"].startswith("The query is 11 fields deep; 10 are allowed.")
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_depth_is_counted_through_fragments(viewer: Caller) -> None:
    query = (
        "{ person { ...A } } fragment A on Person { friend { ... on Person { ...B } } }"
        f"fragment B on Person {{ {'friend { ' * 8} name {' }' * 8} }}"
    )
    assert "11 fields deep" in viewer.refused(query)["message"]


def test_the_depth_of_the_other_operations_counts_too(viewer: Caller) -> None:
    answer = viewer.post(f"query A {NAME} query B {nested(11)}", operationName="A")
    assert "11 fields deep" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "query",
    [
        "{ person { ...A } } fragment A on Person { friend { ...A } }",
        "{ person { ...A } } fragment A on Person { ...B } fragment B on Person { ...A }",
        "{ person { ...Nowhere } }",
    ],
)
def test_fragments_that_spread_themselves_or_are_missing_are_refused(
    viewer: Caller, query: str
) -> None:
    codes = {each["extensions"]["code"] for each in viewer.ask(query)["errors"]}
    assert codes == {"GRAPHQL_VALIDATION_FAILED"}


def test_fragments_spread_twice_each_do_not_keep_the_server_busy(viewer: Caller) -> None:
    fragments = [
        f"fragment F{n} on Person {{ friend {{ ...F{n + 1} }} x: friend {{ ...F{n + 1} }} }}"
        for n in range(40)
    ]
    query = "{ person { ...F0 } } fragment F40 on Person { name }" + "".join(fragments)
    began = time.monotonic()
    messages = [each["message"] for each in viewer.ask(query)["errors"]]
    assert time.monotonic() - began < 2
    assert "42 fields deep" in messages[0]
    assert f"{2**40 - 1} aliases" in messages[1]


def test_what_graphiql_asks_about_the_schema_is_answered(viewer: Caller) -> None:
    answer = viewer.ask(
        get_introspection_query(
            specified_by_url=True,
            directive_is_repeatable=True,
            schema_description=True,
            input_value_deprecation=True,
        )
    )
    assert answer["data"]["__schema"]["queryType"]["name"] == "Query"


# How many


def aliases(count: int, field: str = "viewerName") -> str:
    return " ".join(f"a{n}: {field}" for n in range(count))


def test_fifteen_aliases_are_answered_and_sixteen_are_not(viewer: Caller) -> None:
    assert len(viewer.ask(f"{{ {aliases(15)} }}")["data"]) == 15
    assert "16 aliases; 15 are allowed" in viewer.refused(f"{{ {aliases(16)} }}")["message"]


def test_aliases_are_counted_wherever_their_fragment_is_spread(viewer: Caller) -> None:
    fragment = f"fragment A on Person {{ {aliases(6, 'name')} }}"
    query = f"{{ person {{ ...A friend {{ ...A friend {{ ...A }} }} }} }} {fragment}"
    assert "18 aliases" in viewer.refused(query)["message"]


def test_a_mutation_with_too_many_aliases_has_done_nothing(caller: As) -> None:
    many = aliases(16, 'createKey(name: "x")')
    assert "16 aliases" in caller("keeper").refused(f"mutation {{ {many} }}")["message"]
    assert sample.done == []


def test_a_thousand_tokens_are_answered_and_more_are_not(viewer: Caller) -> None:
    query = "{ greet(greeting: {times: [%s]}) }"  # 13 tokens, and the list's
    assert "errors" not in viewer.ask(query % ("0 " * 987))
    answer = viewer.post(query % ("0 " * 988))
    assert answer.status_code == 400
    assert "more than 1000 tokens. Split it" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("opening", ["{a", "{f(x:[", "{f(x:{y:", "[", "{...{"])
def test_what_is_nested_without_end_is_refused(viewer: Caller, opening: str) -> None:
    answer = viewer.post(opening * 480)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


@pytest.mark.parametrize(
    ("opening", "closing"), [("friend { ", "} "), ("... { ", "} "), ("x: friend { ", "} ")]
)
def test_what_is_nested_as_deep_as_tokens_allow_is_refused(
    viewer: Caller, opening: str, closing: str
) -> None:
    levels = 990 // len((opening + closing).replace(":", " : ").split())
    query = f"{{ person {{ {opening * levels} name {closing * levels} }} }}"
    codes = {each["extensions"]["code"] for each in viewer.post(query).json().get("errors", ())}
    assert codes in ({"GRAPHQL_VALIDATION_FAILED"}, {"GRAPHQL_PARSE_FAILED"})


def test_a_list_nested_without_end_in_variables_is_refused(viewer: Caller) -> None:
    body = '{"query": "query ($g: GreetingInput!) { greet(greeting: $g) }", "variables": {"g": %s}}'
    value = "[" * 400 + "]" * 400
    answer = viewer.client.post(URL, body % value, content_type="application/json")
    assert answer.status_code in (200, 400)
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_a_body_of_256_kb_is_read_and_a_longer_one_is_not(viewer: Caller) -> None:
    content = json.dumps({"query": NAME, "variables": {"x": ""}})
    for excess, status in ((0, 200), (1, 413)):
        padded = content.replace('""', f'"{"x" * (262_144 - len(content) + excess)}"')
        answer = viewer.client.post(URL, padded, content_type="application/json")
        assert answer.status_code == status
    assert "more than 262144 bytes" in answer.json()["errors"][0]["message"]


# How often


def test_A38_the_31st_call_in_a_minute_is_refused_with_429(viewer: Caller) -> None:
    for _ in range(30):
        assert viewer.post(NAME).status_code == 200
    answer = viewer.post(NAME)
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    said = answer.json()
    assert said["code"] == "TOO_MANY_REQUESTS"
    assert said["status"] == "Error"
    assert "more than 30 calls in a minute" in said["message"]
    (error,) = said["errors"]
    assert error["message"] == said["message"]
    assert error["extensions"] == {
        "code": "TOO_MANY_REQUESTS",
        "retryAfter": int(answer["Retry-After"]),
    }


def test_a_refused_mutation_has_done_nothing(caller: As, settings: Settings) -> None:
    settings.API_CALLS_PER_MINUTE = 1
    keeper = caller("keeper")
    keeper.ask('mutation { createKey(name: "first") }')
    assert keeper.post('mutation { createKey(name: "second") }').status_code == 429
    assert sample.done == ["first"]


def test_everybody_has_calls_of_their_own(caller: As, program: Caller, settings: Settings) -> None:
    settings.API_CALLS_PER_MINUTE = 1
    for each in (caller("viewer"), caller("keeper"), program):
        assert [each.post(NAME).status_code for _ in range(2)] == [200, 429]


def test_a_person_has_the_same_calls_in_two_browsers(caller: As, settings: Settings) -> None:
    settings.API_CALLS_PER_MINUTE = 1
    assert [caller("viewer").post(NAME).status_code for _ in range(2)] == [200, 429]


def test_requests_that_cannot_be_read_count_and_the_page_of_graphiql_does_not(
    viewer: Caller, settings: Settings
) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    for _ in range(3):
        assert viewer.client.get(URL, headers={"accept": "text/html"}).status_code == 200
    statuses = [viewer.post(query).status_code for query in ("{", NAME, NAME)]
    assert statuses == [400, 200, 429]


@pytest.fixture
def admitted(people: dict[str, User], settings: Settings) -> Callable[[float], int]:
    """Call so many seconds after noon, two a minute allowed: 0, or the seconds to wait."""
    settings.API_CALLS_PER_MINUTE = 2

    def call(seconds: float) -> int:
        try:
            calls.admit(people["viewer"], NOON + timedelta(seconds=seconds))
        except TooManyRequests as error:
            return error.retry_after
        return 0

    return call


def test_the_minute_slides(admitted: Callable[[float], int]) -> None:
    assert [admitted(at) for at in (0, 30, 59.5)] == [0, 0, 1]
    assert [admitted(at) for at in (60, 60.1, 89, 90)] == [0, 30, 1, 0]


def test_refused_calls_do_not_lengthen_the_wait(admitted: Callable[[float], int]) -> None:
    assert [admitted(at) for at in (0, 1, 20, 40, 59, 60)] == [0, 0, 40, 20, 1, 0]


def test_calls_older_than_a_minute_are_deleted(
    admitted: Callable[[float], int], people: dict[str, User]
) -> None:
    calls.admit(people["keeper"], NOON)
    for at in (0, 1, 61, 62):
        admitted(at)
    assert ApiCall.objects.filter(user=people["viewer"]).count() == 2
    assert ApiCall.objects.filter(user=people["keeper"]).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_the_same_moment_no_more_than_allowed_are_let_in(
    settings: Settings,
) -> None:
    settings.API_CALLS_PER_MINUTE = 3
    person, now, start = factories.make_person("busy"), timezone.now(), Barrier(8)

    def call(_: int) -> bool:
        start.wait()
        try:
            calls.admit(person, now)
        except TooManyRequests:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(call, range(8))) == 3
