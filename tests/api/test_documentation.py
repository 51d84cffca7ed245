"""Every example of docs/api.md is one the API understands."""

import re
from pathlib import Path

import pytest
from graphql import parse, validate

from dashboard.graphql.schema import SCHEMA

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
EXAMPLES = re.findall(r"```graphql\n(.*?)```", PAGE.read_text(), re.DOTALL)
OWN = "Lastgood's own"


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_valid(example: str) -> None:
    assert validate(SCHEMA._schema, parse(example)) == []


def test_what_is_not_the_fields_is_listed_and_says_so() -> None:
    section = PAGE.read_text().partition("## What is not the field's\n")[2]
    listed = section.partition("On executions")[0]
    for root in (SCHEMA._schema.query_type, SCHEMA._schema.mutation_type):
        assert root
        for name, field in root.fields.items():
            is_own = OWN in (field.description or "") or name == "resumeExecution"
            assert is_own == (f"`{name}`" in listed), name
