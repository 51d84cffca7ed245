"""Who is let in at /graphql, and how answers and refusals look."""

import json
import logging
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from accounts.models import ApiKey, AuditEvent, User
from accounts.vocabulary import Verb
from dashboard.graphql.schema import SCHEMA, Schema, merged, undeclared
from tests.graphql import sample
from tests.graphql.conftest import URL, As, Caller

NAME = "{ viewerName }"


def code_of(answer: Any) -> str:
    (error,) = answer.json()["errors"]
    assert error["message"].endswith(".")
    return str(error["extensions"]["code"])


# Who is let in


def test_a_person_who_is_signed_in_is_answered(viewer: Caller) -> None:
    answer = viewer.post(NAME)
    assert answer.status_code == 200
    assert answer.json() == {"data": {"viewerName": "viewer"}}
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]


def test_a_program_with_a_key_is_answered_without_a_csrf_token(program: Caller) -> None:
    assert program.ask(NAME)["data"]["viewerName"].startswith("key:")


def test_a_wrong_key_is_answered_401_in_json(program: Caller) -> None:
    program.headers["x-api-key"] += "0"
    answer = program.post(NAME)
    assert answer.status_code == 401
    assert code_of(answer) == "UNAUTHENTICATED"


def test_a_revoked_key_lets_nobody_in(program: Caller) -> None:
    ApiKey.objects.update(revoked_at="2020-01-01T00:00Z")
    assert program.post(NAME).status_code == 401


@pytest.mark.parametrize("enforce", [True, False])
@pytest.mark.parametrize("method", ["get", "post", "put", "options"])
def test_a_stranger_gets_401_in_json_and_is_never_sent_elsewhere(
    method: str, enforce: bool
) -> None:
    client = Client(enforce_csrf_checks=enforce)
    answer = getattr(client, method)(URL, headers={"accept": "text/html"})
    assert answer.status_code == 401
    assert code_of(answer) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "query", ["{ __schema { types { name } } }", "{ viewerNam }", "{ not graphql", ""]
)
def test_a_stranger_learns_nothing_of_the_schema(query: str) -> None:
    answer = Caller(Client(), {}).post(query)
    assert answer.status_code == 401
    assert code_of(answer) == "UNAUTHENTICATED"
    assert "viewer" not in answer.content.decode()


def test_someone_deactivated_is_a_stranger(viewer: Caller) -> None:
    User.objects.update(is_active=False)
    assert viewer.post(NAME).status_code == 401


def test_a_session_without_the_csrf_token_is_refused_in_json(people: dict[str, User]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["viewer"])
    answer = Caller(client, {}).post(NAME)
    assert answer.status_code == 403
    assert code_of(answer) == "CSRF"


def test_a_session_with_the_csrf_token_is_answered(people: dict[str, User]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["viewer"])
    client.get(URL, headers={"accept": "text/html"})
    token = client.cookies["csrftoken"].value
    assert Caller(client, {"X-CSRFToken": token}).ask(NAME) == {"data": {"viewerName": "viewer"}}


def test_elsewhere_a_missing_csrf_token_is_still_answered_with_a_page() -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {})
    assert answer.status_code == 403
    assert answer["Content-Type"].startswith("text/html")


# What can be sent


def test_variables_and_the_operation_name_are_used(viewer: Caller) -> None:
    query = "query A { viewerName } query B($name: String!) { person(name: $name) { name } }"
    answer = viewer.post(query, {"name": "Grace"}, operationName="B")
    assert answer.json() == {"data": {"person": {"name": "Grace"}}}


def test_a_bare_value_stands_for_a_list(viewer: Caller) -> None:
    assert viewer.ask("{ greet(greeting: {times: 2}) }")["data"]["greet"] == "hihi"
    query = "query ($g: GreetingInput!) { greet(greeting: $g) }"
    assert viewer.ask(query, {"g": {"times": 1, "color": "RED"}})["data"]["greet"] == "hi"


def test_times_are_milliseconds_since_1970(viewer: Caller) -> None:
    assert viewer.ask("{ later(at: 1763879000123) }")["data"]["later"] == (
        "2025-11-23T06:23:20.123000+00:00"
    )
    at = viewer.ask("{ askedAt }")["data"]["askedAt"]
    assert at > 1_763_879_000_123


