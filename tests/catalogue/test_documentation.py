"""The example in the documentation is one that works."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from rollbacks.catalogue import apply


@pytest.mark.django_db
def test_the_example_of_the_documentation_can_be_applied(write: Callable[..., Path]) -> None:
    page = (settings.BASE_DIR / "docs" / "catalogue.md").read_text()
    [example] = re.findall(r"## An example\n\n```yaml\n(.*?)```", page, re.DOTALL)

    assert len(apply([write(text=example)])) == 9
