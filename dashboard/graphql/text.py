"""Refuses text that no database keeps: NUL, and half of a surrogate pair."""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLResolveInfo
from strawberry.extensions import SchemaExtension

from accounts.api import BadUserInput


class Text(SchemaExtension):
    """Looks at what each field is given, however it was written."""

    def resolve(
        self,
        _next: Callable[..., Any],
        root: Any,
        info: GraphQLResolveInfo[Any],
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if not _can_be_kept(kwargs):
            raise BadUserInput(
                "A text has the character NUL or half of a surrogate pair. Send it without."
            )
        return _next(root, info, *args, **kwargs)


def _can_be_kept(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_can_be_kept, value.values()))
    if isinstance(value, list):
        return all(map(_can_be_kept, value))
    return not (
        isinstance(value, str)
        and any(each == "\0" or "\ud800" <= each <= "\udfff" for each in value)
    )