@pytest.mark.parametrize("at", ['"2025"', "true", "1.5", "999999999999999999999"])
def test_other_times_are_refused(viewer: Caller, at: str) -> None:
    error = viewer.refused(f"{{ later(at: {at}) }}")
    assert "milliseconds since 1970" in error["message"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (" ", "not JSON"),
        ("{", "not JSON"),
        ("\ud83d", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("null", "not an object"),
        ('[{"query": "{ viewerName }"}]', "batches are not answered"),
        ("{}", "no query"),
        ('{"query": 3}', "no query"),
        ('{"query": "  "}', "no query"),
        ('{"query": "{ viewerName }", "variables": []}', "variables is an object"),
        ('{"query": "{ viewerName }", "operationName": {}}', "operationName a text"),
        ('{"query": "{ viewerName }", "operationName": "Other"}', "nothing to run"),
        ('{"query": "fragment A on Query { viewerName }"}', "nothing to run"),
        ('{"query": "subscription { viewerName }"}', "nothing to run"),
    ],
)
def test_what_cannot_be_read_is_answered_400(viewer: Caller, body: str, says: str) -> None:
    content = body.encode("utf-8", "surrogatepass")
    answer = viewer.client.post(URL, content, content_type="application/json")
    assert answer.status_code == 400
    assert code_of(answer) == "BAD_USER_INPUT"
    assert says in answer.json()["errors"][0]["message"]


def test_a_query_with_an_error_of_syntax_is_answered_400(viewer: Caller) -> None:
    answer = viewer.post("{ viewerName ")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
    assert error["locations"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_only_json_is_read(viewer: Caller, content_type: str) -> None:
    body = json.dumps({"query": NAME})
    if content_type.startswith("multipart"):
        answer = viewer.client.post(URL, {"query": NAME})
    else:
        answer = viewer.client.post(URL, body, content_type=content_type)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "head", "trace"])
def test_other_methods_are_not_allowed(viewer: Caller, method: str) -> None:
    answer = getattr(viewer.client, method)(URL)
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, POST"


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
def test_queries_in_the_address_are_refused(viewer: Caller, accept: str) -> None:
    answer = viewer.client.get(URL, {"query": NAME}, headers={"accept": accept})
    assert answer.status_code == 405
    assert "by POST" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud83d"])
def test_text_that_no_database_keeps_is_refused(viewer: Caller, text: str) -> None:
    query = "query ($name: String!) { person(name: $name) { name } }"
    body = json.dumps({"query": query, "variables": {"name": text}})
    answer = viewer.client.post(URL, body, content_type="application/json")
    assert code_of(answer) == "BAD_USER_INPUT"
    assert "errors" not in viewer.ask(query, {"name": "Zoë 😀"})


# How refusals look


@pytest.mark.parametrize(
    ("how", "code", "message"),
    [
        ("denied", "FORBIDDEN", "You need Rollback Workflow. Ask an administrator."),
        ("missing", "NOT_FOUND", "There is no such deployment. Check its id."),
        ("404", "NOT_FOUND", "There is no such thing that you may see. Check its id."),
        ("conflict", "CONFLICT", "It is being rolled back already."),
        ("invalid", "BAD_USER_INPUT", "Names have at most 80 characters."),
    ],
)
def test_a_refusal_is_answered_200_with_its_sentence_and_code(
    viewer: Caller, caplog: pytest.LogCaptureFixture, how: str, code: str, message: str
) -> None:
    answer = viewer.ask("query ($how: String!) { x: fail(how: $how) }", {"how": how})
    (error,) = answer["errors"]
    assert answer["data"] == {"x": None}
    assert error["message"] == message
    assert error["path"] == ["x"]
    assert error["locations"]
    assert error["extensions"]["code"] == code
    assert "Traceback" not in caplog.text


def test_a_refusal_may_say_more_in_its_extensions(viewer: Caller) -> None:
    error = viewer.refused('{ fail(how: "conflict") }')
    assert error["extensions"] == {"code": "CONFLICT", "deployment": 7}


