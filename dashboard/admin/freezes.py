"""Times in which nothing is deployed."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin

from accounts.admin.base import Operation, PolicyAdmin
from accounts.needs import account
from accounts.vocabulary import AccountPermission
from dashboard.models import DeploymentFreeze

MANAGE_FREEZES = account(AccountPermission.MANAGE_DEPLOYMENT_FREEZES)


class FreezeForm(forms.ModelForm):  # type: ignore[type-arg]
    """A window; refused where it could never cover what was chosen."""

    class Meta:
        model = DeploymentFreeze
        fields = ("name", "is_on", "starts_at", "ends_at", "environment_type", "environments")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        starts, ends = values.get("starts_at"), values.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", "It must end later than it starts.")
        covered = values.get("environment_type")
        chosen = values.get("environments") or ()
        strange = [str(each) for each in chosen if covered and each.environment_type != covered]
        if strange:
            what = f"{', '.join(strange)}: of the other type, so it would not be covered."
            self.add_error("environments", what)
        return values


@admin.register(DeploymentFreeze)
class DeploymentFreezeAdmin(PolicyAdmin):
    needs = MANAGE_FREEZES
    operations: ClassVar = dict.fromkeys(Operation, MANAGE_FREEZES)
    form = FreezeForm
    list_display = ("name", "is_on", "starts_at", "ends_at", "environment_type")
    list_filter = ("is_on",)
    filter_horizontal = ("environments",)
