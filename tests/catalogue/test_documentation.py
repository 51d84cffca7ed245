"""The example in the documentation is one that works."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from rollbacks.catalogue import apply


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "changes"),
    [("catalogue", 9), ("platforms/kubernetes", 7), ("platforms/ssh", 7), ("platforms/winrm", 7)],
)
def test_the_example_of_the_documentation_can_be_applied(
    write: Callable[..., Path], page: str, changes: int
) -> None:
    text = (settings.BASE_DIR / "docs" / f"{page}.md").read_text()
    [example] = re.findall(r"## An example\n\n```yaml\n(.*?)```", text, re.DOTALL)

    assert len(apply([write(text=example)])) == changes
