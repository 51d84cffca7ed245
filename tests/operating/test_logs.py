"""What a line of the log says, and what it never says."""

import json
import logging
import sys
import threading

import pytest
from django.test import Client

from dashboard import logs
from dashboard.redaction import redacted
from rollbacks import tasks
from tests.scene import Scene

KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nAAAA\n-----END OPENSSH PRIVATE KEY-----"
)


def record(message: str, *args: object, failed: bool = False) -> logging.LogRecord:
    return logging.LogRecord(
        "shop", logging.INFO, __file__, 1, message, args, sys.exc_info() if failed else None
    )


def read(text: str) -> dict[str, object]:
    """A line of the JSON format; it is one line."""
    assert "\n" not in text
    found: dict[str, object] = json.loads(text)
    return found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lgk_0a1b2c3d4e5f_" + "5" * 64, "lgk_0a1b2c3d4e5f_[redacted]"),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization: [redacted]"),
        ("{'authorization': 'Basic dXNlcjpwYXNz', 'a': 1}", None),
        ('{"x-api-key": "s3cret-value"}', '{"x-api-key": "[redacted]"}'),
        ("headers [(b'x-api-key', b's3cret-value')]", None),
        ("sent bearer abcdefgh1234 to it", "sent bearer [redacted] to it"),
        ("postgresql://lastgood:p@ss:word@db:5432/x", "postgresql://lastgood:[redacted]@db:5432/x"),
        ("redis://:hunter2@cache/0 refused", "redis://:[redacted]@cache/0 refused"),
        ("connect failed: password=hunter2 host=db", "connect failed: password=[redacted] host=db"),
        (f"key: {KEY} end", "key: [redacted] end"),
        (f"{KEY[:60]}", "[redacted]"),
        (repr(KEY), "'[redacted]'"),
    ],
)
def test_a_secret_is_not_in_a_line(text: str, shown: str | None) -> None:
    found = redacted(text)
    if shown is not None:
        assert found == shown
    for secret in ("s3cret", "hunter2", "ss:word", "dXNlcj", "b3Blbn", "5555", "ijkl", "h1234"):
        assert secret not in found


@pytest.mark.parametrize(
    "text",
    [
        "Deployment 7: claimed with epoch 2.",
        "https://lastgood.example/services/3/ answered 200 at 12:30",
        "web-1 at /srv/shop/releases/7-1.4.2: the basic check passed",
        "deploy@web-1:22 did not answer",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_a_line_is_as_it_was_where_it_is_about_nothing() -> None:
    assert logs.Line().format(record("Hello %s.", "you")).endswith(" INFO shop: Hello you.")


def test_a_line_names_what_it_is_about() -> None:
    with logs.about(execution=7):
        assert " INFO shop [execution=7]: Hello." in logs.Line().format(record("Hello."))
    assert "execution" not in logs.Line().format(record("Hello."))


def test_a_json_line_holds_everything_and_stays_one_line() -> None:
    with logs.about(request="abcd1234", actor=3):
        line = read(logs.Json().format(record("two\nlines of %s", "password=hunter2")))
    assert str(line.pop("time")).endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "shop",
        "message": "two\nlines of password=[redacted]",
        "request": "abcd1234",
        "actor": 3,
    }


@pytest.mark.parametrize("formatter", [logs.Line(), logs.Json()])
def test_a_traceback_tells_no_secret(formatter: logging.Formatter) -> None:
    try:
        raise ValueError("no such host: redis://:hunter2@cache/0")
    except ValueError:
        text = formatter.format(record("It failed.", failed=True))
    assert "ValueError" in text
    assert "hunter2" not in text


@pytest.mark.parametrize("given", ["abcd-1234.ef:5", "A" * 64])
def test_a_sane_request_id_is_kept(given: str) -> None:
    answer = Client().get("/sign-in/", headers={"X-Request-ID": given})
    assert answer["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "short", "with space 1", "<script>alert</script>", "A" * 65])
def test_another_request_id_is_replaced(given: str) -> None:
    answer = Client().get("/sign-in/", headers={"X-Request-ID": given})
    assert answer["X-Request-ID"] != given
    assert len(answer["X-Request-ID"]) == 32


def test_what_a_request_logs_says_which_and_whose(
    shop: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Kept()
    handler.setFormatter(logs.Json())
    monkeypatch.setattr(logging.getLogger("django.request"), "handlers", [handler])
    client = Client()
    client.force_login(shop.engineer)

    client.get("/services/987654321/", headers={"X-Request-ID": "from-the-proxy"})

    [line] = [read(each) for each in lines]
    assert (line["request"], line["actor"]) == ("from-the-proxy", shop.engineer.pk)


def test_both_threads_of_an_execution_say_which_it_is(
    shop: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, said = shop.start("1.4.1"), {}

    def beat(pulse: object) -> None:
        said[threading.current_thread().name] = logs.Line().format(record("beat"))

    monkeypatch.setattr("rollbacks.pulse.Pulse._beat", beat)
    tasks.execute(deployment.pk)
    assert f"[execution={deployment.pk}]" in said["pulse"]
