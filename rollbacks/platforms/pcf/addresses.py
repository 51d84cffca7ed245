"""Routes as people write them: host, domain and path. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_ROUTE = re.compile(rf"(\*\.)?({_LABEL}\.)+{_LABEL}(/[^\s?#]+)?")


@dataclass(frozen=True)
class Address:
    """`host`: empty where the route is a whole domain; `path`: with its slash, or empty."""

    host: str
    domain: str
    path: str

    @property
    def text(self) -> str:
        return ".".join(filter(None, (self.host, self.domain))) + self.path


def checked(text: str) -> str:
    """ValueError for what is no HTTP route."""
    if not _ROUTE.fullmatch(text):
        raise ValueError(
            f"{text!r} is no route: write it like shop.example.com or shop.example.com/path, "
            "without a scheme or a port"
        )
    return text


def domains_of(text: str) -> list[str]:
    """Every domain that the route could be of, the most specific first."""
    parts = text.partition("/")[0].split(".")
    return [".".join(parts[skipped:]) for skipped in range(len(parts) - 1)]


def address_of(text: str, domains: Iterable[str]) -> Address | None:
    """The route on the most specific of these domains; None where it is on none of them."""
    known = set(domains)
    name, slash, path = text.partition("/")
    for domain in domains_of(text):
        if domain in known:
            host = name.removesuffix(domain).rstrip(".")
            return Address(host, domain, slash + path)
    return None
