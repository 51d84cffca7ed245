"""Turns what `administration` and `policy` refuse into errors beside the fields of a form."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django import forms

from accounts.administration import Invalid, LastAdministrator
from accounts.policy import Denied


class Refusal(Exception):
    """Saving was refused; `problems` are (field, sentence), the field empty where it is none."""

    def __init__(self, cause: Exception, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__(str(cause))
        self.problems = problems
        self.is_denial = not isinstance(cause, Invalid)


@contextmanager
def refusals(field: str = "") -> Iterator[None]:
    """What is refused inside is shown beside this field, unless it names its own."""
    try:
        yield
    except Invalid as cause:
        raise Refusal(cause, cause.problems) from cause
    except (Denied, LastAdministrator) as cause:
        raise Refusal(cause, [(field, str(cause))]) from cause


def refused(form: type[Any], refusal: Refusal) -> type[Any]:
    """The form with the refusal among its errors; those of rows are shown by their formset."""

    class Refused(form):  # type: ignore[misc]
        def clean(self) -> Any:
            values = super().clean()
            for field, sentence in refusal.problems:
                if not field.startswith("rows."):
                    self.add_error(field if field in self.fields else None, sentence)
            return values

    return Refused


def refuse_rows(rows: Sequence[forms.BaseForm], refusal: Refusal) -> None:
    """Show the problems of rows, which are named `rows.0.actions`, at the forms of the rows."""
    for field, sentence in refusal.problems:
        prefix, _, rest = field.partition(".")
        if prefix == "rows":
            index, _, name = rest.partition(".")
            rows[int(index)].add_error(name, sentence)
