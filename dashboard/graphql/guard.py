"""Asks for the account permission a field declares before its resolver runs.

A field that declares nothing is refused. What depends on an object (VISIBLE, ROLLBACK) is the
resolver's to ask: it loads through what the actor may see and acts through actions.
"""

import logging
from collections.abc import Callable
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema_converter import GraphQLCoreConverter

from accounts import audit, policy
from accounts.api import NEED, Context, Forbidden, NotFound
from accounts.needs import Need
from accounts.vocabulary import AccountPermission

log = logging.getLogger(__name__)
Declarations = dict[tuple[str, str], Need | None]


def declarations(schema: GraphQLSchema) -> Declarations:
    """What each field that runs code declares, by type and field; None where it declares nothing.

    A plain attribute shows what the resolver above it has returned, and needs no declaration;
    root fields always do.
    """
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    return {
        (name, field_name): field.metadata.get(NEED)
        for name, type_ in schema.type_map.items()
        if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType))
        for field_name, each in type_.fields.items()
        if (field := each.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF))
        and (type_ in roots or not field.is_basic_field)
    }


class Guard(SchemaExtension):
    """One per request; within one root field a permission is asked for once."""

    def __init__(self) -> None:
        self._denied: dict[AccountPermission, policy.Denied | None] = {}

    def resolve(
        self,
        _next: Callable[..., Any],
        root: Any,
        info: GraphQLResolveInfo[Context],
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if info.path.prev is None:
            # The mutation before may have taken the permission away.
            self._denied.clear()
        where = (info.parent_type.name, info.field_name)
        declared: Declarations = self.execution_context.schema.declarations  # type: ignore[attr-defined]
        if where in declared:
            self._require(declared[where], ".".join(where), info.context)
        try:
            return _next(root, info, *args, **kwargs)
        except NotFound as refusal:
            # Who asks to change what they may not see is refused too, and that is written down.
            if info.parent_type is self._mutations:
                audit.record_refusal(info.context.actor, info.field_name, None, refusal)
            raise

    @property
    def _mutations(self) -> GraphQLObjectType | None:
        return self.execution_context.schema._schema.mutation_type

    def _require(self, need: Need | None, where: str, context: Context) -> None:
        if need is None:
            log.error("%s is refused: it declares no need.", where)
            raise Forbidden(
                f"{where} is closed, because it does not say what it needs. "
                "Report this to whoever runs this site."
            )
        if need.account is not None:
            self._require_account(need.account, where, context)

    def _require_account(self, permission: AccountPermission, where: str, context: Context) -> None:
        if permission not in self._denied:
            self._denied[permission] = _refusal(permission, where, context)
        if denied := self._denied[permission]:
            raise denied


def _refusal(permission: AccountPermission, where: str, context: Context) -> policy.Denied | None:
    """Why not, recorded; None if the actor holds it."""
    try:
        with audit.attempt(context.actor, where, None, policy.Denied):
            policy.require_account(context.actor, permission)
    except policy.Denied as denied:
        return denied
    return None
