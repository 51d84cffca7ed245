"""The form of a user group: its name, what it may do, who is in it; saved by `administration`."""

import hashlib
from typing import Any

from django import forms
from django.contrib.admin.widgets import FilteredSelectMultiple

from accounts import administration, audit
from accounts.admin.refusals import Refusal, refusals
from accounts.administration import Invalid
from accounts.administration.change import require_held
from accounts.models import AuditEvent, User, UserGroup
from accounts.policy import Denied
from accounts.rows import Permissions
from accounts.vocabulary import ASKED_FOR, AccountPermission

OPENS = {
    AccountPermission.MANAGE_APPLICATIONS: "Add and edit applications; with Rollback Workflow, "
    "roll deployments back.",
    AccountPermission.READ_USERS_AND_GROUPS: "See people, user groups and what they may do.",
    AccountPermission.MANAGE_USERS_AND_GROUPS: "Edit people and user groups, giving what one has.",
    AccountPermission.ADMINISTER_OTHER_ACCOUNT_FUNCTIONS: "Switch feature flags.",
    AccountPermission.VIEW_AUDITS: "Read who did what, when and from where.",
    AccountPermission.MANAGE_CONNECTORS: "Edit how platforms are reached, and with what secret.",
    AccountPermission.MANAGE_API_KEYS: "Make and revoke keys for programs.",
    AccountPermission.MANAGE_DEPLOYMENT_FREEZES: "Edit the times in which nothing is deployed.",
    AccountPermission.ALLOW_DEPLOYMENTS_DURING_FREEZE: "Deploy and roll back all the same.",
}
OPENING = [
    (each.value, f"{each.label}: {OPENS[each]}") for each in AccountPermission if each in ASKED_FOR
]
KEPT = [(each.value, each.label) for each in AccountPermission if each not in ASKED_FOR]


def fingerprint(group: UserGroup) -> str:
    """Of everything the form edits, so that nobody overwrites what they have not seen."""
    permissions = group.permissions_held
    members = sorted(User.people.filter(groups=group.pk).values_list("pk", flat=True))
    rows = sorted(
        repr((row.permission_type, sorted(row.actions), _ids(row.applications),
              sorted(scope.value for scope in row.scopes), _ids(row.environments),
              _ids(row.services)))
        for row in permissions.rows
    )  # fmt: skip
    content = [group.name, group.description, sorted(permissions.account), rows, members]
    return hashlib.sha256(repr(content).encode()).hexdigest()[:20]


def _ids(chosen: frozenset[int] | None) -> list[int] | None:
    return None if chosen is None else sorted(chosen)


class PeopleField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """People by the name others know them by."""

    def label_from_instance(self, obj: Any) -> str:
        name = f"{obj.label} ({obj.username})" if obj.label != obj.username else obj.username
        return name if obj.is_active else f"{name}, deactivated"


def _checkboxes(choices: list[tuple[str, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=choices, required=False, widget=forms.CheckboxSelectMultiple, label="May"
    )


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]
    """Everything but the rows, which are a formset."""

    account_permissions = _checkboxes(OPENING)
    kept_permissions = _checkboxes(KEPT)
    members = PeopleField(
        User.people.order_by("username"),
        required=False,
        widget=FilteredSelectMultiple("members", is_stacked=False),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = UserGroup
        fields = ("name", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        group = self.instance
        if group.pk:
            self.initial.update(
                account_permissions=sorted(ASKED_FOR & {*group.account_permissions}),
                kept_permissions=sorted({*group.account_permissions} - ASKED_FOR),
                members=User.people.filter(groups=group.pk),
                seen=fingerprint(group),
            )

    @property
    def account(self) -> frozenset[AccountPermission]:
        values = self.cleaned_data
        chosen = [*values["account_permissions"], *values["kept_permissions"]]
        return frozenset(AccountPermission(each) for each in chosen)


def save(form: GroupForm, rows: Any, by: User) -> UserGroup:
    """All of it, in the caller's transaction. Raises Refusal."""
    values = form.cleaned_data
    named = {"name": values["name"], "description": values["description"]}
    # First of all, so that nobody changes it between the look and the writing.
    audit.lock()
    if form.instance.pk is None:
        with refusals("name"):
            group = administration.create_group(**named, by=by)
    else:
        group = UserGroup.objects.get(pk=form.instance.pk)
        with refusals("name"):
            _require_unchanged(group, values["seen"])
            administration.update_group(group, **named, by=by)
    permissions = Permissions(form.account, rows.rows)
    try:
        administration.set_permissions(group, permissions, by=by)
    except Denied as denied:
        raise Refusal(denied, _excesses(group, permissions, by) or [("", str(denied))]) from denied
    # Whatever else is refused about permissions belongs to the first list of them.
    except administration.LastAdministrator as refusal:
        raise Refusal(refusal, [("account_permissions", str(refusal))]) from refusal
    with refusals("members"):
        administration.set_members(group, values["members"], by=by)
    return group


def _require_unchanged(group: UserGroup, seen: str) -> None:
    if seen == fingerprint(group):
        return
    newest = AuditEvent.objects.filter(subject_type="user group", subject_id=str(group.pk)).first()
    who = f"{newest.actor_name} changed" if newest else "Somebody changed"
    raise Invalid(
        (
            "",
            f"{who} this group since you opened it, and nothing was saved. What you entered is "
            "still here: open the group in a new tab and see what is different.",
        )
    )


def _excesses(group: UserGroup, wanted: Permissions, by: User) -> list[tuple[str, str]]:
    """What the actor does not hold, beside the rows it is in."""
    kept = UserGroup.objects.get(pk=group.pk).permissions_held
    parts = {f"rows.{index}.": Permissions(rows=(row,)) for index, row in enumerate(wanted.rows)}
    found = []
    opening = frozenset(wanted.account & ASKED_FOR)
    for field, part in {
        "account_permissions": Permissions(opening),
        "kept_permissions": Permissions(wanted.account - opening),
        **parts,
    }.items():
        try:
            require_held(by, part, kept)
        except Denied as denied:
            found.append((field, str(denied)))
    return found
