"""Writes the declared connectors, applications and workflows, in the order in which they refer.

Refuses what the shape of a file cannot show: names that nothing has, settings that the platform
does not take, artifacts that would change, deployment types that do not fit.
"""

from typing import Any

from django.db.models import F, Q

from dashboard.models import (
    Application,
    Artifact,
    ArtifactType,
    Connector,
    Deployment,
    Environment,
    Infrastructure,
    Service,
    Workflow,
)
from rollbacks.catalogue.changes import FieldChange
from rollbacks.catalogue.declarations import (
    ApplicationEntry,
    ArtifactEntry,
    ConnectorEntry,
    EnvironmentEntry,
    InfrastructureEntry,
    ServiceEntry,
    WorkflowEntry,
)
from rollbacks.catalogue.ledger import Ledger
from rollbacks.catalogue.reading import Declared, Kind
from rollbacks.catalogue.revisions import checked_definition, save_definition
from rollbacks.catalogue.settings import connector_settings, infrastructure_settings
from rollbacks.definition import DefinitionError


def write_catalogue(ledger: Ledger) -> None:
    """Write all of it; what is wrong is among the ledger's problems afterwards."""
    catalogue = ledger.catalogue
    for connector in catalogue.of(ConnectorEntry):
        _connector(ledger, connector)
    for application in catalogue.of(ApplicationEntry):
        _application(ledger, application)
    for service in catalogue.of(ServiceEntry):
        _service(ledger, service)
    for environment in catalogue.of(EnvironmentEntry):
        _environment(ledger, environment)
    for infrastructure in catalogue.of(InfrastructureEntry):
        _infrastructure(ledger, infrastructure)
    for artifact in catalogue.of(ArtifactEntry):
        _artifact(ledger, artifact)
    for workflow in catalogue.of(WorkflowEntry):
        _workflow(ledger, workflow)
    _check_workflows_left_alone(ledger)


def _connector(ledger: Ledger, declared: Declared[ConnectorEntry]) -> None:
    entry = declared.entry
    existing = Connector.objects.filter(name=entry.name).first()
    retyped = existing and existing.deployment_type != entry.deployment_type
    if existing and retyped and existing.infrastructure_set.exists():
        what = "cannot change while infrastructure definitions use the connector: declare a new one"
        ledger.refuse(declared, "deployment_type", what)
        return
    try:
        written = _settings(entry, existing)
        settings = connector_settings(entry.deployment_type, written)
    except DefinitionError as error:
        ledger.refuse_all(declared, "", error)
        return
    values = {"deployment_type": entry.deployment_type, "settings": settings}
    ledger.put(
        declared,
        Connector.objects.all(),
        {"name": entry.name},
        values | entry.stated("credential"),
    )


def _settings(
    entry: ConnectorEntry | InfrastructureEntry, existing: Connector | Infrastructure | None
) -> dict[str, Any]:
    """What the file says, or what there is where the file says nothing."""
    if existing and "settings" not in entry.model_fields_set:
        return dict(existing.settings)
    return entry.settings


def _application(ledger: Ledger, declared: Declared[ApplicationEntry]) -> None:
    values = declared.entry.stated("description")
    described = [
        each.entry.description
        for each in ledger.catalogue.of(ApplicationEntry)
        if each.label == declared.label and "description" in each.entry.model_fields_set
    ]
    if values and len(set(described)) > 1:
        ledger.refuse(declared, "description", "is not the same everywhere in these files")
        return
    ledger.put(declared, Application.objects.all(), {"name": declared.entry.name}, values)


def _application_of(declared: Declared[Kind]) -> Application | None:
    """The application an entry stands in; none where that was refused."""
    name = declared.label.split(" / ")[0]
    return Application.objects.filter(name=name).first()


def _service(ledger: Ledger, declared: Declared[ServiceEntry]) -> None:
    entry, application = declared.entry, _application_of(declared)
    if application is None:
        return
    values = {"deployment_type": entry.deployment_type, "artifact_type": entry.artifact_type}
    existing = Service.objects.filter(application=application, name=entry.name).first()
    retyped = [field for field in values if existing and getattr(existing, field) != values[field]]
    if retyped and Deployment.objects.filter(target__service=existing).exists():
        what = "cannot change after the first deployment: declare a service of another name"
        for field in retyped:
            ledger.refuse(declared, field, what)
        return
    ledger.put(
        declared,
        Service.objects.all(),
        {"application": application, "name": entry.name},
        values | entry.stated("description"),
    )


def _environment(ledger: Ledger, declared: Declared[EnvironmentEntry]) -> None:
    entry, application = declared.entry, _application_of(declared)
    if application:
        key = {"application": application, "name": entry.name}
        ledger.put(declared, Environment.objects.all(), key, {"environment_type": entry.type})


def _infrastructure(ledger: Ledger, declared: Declared[InfrastructureEntry]) -> None:
    entry = declared.entry
    application, environment = declared.label.split(" / ")[:2]
    where = Environment.objects.filter(application__name=application, name=environment).first()
    named = Connector.objects.filter(name=entry.connector)
    connector = ledger.find(declared, "connector", named, (ConnectorEntry, entry.connector))
    if where is None or connector is None:
        return
    existing = Infrastructure.objects.filter(environment=where, name=entry.name).first()
    try:
        settings = infrastructure_settings(connector, _settings(entry, existing))
    except DefinitionError as error:
        ledger.refuse_all(declared, "", error)
        return
    ledger.put(
        declared,
        Infrastructure.objects.all(),
        {"environment": where, "name": entry.name},
        {"connector": connector, "settings": settings},
    )


