"""What can be edited in the admin obeys the same rules as a catalogue file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from dashboard.models import (
    Application,
    Artifact,
    Connector,
    Deployment,
    Infrastructure,
    Service,
    Target,
    Workflow,
)
from rollbacks.catalogue import apply

Write = Callable[..., Path]
REVISIONS = {f"revisions-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}


@pytest.fixture
def page(client: Client, admin: User, write: Write) -> Client:
    """An administrator's browser; the good catalogue is there."""
    apply([write()])
    client.force_login(admin)
    return client


def workflow_fields(workflow: Workflow, **changed: object) -> dict[str, object]:
    assert workflow.infrastructure is not None
    return {
        "name": workflow.name,
        "workflow_type": workflow.workflow_type,
        "service": workflow.service.pk,
        "infrastructure": workflow.infrastructure.pk,
        "definition": """\
phases:
  - name: Install
    steps:
      - name: Drain
        kind: wait
        settings: {seconds: 7}
""",
        "seen_revision": 1,
        **REVISIONS,
        **changed,
    }


def errors(response: object) -> str:
    """The errors of an admin form's fields, of its inlines too, as one text."""
    context = response.context  # type: ignore[attr-defined]
    found = dict(context["adminform"].form.errors)
    for formset in context["inline_admin_formsets"]:
        found |= {str(index): each for index, each in enumerate(formset.formset.errors) if each}
    return str(found)


def address(thing: object, page: str = "change") -> str:
    meta = thing._meta  # type: ignore[attr-defined]
    arguments = [] if isinstance(thing, type) else [thing.pk]  # type: ignore[attr-defined]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=arguments)


@pytest.mark.django_db
def test_every_list_and_every_page_opens(page: Client, admin: User) -> None:
    workflow = Workflow.objects.get()
    assert workflow.infrastructure
    assert workflow.current_revision
    target = Target.objects.create(service=workflow.service, infrastructure=workflow.infrastructure)
    deployment = Deployment.objects.create(
        target=target,
        workflow=workflow,
        revision=workflow.current_revision,
        started_by=admin,
        created_at=timezone.now(),
    )
    deployment.phases.create(position=0, name="Install", direction="FORWARD").steps.create(
        position=0, name="Drain", kind="wait"
    )

    for model, model_admin in site._registry.items():
        if model._meta.app_label not in {"accounts", "dashboard"}:
            continue
        assert page.get(address(model, "changelist")).status_code == 200
        for thing in model._default_manager.all():
            response = page.get(address(thing))
            assert response.status_code == 200, thing
            assert "<script>" not in response.text, "the site allows no inline scripts"
        may_add = model_admin.has_add_permission(response.wsgi_request)
        assert page.get(address(model, "add")).status_code == (200 if may_add else 403)


@pytest.mark.django_db
def test_the_journal_and_plain_groups_cannot_be_edited(page: Client) -> None:
    assert Group not in site._registry
    assert page.get(address(Deployment, "add")).status_code == 403
    assert page.get(address(Target, "add")).status_code == 403


@pytest.mark.django_db
def test_a_changed_definition_makes_a_revision_by_its_author(page: Client, admin: User) -> None:
    workflow = Workflow.objects.get()

    response = page.post(address(workflow), workflow_fields(workflow))

    assert response.status_code == 302, errors(response)
    workflow.refresh_from_db()
    assert workflow.current_revision is not None
    assert workflow.current_revision.number == 2
    assert workflow.current_revision.created_by == admin


@pytest.mark.django_db
def test_saving_what_was_shown_makes_no_revision(page: Client) -> None:
    workflow = Workflow.objects.get()
    form = page.get(address(workflow)).context["adminform"].form
    shown = form["definition"].value()

    response = page.post(address(workflow), workflow_fields(workflow, definition=shown))

    assert response.status_code == 302, errors(response)
    assert workflow.revisions.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("definition", "error"),
    [
        (
            "phases:\n  - name: A\n    steps:\n      - {name: B, kind: walk}",
            "Line 4: phases.0.steps.0.kind",
        ),
        ("phases:\n  - name: A\n    steps: []", "Line 3: phases.0.steps: List should have"),
        ("phases: [", "Line 1: is not YAML"),
        ("phases: []\nphases: []", "Line 2: phases: stands twice"),
        ("- phases", "must be a mapping"),
        ("a: 1\n---\nb: 1", "more than one YAML document"),
    ],
)
def test_an_invalid_definition_shows_its_place(page: Client, definition: str, error: str) -> None:
    workflow = Workflow.objects.get()

    response = page.post(address(workflow), workflow_fields(workflow, definition=definition))

    assert response.status_code == 200
    assert error in errors(response)
    assert definition.splitlines()[0] in response.text, "what was typed is still there"
    assert workflow.revisions.count() == 1


