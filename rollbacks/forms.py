"""What people fill in."""

from contextlib import suppress
from typing import Any

from django import forms

from accounts import policy
from accounts.models import User
from accounts.vocabulary import Right
from dashboard.models import Artifact, Infrastructure, Service, Workflow
from rollbacks.definition import DefinitionError
from rollbacks.plan import Configuration, definition_of
from rollbacks.platforms.base import PlatformError

NOTE_LENGTH = 500


class RollbackForm(forms.Form):
    """The confirmation: `fingerprint` is of the plan that was shown."""

    fingerprint = forms.CharField(widget=forms.HiddenInput)
    configuration = forms.ChoiceField(
        choices=[(each.value, each.value) for each in Configuration],
        widget=forms.HiddenInput,
        initial=Configuration.CURRENT.value,
        required=False,
    )
    note = forms.CharField(
        label="Reason",
        max_length=NOTE_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "What is wrong with it?"}),
    )
    freeze_override = forms.BooleanField(
        label="Roll back in spite of the deployment freeze", required=False
    )

    def clean_configuration(self) -> Configuration:
        return Configuration(self.cleaned_data["configuration"] or Configuration.CURRENT)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("freeze_override") and not (data.get("note") or "").strip():
            self.add_error("note", "A rollback during a deployment freeze needs a reason.")
        return data


class ExecuteForm(forms.Form):
    """Choose a workflow, where its infrastructure is not fixed an infrastructure, an artifact."""

    workflow = forms.ModelChoiceField(Workflow.objects.none())
    infrastructure = forms.ModelChoiceField(
        Infrastructure.objects.none(),
        required=False,
        help_text="Only for workflows that leave it open.",
    )
    artifact = forms.ModelChoiceField(Artifact.objects.none())
    note = forms.CharField(label="Reason", max_length=NOTE_LENGTH, required=False)

    def __init__(self, service: Service, actor: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = Infrastructure.objects.filter(
            environment__in=policy.environment_ids(actor, Right.EXECUTE_WORKFLOW),
            environment__application=service.application,
            connector__deployment_type=service.deployment_type,
        ).select_related("environment__application")
        self.fields["infrastructure"] = forms.ModelChoiceField(
            places, required=False, help_text="Only for workflows that leave it open."
        )
        workflows = service.workflows.filter(
            archived_at__isnull=True, current_revision__isnull=False
        ).select_related("application", "current_revision")
        here = workflows.filter(infrastructure__in=places) | workflows.filter(
            infrastructure__isnull=True
        )
        self.fields["workflow"] = forms.ModelChoiceField(here)
        self.fields["artifact"] = forms.ModelChoiceField(service.artifacts.all())
        self._variables: dict[str, list[Workflow]] = {}
        for workflow in here:
            # One that cannot be read is refused with its reason when it is chosen.
            with suppress(PlatformError):
                self._add_variables(workflow)

    def _add_variables(self, workflow: Workflow) -> None:
        revision = workflow.current_revision
        assert revision is not None
        definition = definition_of(revision)
        for variable in definition.variables:
            self._variables.setdefault(variable.name, []).append(workflow)
            self.fields[f"variable_{variable.name}"] = forms.CharField(
                label=variable.name,
                required=False,
                initial=variable.default,
                help_text=variable.description or f"Variable of {workflow.name}.",
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        workflow = data.get("workflow")
        if workflow is None:
            return data
        data["infrastructure"] = workflow.infrastructure or data.get("infrastructure")
        if data["infrastructure"] is None:
            self.add_error("infrastructure", "This workflow leaves it open: choose one.")
        data["variables"] = {
            name: data[f"variable_{name}"]
            for name, workflows in self._variables.items()
            if workflow in workflows and data.get(f"variable_{name}")
        }
        try:
            definition_of(workflow.current_revision).values(data["variables"])
        except PlatformError as error:
            self.add_error("workflow", str(error))
        except DefinitionError as error:
            for name, problem in error.problems:
                self.add_error(f"variable_{name}", problem)
        return data
