"""How a line of the log looks, and what it is about: the execution, the request, who asked.

Secrets are taken out of the finished line, because a traceback tells what the message does not.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from dashboard.redaction import redacted

_NOTHING: Mapping[str, str | int] = {}
_subject: ContextVar[Mapping[str, str | int]] = ContextVar("subject", default=_NOTHING)


@contextmanager
def about(**subject: str | int) -> Iterator[None]:
    """Everything logged inside carries these: execution, request, actor."""
    token = _subject.set({**_subject.get(), **subject})
    try:
        yield
    finally:
        _subject.reset(token)


def add(**subject: str | int) -> None:
    """Add to what the enclosing `about` says; it ends with that."""
    _subject.set({**_subject.get(), **subject})


def subject_of(record: logging.LogRecord) -> Mapping[str, str | int]:
    """What it is about. Django tells of a refused request when its middleware is done with it."""
    return _subject.get() or getattr(getattr(record, "request", None), "log_subject", _NOTHING)


def current() -> Mapping[str, str | int]:
    """What would be said of a line that is logged here."""
    return _subject.get()


class Line(logging.Formatter):
    """For people: one line, or more where there is a traceback."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}{about}: {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        told = " ".join(f"{name}={value}" for name, value in subject_of(record).items())
        record.about = f" [{told}]" if told else ""
        return redacted(super().format(record))


class Json(logging.Formatter):
    """For programs: one JSON object a line, always."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, str | int] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
            **subject_of(record),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line)
