"""A request as the server understands it, and what it may answer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from .access import User
from .problems import bad, invalid, unsupported
from .removal import Removing
from .resources import Place
from .validation import required
from .writing import Writing

Json = dict[str, Any]
_READ = ("application/json", "application/yaml")


@dataclass(frozen=True)
class Request:
    """What a client sent; `user` proved who they are."""

    method: str
    path: str
    query: Mapping[str, str]
    content_type: str
    body: bytes
    agent: str
    user: User

    @property
    def is_watch(self) -> bool:
        return self.query.get("watch") in ("true", "1", "")

    def content(self) -> Any:
        """The body; raises Refused for what is neither JSON nor YAML."""
        if self.content_type.startswith("application/vnd.kubernetes.protobuf"):
            raise unsupported(_READ)
        try:
            return json.loads(self.body)
        except ValueError:
            pass
        try:
            return yaml.load(self.body, yaml.CSafeLoader)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise bad(f"error decoding the body: {error}") from None

    def writing(self, subresource: str = "", *, is_patch: bool = False) -> Writing:
        """How this request writes."""
        return Writing(
            manager=self.query.get("fieldManager") or self.agent.split("/")[0][:128] or "unknown",
            subresource=subresource,
            dry_run=is_dry_run(self.query),
            force=self.query.get("force") in ("true", "1"),
            strictness=self.query.get("fieldValidation") or "Warn",
            is_patch=is_patch,
        )

    def removing(self) -> Removing:
        """How this request deletes; a body goes before the query."""
        options = (self.content() if self.body else None) or {}
        query = self.query
        grace = options.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
        if options.get("dryRun") not in (None, [], ["All"]):
            raise bad("invalid dryRun")
        return Removing(
            policy=options.get("propagationPolicy") or query.get("propagationPolicy", "Background"),
            preconditions=options.get("preconditions") or {},
            grace=None if grace is None else int(grace),
            dry_run=bool(options.get("dryRun")) or is_dry_run(query),
        )


@dataclass(frozen=True)
class Answer:
    """A whole answer, or events for as long as they come."""

    code: int
    body: Json | str
    headers: Mapping[str, str] = field(default_factory=dict)
    events: Iterator[Json | None] | None = None


def is_dry_run(query: Mapping[str, str]) -> bool:
    given = query.get("dryRun")
    if given not in (None, "All"):
        message = (
            f'Invalid value: ["{given}"]: Unsupported value: "{given}": supported values: "All"'
        )
        raise bad(f"dryRun: {message}")
    return given == "All"


def require_manager(request: Request, place: Place) -> None:
    """An apply says who applies."""
    if not request.query.get("fieldManager"):
        cause = required("fieldManager", "is required for apply patch")
        refused = invalid(place.resource, "", [cause])
        refused.status["message"] = (
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: '
            "is required for apply patch"
        )
        raise refused
