"""Forms that edit settings and definitions as YAML; errors name the line and the field."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from dashboard.admin import KeepsPlaceForm
from dashboard.models import Artifact, Connector, Infrastructure, Workflow
from rollbacks.catalogue.changes import as_yaml
from rollbacks.catalogue.declarations import CHECKSUM, CREDENTIAL
from rollbacks.catalogue.problems import sentence
from rollbacks.catalogue.revisions import checked_definition
from rollbacks.catalogue.settings import connector_settings, infrastructure_settings
from rollbacks.catalogue.source import Document, read_text
from rollbacks.catalogue.writing import mismatch, unfit_location
from rollbacks.definition import DefinitionError


class YamlField(forms.CharField):
    """One YAML mapping; its cleaned value is a Document, so that errors can name lines."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 20, "cols": 90, "spellcheck": "false"})
        super().__init__(required=False, strip=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> str:
        """The stored value as YAML; what a person typed as they typed it."""
        return value if isinstance(value, str) else as_yaml(value or None)

    def clean(self, value: Any) -> Document:
        text = super().clean(value)
        documents, problems = read_text("", text)
        if problems:
            raise ValidationError(
                [_at_line(each.line, each.field, each.sentence) for each in problems]
            )
        if len(documents) > 1:
            raise ValidationError("This is more than one YAML document: remove the line ---.")
        if not documents:
            documents, _ = read_text("", "{}")
        if not isinstance(documents[0].value, dict):
            raise ValidationError("This must be a mapping of names to values.")
        return documents[0]

    def has_changed(self, initial: Any, data: Any) -> bool:
        written = (data or "").replace("\r\n", "\n").strip()
        return self.prepare_value(initial).strip() != written


def _at_line(line: int, field: str, what: str) -> str:
    return ": ".join(part for part in (f"Line {line}" if line else "", field, what) if part)


def refuse(form: forms.BaseForm, field: str, document: Document, error: DefinitionError) -> None:
    """Show a platform's problems at the form's fields, those of the document with their line."""
    for place, what in error.problems:
        first, _, rest = place.partition(".")
        if first != field and first in form.fields:
            form.add_error(first, sentence(what))
            continue
        path = rest if first == field else place
        form.add_error(field, _at_line(document.problem(path, "").line, path, sentence(what)))


class ConnectorForm(forms.ModelForm):  # type: ignore[type-arg]
    """How to reach a platform, checked by the platform."""

    settings = YamlField(help_text="YAML; what the platform needs; docs/catalogue.md has examples.")
    credential = forms.CharField(
        max_length=200,
        required=False,
        validators=[CREDENTIAL],
        help_text=Connector._meta.get_field("credential").help_text,
    )

    class Meta:
        model = Connector
        fields = ("name", "deployment_type", "credential", "settings")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        retyped = self.instance.pk and "deployment_type" in self.changed_data
        if retyped and self.instance.infrastructure_set.exists():
            what = "Infrastructure definitions use this connector: add a new one instead."
            self.add_error("deployment_type", what)
        document, deployment_type = values.get("settings"), values.get("deployment_type")
        if document:
            values["settings"] = document.value
        if document and deployment_type:
            try:
                values["settings"] = connector_settings(deployment_type, document.value)
            except DefinitionError as error:
                refuse(self, "settings", document, error)
        return values


class InfrastructureForm(KeepsPlaceForm):
    """Where a service lands, checked by the platform of its connector."""

    place = "environment"
    settings = YamlField(help_text="YAML; what the platform needs; docs/catalogue.md has examples.")

    class Meta:
        model = Infrastructure
        fields = ("environment", "name", "connector", "settings")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        document, connector = values.get("settings"), values.get("connector")
        if connector and self.instance.pk:
            self._check_workflows(connector)
        if document:
            values["settings"] = document.value
        if document and connector:
            try:
                values["settings"] = infrastructure_settings(connector, document.value)
            except DefinitionError as error:
                refuse(self, "settings", document, error)
        return values

    def _check_workflows(self, connector: Connector) -> None:
        unfit = Workflow.objects.filter(infrastructure=self.instance, archived_at=None).exclude(
            service__deployment_type=connector.deployment_type
        )
        if names := ", ".join(map(str, unfit)):
            self.add_error("connector", f"It is for another platform than {names}: archive them.")


class ArtifactForm(forms.ModelForm):  # type: ignore[type-arg]
    """A version; it cannot be edited once it is saved."""

    checksum = forms.CharField(
        max_length=80, required=False, validators=[CHECKSUM], help_text=CHECKSUM.message
    )

    class Meta:
        model = Artifact
        fields = ("service", "version", "location", "checksum")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        service, location = values.get("service"), values.get("location")
        if service and location and (what := unfit_location(service.artifact_type, location)):
            self.add_error("location", what)
        return values


class WorkflowForm(KeepsPlaceForm):
    """A workflow and its definition; saving makes a revision if the definition differs."""

    definition = YamlField(
        help_text="YAML. Without phases the platform's own for the type of workflow are used."
    )
    seen_revision = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Workflow
        fields = ("application", "name", "workflow_type", "service", "infrastructure")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        revision = self.instance.current_revision
        if revision and "definition" in self.fields:
            self.fields["definition"].initial = revision.definition
            self.fields["seen_revision"].initial = revision.number

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_name(values)
        self._check_places(values)
        self._check_revision(values)
        document, service = values.get("definition"), values.get("service")
        kind = values.get("workflow_type")
        if document and service and kind:
            try:
                checked_definition(document.value, service.deployment_type, kind)
            except DefinitionError as error:
                refuse(self, "definition", document, error)
        return values

    def _check_name(self, values: dict[str, Any]) -> None:
        # The database's constraint has a condition on a field that is not in this form.
        same = Workflow.objects.filter(
            application=values.get("application"), name=values.get("name"), archived_at=None
        ).exclude(pk=self.instance.pk)
        if same.exists():
            self.add_error("name", "The application has a workflow of this name: choose another.")

    def _check_places(self, values: dict[str, Any]) -> None:
        application, service = values.get("application"), values.get("service")
        infrastructure = values.get("infrastructure")
        if service and service.application != application:
            self.add_error("service", f"It belongs to {service.application}: choose one of this.")
        if infrastructure and infrastructure.environment.application != application:
            owner = infrastructure.environment.application
            self.add_error("infrastructure", f"It belongs to {owner}: choose one of this.")
        if service and infrastructure and (what := mismatch(service, infrastructure)):
            self.add_error("infrastructure", what)

    def _check_revision(self, values: dict[str, Any]) -> None:
        current = self.instance.current_revision
        if current and values.get("seen_revision") != current.number:
            by = current.created_by.label if current.created_by else "a catalogue file"
            what = f"{by} changed it in the meantime: open the workflow again in a new tab."
            self.add_error("definition", what)
