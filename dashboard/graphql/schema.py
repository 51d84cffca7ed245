"""One schema of all the modules that settings.GRAPHQL_SCHEMAS names.

They are named by string, so that nothing here imports the apps above.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any

import strawberry
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from dashboard.graphql import guard
from dashboard.graphql.limits import Limits
from dashboard.graphql.scalars import DATE_TIME
from dashboard.graphql.text import Text


class Schema(strawberry.Schema):
    """Knows what its fields declare."""

    @cached_property
    def declarations(self) -> guard.Declarations:
        return guard.declarations(self._schema)

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Nothing: a refusal is no error of the server; `errors` logs what is."""


def merged(names: Iterable[str]) -> Schema:
    """The schema of the API itself and of these modules; each has `Query`, and may have more.

    `Mutation` is its mutations, `types` a tuple of types that no field names.
    """
    modules = [import_module("dashboard.graphql.root"), *map(import_module, names)]
    return Schema(
        query=_root("Query", modules),
        mutation=_root("Mutation", modules) if _those_with("Mutation", modules) else None,
        types=[each for module in modules for each in getattr(module, "types", ())],
        extensions=[Limits, Text, guard.Guard],
        config=StrawberryConfig(scalar_map={datetime: DATE_TIME}),
    )


def undeclared(schema: Schema) -> list[str]:
    """The fields that do not say what they need, and are therefore refused."""
    return sorted(".".join(where) for where, need in schema.declarations.items() if need is None)


def _those_with(name: str, modules: Iterable[ModuleType]) -> tuple[Any, ...]:
    return tuple(getattr(module, name) for module in modules if hasattr(module, name))


def _root(name: str, modules: Sequence[ModuleType]) -> type:
    types = _those_with(name, modules)
    fields = Counter(
        field.python_name for each in types for field in each.__strawberry_definition__.fields
    )
    if twice := sorted(field for field, times in fields.items() if times > 1):
        raise ImproperlyConfigured(f"Two schema modules define {name}.{', '.join(twice)}.")
    return merge_types(name, types)


SCHEMA = merged(settings.GRAPHQL_SCHEMAS)