@pytest.mark.parametrize("query", ['{ fail(how: "bug") }', '{ fail(how: "status") }', "{ color }"])
def test_what_went_wrong_inside_is_logged_and_never_told(
    viewer: Caller, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    answer = viewer.post(query)
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["extensions"] == {"code": "INTERNAL"}
    assert answer.json()["errors"][0]["message"].startswith("Something went wrong")
    assert sample.SECRET not in answer.content.decode()
    assert "Traceback" in caplog.text
    assert sample.SECRET in caplog.text


def test_even_a_failure_of_the_door_itself_is_answered_in_json(
    viewer: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dashboard.graphql.calls.admit", lambda *_: 1 / 0)
    answer = viewer.post(NAME)
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["extensions"] == {"code": "INTERNAL"}
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "query", ["{ viewerNam }", "{ person }", "{ person(name: 3) { name } }", "mutation { nothing }"]
)
def test_what_does_not_fit_the_schema_is_refused_before_anything_runs(
    viewer: Caller, query: str
) -> None:
    answer = viewer.ask(query)
    assert {each["extensions"]["code"] for each in answer["errors"]} == {
        "GRAPHQL_VALIDATION_FAILED"
    }
    assert answer["data"] is None


@pytest.mark.parametrize(
    "variables",
    [
        {"greeting": {"times": ["x"]}},
        {"greeting": None},
        {},
        {"greeting": {"times": 1, "color": "BLUE"}},
    ],
)
def test_variables_that_do_not_fit_are_bad_input(viewer: Caller, variables: Any) -> None:
    error = viewer.refused(
        "query ($greeting: GreetingInput!) { greet(greeting: $greeting) }", variables
    )
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "$greeting" in error["message"]


def test_a_time_that_does_not_fit_in_a_variable_is_bad_input(viewer: Caller) -> None:
    error = viewer.refused("query ($at: DateTime!) { later(at: $at) }", {"at": "noon"})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "milliseconds since 1970" in error["message"]


def test_null_for_an_argument_that_must_not_be_null_is_bad_input(viewer: Caller) -> None:
    query = 'query ($name: String = "x") { person(name: $name) { name } }'
    assert viewer.refused(query, {"name": None})["extensions"]["code"] == "BAD_USER_INPUT"


# What fields need


def test_a_mutation_that_is_denied_has_done_nothing(viewer: Caller) -> None:
    error = viewer.refused('mutation { createKey(name: "mine") }')
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "Manage API Keys" in error["message"]
    assert sample.done == []


def test_a_mutation_is_done_by_who_holds_the_permission(caller: As) -> None:
    answer = caller("keeper").ask('mutation { createKey(name: "mine") }')
    assert answer == {"data": {"createKey": "mine"}}
    assert sample.done == ["mine"]


def test_a_permission_lost_in_a_mutation_is_gone_for_the_next(
    caller: As, people: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Done(list[str]):
        def append(self, name: str) -> None:
            super().append(name)
            people["keeper"].groups.clear()

    monkeypatch.setattr(sample, "done", Done())
    answer = caller("keeper").ask('mutation { a: createKey(name: "a") b: createKey(name: "b") }')
    assert sample.done == ["a"]
    assert answer["errors"][0]["path"] == ["b"]


def test_a_denied_call_is_recorded_once_however_many_rows_ask(viewer: Caller) -> None:
    answer = viewer.ask("{ people { name trail } }")
    assert answer["data"] is None
    (event,) = AuditEvent.objects.filter(verb=Verb.REFUSED)
    assert event.message.startswith("Person.trail: You need View Audit Trail")
    assert event.actor_name == "viewer"


def test_a_permission_is_asked_once_however_many_rows_need_it(
    caller: As, django_assert_max_num_queries: Any
) -> None:
    auditor = caller("auditor")
    auditor.ask(NAME)
    with django_assert_max_num_queries(12):
        answer = auditor.ask("{ people { name trail } }")
    assert len(answer["data"]["people"]) == 3


@pytest.mark.parametrize("query", ["{ undeclared }", "{ person { forgotten } }", "{ unsaid }"])
def test_a_field_that_does_not_say_what_it_needs_is_closed(
    viewer: Caller, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    error = viewer.refused(query)
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "declares no need" in caplog.text
    assert sample.done == []


def test_fields_that_say_nothing_are_listed(schema: Schema) -> None:
    assert undeclared(schema) == ["Person.forgotten", "Query.undeclared", "Query.unsaid"]


def test_every_field_of_the_api_says_what_it_needs() -> None:
    assert undeclared(SCHEMA) == []


# How modules become one schema


def test_a_module_that_does_not_exist_stops_the_start() -> None:
    with pytest.raises(ModuleNotFoundError):
        merged(["tests.graphql.nowhere"])


def test_two_modules_may_not_define_the_same_field() -> None:
    with pytest.raises(ImproperlyConfigured, match="viewer_name"):
        merged(["tests.graphql.sample", "tests.graphql.sample"])


def test_types_that_no_field_names_are_part_of_the_schema(schema: Schema) -> None:
    assert "type OnlyNamedInTypes" in schema.as_str()
    assert '"""Who is asking."""\n  viewerName: String!' in schema.as_str()


def test_the_api_tells_its_limits(viewer: Caller) -> None:
    query = "{ apiLimits { callsPerMinute depth aliases tokens bodyBytes } }"
    assert viewer.ask(query)["data"]["apiLimits"] == {
        "callsPerMinute": 30,
        "depth": 10,
        "aliases": 15,
        "tokens": 1000,
        "bodyBytes": 262144,
    }


def test_refusals_are_not_logged_as_errors(
    viewer: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        viewer.refused('mutation { createKey(name: "mine") }')
        viewer.refused("{ viewerNam }")
    assert "strawberry" not in {each.name.partition(".")[0] for each in caplog.records}
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]
