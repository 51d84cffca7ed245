"""Pages of things that are edited by who holds a row for them."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.base import Operation, PolicyAdmin, asker, held
from accounts.needs import Need
from accounts.vocabulary import Action, PermissionType
from dashboard import editing
from dashboard.editing import KIND, Editor, RowNeed
from dashboard.models import Application, Workflow

EDITING = Need("EDITING", detail="An application permission on things of the kind.")


class CatalogueAdmin(PolicyAdmin):
    """Lists what the rows of the person who asks let them see, and saves what they let them."""

    needs = EDITING

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        looking = (Action.READ, Action.UPDATE, Action.DELETE)
        found = super().get_queryset(request)
        things = Editor.of(held(request)).things(self.model, *looking)
        return found.filter(pk__in=things.order_by().values("pk"))

    def is_met(self, request: HttpRequest, need: Need, obj: Any) -> bool:
        editor = Editor.of(held(request))
        if not isinstance(need, RowNeed):
            return super().is_met(request, need, obj)
        if obj is None or obj.pk is None:
            return editor.has_any(self.model, need.actions)
        # As it is stored: the object in memory may have been edited by the form.
        return editor.things(self.model, *need.actions).filter(pk=obj.pk).exists()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offers only what something may be added to."""
        editor, model = Editor.of(held(request)), db_field.related_model
        if model is Application:
            kwargs["queryset"] = editor.applications(self.model, Action.CREATE)
        elif self.model is not Workflow and KIND.get(model) == KIND[self.model]:
            actions = (Action.CREATE, Action.UPDATE)
            kwargs["queryset"] = editor.things(model, *actions)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Whoever saves it must hold what it needs where it will stand. Raises Denied."""
        action = Action.UPDATE if change else Action.CREATE
        editing.editor(asker(request)).require(action, obj)
        super().save_model(request, obj, form, change)


def crud(kind: PermissionType) -> dict[Operation, Need]:
    """What the operations on things of the kind need."""
    return {
        Operation.VIEW: RowNeed.any_of(kind, Action.READ, Action.UPDATE, Action.DELETE),
        Operation.ADD: RowNeed.any_of(kind, Action.CREATE),
        Operation.CHANGE: RowNeed.any_of(kind, Action.UPDATE),
        Operation.DELETE: RowNeed.any_of(kind, Action.DELETE),
    }


class KeepsPlaceForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a thing belongs to is chosen once: moving it would tear it from its history."""

    place = "application"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.place in self.fields:
            self.fields[self.place].disabled = True
