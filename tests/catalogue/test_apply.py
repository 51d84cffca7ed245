"""A catalogue file becomes the catalogue, once; the second time there is nothing to do."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts import policy
from accounts.models import AuditEvent, User, UserGroup
from accounts.vocabulary import Right
from dashboard.models import (
    Application,
    Artifact,
    Connector,
    DeploymentFreeze,
    Environment,
    Infrastructure,
    Service,
    Workflow,
    WorkflowRevision,
)
from rollbacks.catalogue import CatalogueError, apply
from tests.catalogue.conftest import GOOD

pytestmark = pytest.mark.django_db
Write = Callable[..., Path]


def told(*files: Path, dry_run: bool = False) -> str:
    out = StringIO()
    call_command("apply", *map(str, files), dry_run=dry_run, stdout=out)
    return out.getvalue()


def test_a_good_file_creates_everything(write: Write) -> None:
    output = told(write())

    assert "11 created, 0 changed." in output
    workflow = Workflow.objects.get(name="Deploy web")
    assert str(workflow.infrastructure) == "Shop / Production / Web hosts"
    assert workflow.service.description == ""
    revision = workflow.current_revision
    assert revision is not None
    assert revision.number == 1
    assert revision.definition["failure_strategy"] == "ROLLBACK_WORKFLOW", "defaults are filled in"
    assert Artifact.objects.get().version == "1.4"
    assert DeploymentFreeze.objects.get().is_on
    assert not User.objects.get(username="erin").has_usable_password()


def test_rights_follow_from_the_rows_at_once(write: Write) -> None:
    apply([write()])

    erin = User.objects.get(username="erin")
    for environment in Environment.objects.all():
        assert policy.may_roll_back(erin, environment)
        assert not policy.may(erin, Right.EXECUTE_WORKFLOW, environment)


def test_the_second_time_there_is_nothing_to_change(write: Write) -> None:
    apply([write()])

    assert told(write()) == "Nothing to change.\n"
    assert WorkflowRevision.objects.count() == 1


def test_a_dry_run_shows_the_same_and_writes_nothing(write: Write) -> None:
    output = told(write(), dry_run=True)

    assert "+ application Shop (created)" in output
    assert "Dry run: nothing was written." in output
    for model in (Application, Connector, User, WorkflowRevision, DeploymentFreeze, AuditEvent):
        assert not model._default_manager.exists()
    assert not UserGroup.objects.filter(name="Operators").exists()


def test_a_change_is_told_with_old_and_new(write: Write) -> None:
    apply([write()])

    output = told(write("What customers see.", "The shop."))

    assert "~ application Shop (changed)" in output
    assert "description: What customers see. → The shop." in output
    assert "0 created, 1 changed." in output


def test_only_a_different_definition_makes_a_revision(write: Write) -> None:
    apply([write()])
    apply([write("name: Drain\n", "name: Drain\n                  timeout: 600\n")])
    assert WorkflowRevision.objects.count() == 1, "600 is the default: nothing differs"

    actor = User.objects.get(username="erin")
    [change] = apply([write("seconds: 5", "seconds: 9")], actor=actor)

    assert "-      seconds: 5" in str(change)
    assert "+      seconds: 9" in str(change)
    workflow = Workflow.objects.get()
    assert workflow.current_revision is not None
    assert workflow.current_revision.number == 2
    assert workflow.current_revision.created_by == actor
    assert workflow.revisions.get(number=1).definition["phases"][0]["steps"][0]["settings"] == {
        "seconds": 5
    }


def test_what_a_file_does_not_mention_stays_as_it_is(write: Write) -> None:
    apply([write()])
    text = """\
applications:
  - name: Shop
    artifacts:
      - {service: web, version: 1.5.0, location: "https://artifacts.example/web-1.5.0.tar.gz"}
user_groups:
  - name: Operators
"""

    [change] = apply([write(text=text, name="release.yaml")])

    assert (change.noun, change.name) == ("artifact", "Shop / web 1.5.0")
    assert Application.objects.get().description == "What customers see."
    group = UserGroup.objects.get(name="Operators")
    assert group.user_set.count() == 1
    assert group.app_permissions.count() == 1


def test_an_empty_list_takes_members_and_rights_away(write: Write) -> None:
    apply([write()])
    text = "user_groups: [{name: Operators, members: [], app_permissions: []}]"

    apply([write(text=text)])

    group = UserGroup.objects.get(name="Operators")
    assert group.user_set.count() == group.app_permissions.count() == 0
    erin = User.objects.get(username="erin")
    erin.groups.add(group)
    assert not policy.application_ids(erin).exists()


def test_several_files_and_documents_are_one_unit(write: Write) -> None:
    connectors, rest = GOOD.split("applications:", 1)
    applications, users = rest.split("users:", 1)
    first = write(text=f"applications:{applications}", name="1.yaml")
    second = write(text=f"{connectors}---\nusers:{users}", name="2.yaml")

    assert len(apply([first, second])) == 11
    assert Infrastructure.objects.get().connector.name == "shop-hosts"


def test_an_archived_workflow_gives_its_name_to_a_new_one(write: Write) -> None:
    apply([write()])
    Workflow.objects.update(archived_at="2030-01-01T00:00:00Z")

    [change] = apply([write()])

    assert change.is_new
    assert Workflow.objects.filter(archived_at=None).count() == 1


def test_without_infrastructure_a_workflow_is_a_template(write: Write) -> None:
    apply([write("        infrastructure: Production / Web hosts\n")])

    assert Workflow.objects.get().infrastructure is None


def test_a_version_that_looks_like_a_date_is_text(write: Write) -> None:
    apply([write('"1.4"', "2030-01-02")])

    assert Artifact.objects.get().version == "2030-01-02"


def test_a_service_may_change_its_platform_only_with_its_workflows(write: Write) -> None:
    apply([write()])
    text = """\
applications:
  - name: Shop
    services: [{name: web, deployment_type: PCF, artifact_type: TAR}]
"""

    with pytest.raises(CatalogueError, match="Shop / Deploy web would not fit any more"):
        apply([write(text=text)])

    assert Service.objects.get().deployment_type == "SSH"


def test_problems_go_to_stderr_with_exit_code_1(write: Write) -> None:
    with pytest.raises(CommandError) as refused:
        told(write("type: production", "type: live"))

    assert refused.value.returncode == 1
    assert "Nothing was written." in str(refused.value)
