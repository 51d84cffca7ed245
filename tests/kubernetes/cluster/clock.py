"""Time as the API spells it: UTC, whole seconds, or microseconds for events and leases."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    return datetime.now(UTC)


def spelled(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def spelled_finely(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stamp() -> str:
    """The present second."""
    return spelled(now())


def read(text: str) -> datetime:
    return datetime.fromisoformat(text)


def seconds_since(text: str) -> float:
    return (now() - read(text)) / timedelta(seconds=1)
