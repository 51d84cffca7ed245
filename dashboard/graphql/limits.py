"""How much one request may ask for, measured before anything is validated or resolved.

Strawberry's own limiters follow every fragment spread again, so that a short document of
fragments spread twice each keeps them busy for hours; here each fragment is measured once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)
from strawberry.extensions import SchemaExtension

INVALID = {"code": "GRAPHQL_VALIDATION_FAILED"}


@dataclass(frozen=True)
class Size:
    """Fields on the longest path, and aliases counted wherever their fragment is spread."""

    depth: int = 0
    aliases: int = 0

    def beside(self, other: "Size") -> "Size":
        return Size(max(self.depth, other.depth), self.aliases + other.aliases)


class Measure:
    """Sizes of one document's selections."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._sizes: dict[str, Size] = {}

    def of(self, selections: SelectionSetNode | None) -> Size:
        total = Size()
        for each in selections.selections if selections else ():
            total = total.beside(self._of_one(each))
        return total

    def _of_one(self, node: SelectionNode) -> Size:
        if isinstance(node, FragmentSpreadNode):
            return self._of_fragment(node.name.value)
        inner = self.of(getattr(node, "selection_set", None))
        if not isinstance(node, FieldNode):
            return inner
        # Introspection is deep by nature; graphql-core limits how often its lists may nest.
        depth = 0 if node.name.value.startswith("__") else inner.depth + 1
        return Size(depth, inner.aliases + bool(node.alias))

    def _of_fragment(self, name: str) -> Size:
        if name not in self._sizes:
            self._sizes[name] = Size()  # one that spreads itself; validation refuses it
            found = self._fragments.get(name)
            self._sizes[name] = self.of(found.selection_set if found else None)
        return self._sizes[name]


def excesses(document: DocumentNode) -> Iterator[GraphQLError]:
    """What the document has too much of, as errors that say what to do."""
    measure = Measure(document)
    for operation in document.definitions:
        if not isinstance(operation, OperationDefinitionNode):
            continue
        size = measure.of(operation.selection_set)
        if size.depth > settings.API_DEPTH:
            yield _excess(
                f"The query is {size.depth} fields deep; {settings.API_DEPTH} are allowed. "
                "Ask for the inner objects by id in a request of their own.",
                operation,
            )
        if size.aliases > settings.API_ALIASES:
            yield _excess(
                f"The query has {size.aliases} aliases; {settings.API_ALIASES} are allowed. "
                "Split it into several requests.",
                operation,
            )


def _excess(message: str, operation: OperationDefinitionNode) -> GraphQLError:
    return GraphQLError(message, operation, extensions=INVALID)


class Limits(SchemaExtension):
    """Tokens while parsing; depth and aliases before validation, which they replace."""

    def on_operation(self) -> Iterator[None]:
        self.execution_context.parse_options["max_tokens"] = settings.API_TOKENS
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        assert context.graphql_document
        if found := list(excesses(context.graphql_document)):
            context.pre_execution_errors = found
        yield
        for error in context.pre_execution_errors or ():
            error.extensions = INVALID
