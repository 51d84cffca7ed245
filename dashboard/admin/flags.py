"""What the account has switched on."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from accounts import audit
from accounts.admin.base import Operation, PolicyAdmin, asker
from accounts.needs import account
from accounts.vocabulary import AccountPermission, Verb
from dashboard.models import FeatureFlag

SWITCH_FLAGS = account(AccountPermission.ADMINISTER_OTHER_ACCOUNT_FUNCTIONS)


@admin.register(FeatureFlag)
class FeatureFlagAdmin(PolicyAdmin):
    """Switched, never deleted: a flag that is not there would be off all the same."""

    needs = SWITCH_FLAGS
    operations: ClassVar = dict.fromkeys(
        (Operation.VIEW, Operation.ADD, Operation.CHANGE), SWITCH_FLAGS
    )
    fields = ("name", "is_on")
    list_display = ("name", "is_on")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and say in the trail who switched what."""
        before = FeatureFlag.is_switched_on(obj.name)
        super().save_model(request, obj, form, change)
        audit.record(
            Verb.FLAG_SWITCHED,
            actor=asker(request),
            subject=obj,
            before={"is_on": before},
            after={"is_on": obj.is_on},
        )
