"""A bad file is refused whole, and every problem names its file, line and field."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from dashboard.models import Application, Artifact, Connector, Deployment, Service, Target, Workflow
from rollbacks import platforms
from rollbacks.catalogue import CatalogueError, apply
from tests.catalogue.conftest import GOOD

pytestmark = pytest.mark.django_db
Write = Callable[..., Path]


def problems(*files: Path) -> list[str]:
    """What is wrong with the files, with plain names instead of paths."""
    with pytest.raises(CatalogueError) as refused:
        apply(files)
    folder = f"{files[0].parent}/"
    return [str(problem).removeprefix(folder) for problem in refused.value.problems]


SERVICE, PHASES = "applications.0.services.0", "applications.0.workflows.0.definition.phases"
ROW = "user_groups.0.app_permissions.0"
BAD = [
    # what is replaced, by what, the line counted from it, field, part of the sentence
    ("deployment_type: ssh", "deployment_type: telnet", f"{SERVICE}.deployment_type", "one of SSH"),
    ("artifact_type: TAR", "artefact_type: TAR", f"{SERVICE}.artefact_type", "not known here"),
    ("name: web\n", "name: ../web\n", f"{SERVICE}.name", "Start with a letter"),
    ("type: production", "type: live", "applications.0.environments.0.type", "PRODUCTION"),
    (
        "connector: shop-hosts",
        "connector: shop-host",
        "applications.0.environments.0.infrastructures.0.connector",
        "no connector shop-host",
    ),
    (
        "service: web\n        infra",
        "service: wep\n        infra",
        "applications.0.workflows.0.service",
        "no service Shop / wep",
    ),
    (
        "infrastructure: Production / Web hosts",
        "infrastructure: Production / Hosts",
        "applications.0.workflows.0.infrastructure",
        "no infrastructure definition Shop / Production / Hosts",
    ),
    (
        "infrastructure: Production / Web hosts",
        "infrastructure: Web hosts",
        "applications.0.workflows.0.infrastructure",
        "Environment / Infrastructure",
    ),
    ("kind: wait", "kind: weight", f"{PHASES}.0.steps.0.kind", "not one of"),
    ("seconds: 5", "seconds: -5", f"{PHASES}.0.steps.0.settings.seconds", "greater than 0"),
    ("user: deploy", "usr: deploy", "connectors.0.settings.usr", "not known here"),
    (
        "directory: /srv/web",
        "directories: /srv/web",
        "applications.0.environments.0.infrastructures.0.settings.directories",
        "not known here",
    ),
    ('version: "1.4"', "version: 1.4", "applications.0.artifacts.0.version", "quotes"),
    ("location: /srv", "location: srv", "applications.0.artifacts.0.location", "absolute path"),
    ("members: [erin]", "members: [erni]", "user_groups.0.members.0", "no user erni"),
    ("[Manage Applications]", "[Manage All]", "user_groups.0.account_permissions.0", "one of"),
    ("Rollback Workflow]", "Delete]", ROW, "DELETE: not an action of type DEPLOYMENT"),
    ("applications: ALL", "applications: [Shoe]", f"{ROW}.applications.0", "no application Shoe"),
    ("Shop / Production]", "Shop / Prod]", f"{ROW}.environments.1", "no environment Shop / Prod"),
    ("ends_at: 2031", "ends_at: 2029", "freezes.0", "later than starts_at"),
]


@pytest.mark.parametrize(("old", "new", "field", "sentence"), BAD)
def test_each_problem_names_its_line_and_field(
    write: Write, old: str, new: str, field: str, sentence: str
) -> None:
    path = write(old, new)
    line = path.read_text()[: GOOD.index(old)].count("\n") + 1
    if field == ROW:
        line -= 1  # the row begins above its actions
    if field == "freezes.0":
        line -= 2

    found = [each for each in problems(path) if sentence in each]

    assert found, problems(path)
    assert found[0].startswith(f"shop.yaml:{line}: {field}: ")


def test_nothing_at_all_is_written(write: Write) -> None:
    problems(write("name: Holidays", "nam: Holidays"))

    for model in (Application, Connector, User, Workflow, Artifact):
        assert not model._default_manager.exists()


def test_all_problems_of_all_files_are_told_together(write: Write) -> None:
    first = write("artifact_type: TAR", "artifact_type: RAR", name="a.yaml")
    second = write(text="applications:\n  - name: Pay\n    workflows: [{name: x}]\n", name="b.yaml")
    third = write(text="user_groups:\n  - name: G\n    members: [nobody]\n", name="c.yaml")

    found = problems(first, second, third)

    assert [each.split(":")[0] for each in found] == ["a.yaml", "b.yaml", "b.yaml", "c.yaml"]


def test_what_refers_to_a_refused_entry_is_not_reported_as_well(write: Write) -> None:
    assert len(problems(write("artifact_type: TAR", "artifact_type: RAR"))) == 1
    assert len(problems(write("deployment_type: SSH", "deployment_type: SHH"))) == 1


def test_a_key_that_stands_twice_is_refused(write: Write) -> None:
    path = write(text="connectors:\n  - name: a\n    deployment_type: SSH\n    name: b\n")

    assert problems(path) == [
        "shop.yaml:4: connectors.0.name: stands twice in this mapping, first in line 2"
    ]


def test_the_same_thing_in_two_files_is_refused(write: Write) -> None:
    first, second = write(name="a.yaml"), write(name="b.yaml")

    found = problems(first, second)

    assert any(
        each.startswith("b.yaml:2: connectors.0: shop-hosts is declared twice") for each in found
    )


@pytest.mark.parametrize(
    "text", ["a: [", "a: !!python/name:os.system x", "a: *b", "\x00", "{[a]: b}", "&a [*a]", "- 1"]
)
def test_what_is_no_catalogue_is_refused_kindly(write: Write, text: str) -> None:
    [problem] = problems(write(text=text))

    assert problem.startswith("shop.yaml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path / "gone.yaml") == [
        "gone.yaml: cannot be read: No such file or directory"
    ]


def test_a_secret_is_refused_and_never_shown(write: Write) -> None:
    [problem] = problems(write("file:/etc/lastgood/ssh/id_ed25519", "hunter2"))

    assert problem.startswith("shop.yaml:4: connectors.0.credential: Say where the worker finds")
    assert "hunter2" not in problem


@pytest.mark.parametrize("field", ["location: /srv/other.tar.gz", f"checksum: sha256:{'0' * 64}"])
def test_artifacts_are_immutable(write: Write, field: str) -> None:
    apply([write()])
    name = field.split(":")[0]
    text = GOOD.replace("location: /srv/artifacts/web-1.4.tar.gz", field)
    if name == "checksum":
        text = text.replace(field, f"{field}\n        location: /srv/artifacts/web-1.4.tar.gz")

    [problem] = problems(write(text=text))

    assert problem.startswith(f"shop.yaml:30: applications.0.artifacts.0.{name}: ")
    assert "artifacts are immutable: use a new version" in problem


def test_a_deployed_service_keeps_its_deployment_type(write: Write, admin: User) -> None:
    apply([write()])
    workflow = Workflow.objects.get()
    assert workflow.infrastructure is not None
    assert workflow.current_revision is not None
    target = Target.objects.create(service=workflow.service, infrastructure=workflow.infrastructure)
    Deployment.objects.create(
        target=target,
        workflow=workflow,
        revision=workflow.current_revision,
        started_by=admin,
        created_at=timezone.now(),
    )

    found = problems(write("deployment_type: ssh", "deployment_type: PCF"))

    assert "cannot change after the first deployment" in found[0]
    assert Service.objects.get().deployment_type == "SSH"


def test_a_platform_this_release_lacks_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(platforms.PLATFORMS, "PCF")
    found = problems(write("deployment_type: SSH", "deployment_type: PCF"))

    assert found[0].startswith("shop.yaml:3: connectors.0.deployment_type: This release")


def test_managing_groups_needs_viewing_them(write: Write) -> None:
    [problem] = problems(write("[Manage Applications]", "[Manage Users and Groups]"))

    assert "needs View Users and User Groups too" in problem
