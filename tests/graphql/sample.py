"""A schema module for tests of the transport: every way a field can go wrong."""

from collections.abc import Iterator
from datetime import datetime
from enum import Enum

import strawberry
from django.core.exceptions import ValidationError
from django.http import Http404

from accounts import api, policy
from accounts.needs import ANYONE, MANAGE_API_KEYS, SIGNED_IN, VIEW_AUDITS, VISIBLE

SECRET = "hunter2 at /etc/lastgood"
done: list[str] = []


@strawberry.enum
class Color(Enum):
    RED = "RED"


@strawberry.type
class Person:
    name: str

    @api.field(VISIBLE)
    def friend(self) -> "Person":
        return Person(name=f"friend of {self.name}")

    @api.field(VIEW_AUDITS)
    def trail(self) -> str:
        return "everything"

    @strawberry.field
    def forgotten(self) -> str:
        return SECRET


@strawberry.type
class OnlyNamedInTypes:
    name: str


types = (OnlyNamedInTypes,)


@strawberry.input
class GreetingInput:
    times: list[int]
    color: Color = Color.RED


@strawberry.type
class Query:
    unsaid: str = SECRET

    @api.field(SIGNED_IN)
    def viewer_name(self, info: api.Info) -> str:
        """Who is asking."""
        return api.actor_of(info).username

    @api.field(VISIBLE)
    def person(self, name: str = "Ada") -> Person:
        return Person(name=name)

    @api.field(VISIBLE)
    def people(self) -> list[Person]:
        return [Person(name=name) for name in ("Ada", "Bob", "Cy")]

    @strawberry.field
    def undeclared(self) -> str:
        done.append("undeclared")
        return SECRET

    @api.field(ANYONE)
    def asked_at(self, info: api.Info) -> datetime:
        return api.now_of(info)

    @api.field(ANYONE)
    def later(self, at: datetime) -> str:
        return at.isoformat()

    @api.field(ANYONE)
    def greet(self, greeting: GreetingInput) -> str:
        return "hi" * sum(greeting.times)

    @api.field(ANYONE)
    def fail(self, how: str) -> str | None:
        for error in _errors(how):
            raise error
        return None

    @api.field(ANYONE)
    def color(self) -> Color:
        return SECRET  # type: ignore[return-value]


def _errors(how: str) -> Iterator[Exception]:
    known: dict[str, Exception] = {
        "denied": policy.Denied("You need Rollback Workflow. Ask an administrator."),
        "missing": api.NotFound("There is no such deployment. Check its id."),
        "404": Http404(SECRET),
        "conflict": api.Conflict("It is being rolled back already.", deployment=7),
        "invalid": ValidationError({"name": ["Names have at most 80 characters."]}),
        "bug": ZeroDivisionError(SECRET),
        "status": LookupError(SECRET),
    }
    yield known[how]


@strawberry.type
class Mutation:
    @api.mutation(MANAGE_API_KEYS)
    def create_key(self, name: str) -> str:
        done.append(name)
        return name
