"""Application permissions as rows of a form: read into `Row`, which alone knows the rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

from django import forms
from django.contrib.admin.widgets import FilteredSelectMultiple

from accounts import wording
from accounts.admin.refusals import Refusal, refuse_rows
from accounts.choices import Choices
from accounts.rows import Row, Scope
from accounts.vocabulary import Action, PermissionType

FILTERS = {
    Scope.EVERYTHING: "Everything",
    Scope.PRODUCTION: "Production environments",
    Scope.NON_PRODUCTION: "Non-production environments",
    Scope.TEMPLATES: "Workflow templates",
}


def _several(what: str, help_text: str = "") -> forms.TypedMultipleChoiceField:
    return forms.TypedMultipleChoiceField(
        coerce=int,
        required=False,
        widget=FilteredSelectMultiple(what, is_stacked=False),
        help_text=help_text,
    )


class RowForm(forms.Form):
    """One row; it must match on every dimension."""

    permission_type = forms.ChoiceField(
        choices=[("", "Choose a type"), *PermissionType.choices], label="Type"
    )
    actions = forms.MultipleChoiceField(
        choices=Action.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    all_applications = forms.BooleanField(
        required=False, label="All applications, those created later too"
    )
    applications = _several("applications")
    filter = forms.MultipleChoiceField(
        choices=[(scope.value, label) for scope, label in FILTERS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Only for",
        help_text="Environments created later fall under their type. "
        "Under All Permission Types this narrows what is executed, rolled back and aborted.",
    )
    environments = _several("environments")
    services = _several("services")

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("applications", "environments", "services"):
            self.fields[name].choices = getattr(choices, name)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        # What is there already may stay: when all that a row chose was deleted it covers nothing.
        if self.has_changed() and not self.errors:
            for field, sentence in self.row.problems():
                self.add_error(field, sentence)
        return values

    @property
    def row(self) -> Row:
        """What it says."""
        values = self.cleaned_data
        chosen = frozenset(values["applications"])
        return Row(
            PermissionType(values["permission_type"]),
            frozenset(Action(each) for each in values["actions"]),
            None if values["all_applications"] else chosen,
            frozenset(Scope(each) for each in values["filter"]),
            frozenset(values["environments"]),
            frozenset(values["services"]),
        )


def initial(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What the forms show for them, each with what it says as stored in one sentence."""
    names = wording.Names.of(rows)
    return [_values(row) | {"sentence": wording.sentence(row, names)} for row in rows]


def _values(row: Row) -> dict[str, Any]:
    return {
        "permission_type": row.permission_type.value,
        "actions": [action.value for action in Action if action in row.actions],
        "all_applications": row.applications is None,
        "applications": sorted(row.applications or ()),
        "filter": [scope.value for scope in Scope if scope in row.scopes],
        "environments": sorted(row.environments),
        "services": sorted(row.services),
    }


class _RowFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    refusal: Refusal | None = None
    """Why saving them was refused before."""

    @property
    def kept(self) -> list[RowForm]:
        """Those that say something and are not to be removed."""
        gone = self.deleted_forms
        said = [form for form in self.forms if form in self.initial_forms or form.has_changed()]
        return [form for form in said if form not in gone]

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(form.row for form in self.kept)

    def clean(self) -> None:
        if self.refusal:
            refuse_rows(self.kept, self.refusal)
        elif not any(form.errors for form in self.kept):
            self._refuse_twins()

    def _refuse_twins(self) -> None:
        seen: set[Row] = set()
        for form in self.kept:
            if form.row in seen:
                form.add_error(None, "This row stands here twice: remove one.")
            seen.add(form.row)


RowFormSet = cast(
    "type[_RowFormSet]",
    forms.formset_factory(RowForm, formset=_RowFormSet, extra=0, can_delete=True),
)


@dataclass(frozen=True)
class RowsPanel:
    """What the admin's templates ask of an inline; `opts` and the permissions are its words."""

    formset: _RowFormSet
    template: str = "admin/rows.html"
    has_add_permission: bool = True
    has_change_permission: bool = True
    has_delete_permission: bool = True
    has_view_permission: bool = True

    def __iter__(self) -> Iterator[Any]:
        """Nothing in it is filled in from other fields."""
        return iter(())

    @property
    def opts(self) -> Self:
        return self

    @property
    def media(self) -> forms.Media:
        widgets: forms.Media = self.formset.media
        return widgets + forms.Media(js=["admin/js/jquery.init.js", "admin/js/inlines.js"])