def _artifact(ledger: Ledger, declared: Declared[ArtifactEntry]) -> None:
    entry = declared.entry
    service = _service_named(ledger, declared, entry.service)
    if service is None:
        return
    existing = Artifact.objects.filter(service=service, version=entry.version).first()
    for field, value in entry.stated("location", "checksum").items():
        if existing and getattr(existing, field) != value:
            ledger.refuse(declared, field, "artifacts are immutable: use a new version")
    if existing:
        return
    if what := unfit_location(service.artifact_type, entry.location):
        ledger.refuse(declared, "location", what)
        return
    ledger.put(
        declared,
        Artifact.objects.all(),
        {"service": service, "version": entry.version},
        {"location": entry.location, "checksum": entry.checksum},
    )


def unfit_location(artifact_type: str, location: str) -> str:
    """Why an artifact of that type cannot lie there; empty if it can."""
    if artifact_type == ArtifactType.NONE:
        return "the service has no artifacts: its artifact_type is NONE"
    is_file = artifact_type in {ArtifactType.ZIP, ArtifactType.TAR}
    if is_file and not location.startswith(("/", "https://")):
        return "must be an absolute path on the worker or an https:// URL"
    return ""


def _service_named(ledger: Ledger, declared: Declared[Kind], name: str) -> Service | None:
    application = _application_of(declared)
    if application is None:
        return None
    found = Service.objects.filter(application=application, name=name)
    return ledger.find(declared, "service", found, (ServiceEntry, f"{application} / {name}"))


def _workflow(ledger: Ledger, declared: Declared[WorkflowEntry]) -> None:
    entry = declared.entry
    service = _service_named(ledger, declared, entry.service)
    is_template = entry.infrastructure is None
    infrastructure = None if is_template else _infrastructure_named(ledger, declared)
    if service is None or not (is_template or infrastructure):
        return
    if infrastructure and (what := mismatch(service, infrastructure)):
        ledger.refuse(declared, "infrastructure", what)
        return
    try:
        definition = checked_definition(entry.definition, service.deployment_type, entry.type)
    except DefinitionError as error:
        ledger.refuse_all(declared, "definition", error)
        return
    values = {"workflow_type": entry.type, "service": service, "infrastructure": infrastructure}
    _put_workflow(ledger, declared, service.application, values, definition)


def _put_workflow(
    ledger: Ledger,
    declared: Declared[WorkflowEntry],
    application: Application,
    values: dict[str, Any],
    definition: dict[str, Any],
) -> None:
    workflows = Workflow.objects.filter(archived_at=None)
    key = {"application": application, "name": declared.entry.name}
    existing = workflows.select_related("current_revision").filter(**key).first()
    revision = existing.current_revision if existing else None
    current = revision.definition if revision else None
    edit = () if current == definition else (FieldChange("definition", current, definition),)
    workflow = ledger.put(declared, workflows, key, values, edit)
    save_definition(workflow, definition, ledger.actor)


def _infrastructure_named(
    ledger: Ledger, declared: Declared[WorkflowEntry]
) -> Infrastructure | None:
    application = _application_of(declared)
    environment, slash, name = (declared.entry.infrastructure or "").partition("/")
    if not slash:
        ledger.refuse(declared, "infrastructure", "write it as Environment / Infrastructure")
    if application is None or not slash:
        return None
    environment, name = environment.strip(), name.strip()
    found = Infrastructure.objects.filter(
        environment__application=application, environment__name=environment, name=name
    )
    label = f"{application} / {environment} / {name}"
    return ledger.find(declared, "infrastructure", found, (InfrastructureEntry, label))


def mismatch(service: Service, infrastructure: Infrastructure) -> str:
    """Why the service cannot be deployed to the infrastructure; empty if it can."""
    connector = infrastructure.connector
    if connector.deployment_type == service.deployment_type:
        return ""
    return (
        f"its connector {connector} is for {connector.get_deployment_type_display()} and "
        f"{service.name} is deployed by {service.get_deployment_type_display()}: "
        "both must be the same"
    )


def _check_workflows_left_alone(ledger: Ledger) -> None:
    """Workflows that no file names must still fit the services and infrastructure they use."""
    retyped = {
        each.name: each.noun
        for each in ledger.changes
        if not each.is_new and {"deployment_type", "connector"} & {f.name for f in each.fields}
    }
    for service in ledger.catalogue.of(ServiceEntry):
        if retyped.get(service.label) == ServiceEntry.noun:
            _check_fit(ledger, service, "deployment_type", Q())
    for infrastructure in ledger.catalogue.of(InfrastructureEntry):
        if retyped.get(infrastructure.label) == InfrastructureEntry.noun:
            other = ~Q(service__deployment_type=F("infrastructure__connector__deployment_type"))
            _check_fit(ledger, infrastructure, "connector", other)


def _check_fit(ledger: Ledger, declared: Declared[Kind], field: str, unfit: Q) -> None:
    names = declared.label.split(" / ")
    application, name = names[0], names[-1]
    uses = Q(service__name=name)
    if len(names) == 3:
        uses = Q(infrastructure__environment__name=names[1], infrastructure__name=name)
    workflows = Workflow.objects.filter(uses, unfit, application__name=application)
    for workflow in workflows.filter(archived_at=None):
        if (WorkflowEntry, str(workflow)) not in ledger.catalogue.attempted:
            what = f"the workflow {workflow} would not fit any more: declare it too, or archive it"
            ledger.refuse(declared, field, what)