@pytest.mark.django_db
def test_an_edit_of_what_changed_in_the_meantime_is_refused(page: Client) -> None:
    workflow = Workflow.objects.get()
    page.post(address(workflow), workflow_fields(workflow))

    response = page.post(address(workflow), workflow_fields(workflow, definition=""))

    assert "admin changed it in the meantime" in errors(response)


@pytest.mark.django_db
def test_a_new_workflow_gets_its_first_revision(page: Client, admin: User) -> None:
    model = Workflow.objects.get()
    fields = workflow_fields(model, application=model.application.pk, seen_revision="")

    taken = page.post(address(Workflow, "add"), fields)
    response = page.post(address(Workflow, "add"), {**fields, "name": "Deploy web again"})

    assert "has a workflow of this name" in errors(taken)
    assert response.status_code == 302, errors(response)
    revision = Workflow.objects.get(name="Deploy web again").current_revision
    assert revision is not None
    assert (revision.number, revision.created_by) == (1, admin)


@pytest.mark.django_db
def test_a_workflow_keeps_to_its_application(page: Client) -> None:
    workflow = Workflow.objects.get()
    other = Application.objects.create(name="Other")
    service = other.services.create(name="x", deployment_type="SSH", artifact_type="TAR")

    response = page.post(address(workflow), workflow_fields(workflow, service=service.pk))

    assert "It belongs to Other" in errors(response)


@pytest.mark.django_db
def test_workflows_are_archived_not_deleted(page: Client) -> None:
    workflow = Workflow.objects.get()
    assert page.get(address(workflow, "delete")).status_code == 403

    page.post(
        address(Workflow, "changelist"), {"action": "archive", "_selected_action": [workflow.pk]}
    )

    workflow.refresh_from_db()
    assert workflow.archived_at is not None
    assert page.get(address(workflow)).status_code == 200
    assert page.post(address(workflow), workflow_fields(workflow)).status_code == 403


@pytest.mark.django_db
def test_a_connector_shows_what_its_platform_refuses(page: Client) -> None:
    connector = Connector.objects.get()
    fields = {
        "name": connector.name,
        "deployment_type": "SSH",
        "credential": "hunter2",
        "settings": "known_hosts: /etc/known_hosts\nusr: deploy",
    }

    response = page.post(address(connector), fields)

    assert "Line 2: usr: is not known here" in errors(response)
    assert "file:/absolute/path or env:NAME" in errors(response)
    assert "hunter2" not in errors(response)


@pytest.mark.django_db
def test_an_infrastructure_shows_what_its_platform_refuses(page: Client) -> None:
    infrastructure = Infrastructure.objects.get()
    fields = {
        "name": infrastructure.name,
        "connector": infrastructure.connector.pk,
        "settings": "directory: /srv/web\nhost: []",
    }

    response = page.post(address(infrastructure), fields)
    fields["settings"] = (
        page.get(address(infrastructure)).context["adminform"].form["settings"].value()
    )

    assert "Line 2: host: is not known here" in errors(response)
    assert page.post(address(infrastructure), fields).status_code == 302


@pytest.mark.django_db
def test_artifacts_are_added_and_never_changed(page: Client) -> None:
    service = Service.objects.get()
    fields = {"service": service.pk, "version": "1.5", "location": "web.tar.gz", "checksum": ""}

    refused = page.post(address(Artifact, "add"), fields)
    added = page.post(address(Artifact, "add"), {**fields, "location": "/srv/web.tar.gz"})

    assert "must be an absolute path" in errors(refused)
    assert added.status_code == 302
    artifact = Artifact.objects.get(version="1.5")
    assert page.post(address(artifact), fields).status_code == 403


@pytest.mark.django_db
def test_a_service_in_use_keeps_its_deployment_type(page: Client) -> None:
    service = Service.objects.get()
    fields = {"name": "web", "deployment_type": "PCF", "artifact_type": "TAR"}

    assert "Workflows or deployments depend on it" in errors(page.post(address(service), fields))


@pytest.mark.django_db
def test_the_header_says_whose_site_it_is(page: Client) -> None:
    assert "Lastgood" in page.get(reverse("admin:index")).text
