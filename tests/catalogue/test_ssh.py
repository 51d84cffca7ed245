"""Services on SSH hosts, as they would be declared: the platform has its say in the same places."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard.models import Workflow
from rollbacks.catalogue import CatalogueError, apply

pytestmark = pytest.mark.django_db
Write = Callable[..., Path]

WAIT = """\
                - name: Drain
                  kind: wait
                  settings:
                    seconds: 5
"""
INSTALL = """\
                - name: Install
                  kind: ssh.install
                  settings:
                    restart_command: systemctl restart web
                    health_check:
                      url: http://{address}:8080/healthz
                - name: Warm up
                  kind: ssh.script
                  settings:
                    command: bin/warm-up
"""


def test_a_workflow_that_installs_on_hosts(write: Write) -> None:
    apply([write(WAIT, INSTALL)])

    revision = Workflow.objects.get().current_revision
    assert revision is not None
    steps = revision.definition["phases"][0]["steps"]
    assert [step["kind"] for step in steps] == ["ssh.install", "ssh.script"]
    assert apply([write(WAIT, INSTALL)]) == []


def test_without_a_definition_the_platform_gives_the_phases(write: Write) -> None:
    path = write()
    text = path.read_text()
    start, end = text.index("        definition:"), text.index("users:")

    apply([write(text=text[:start] + text[end:])])

    revision = Workflow.objects.get().current_revision
    assert revision is not None
    assert revision.definition["phases"][0]["steps"][0]["kind"] == "ssh.install"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("url: http", "url: ftp", "settings.health_check.url"),
        ("restart_command:", "restart:", "settings.restart"),
    ],
)
def test_a_wrong_setting_of_a_step_has_its_line(
    write: Write, old: str, new: str, place: str
) -> None:
    path = write(WAIT, INSTALL.replace(old, new))
    line = 1 + path.read_text().split(new)[0].count("\n")

    with pytest.raises(CatalogueError) as refused:
        apply([path])

    [problem] = refused.value.problems
    assert problem.line == line
    assert problem.field.endswith(f"definition.phases.0.steps.0.{place}")


SHARED = """\
        definition:
          settings:
            health_timeout: 90
"""


def test_settings_for_all_steps_go_with_the_phases_that_the_platform_gives(write: Write) -> None:
    text = write().read_text()
    start, end = text.index("        definition:"), text.index("users:")

    apply([write(text=text[:start] + SHARED + text[end:])])

    revision = Workflow.objects.get().current_revision
    assert revision is not None
    assert revision.definition["settings"] == {"health_timeout": 90}
    assert revision.definition["phases"][0]["steps"][0]["settings"] == {}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("health_time: 90", "no step of this workflow"), ("health_timeout: long", "valid number")],
)
def test_a_wrong_setting_for_all_steps_has_its_line(write: Write, wrong: str, said: str) -> None:
    shared = SHARED.replace("health_timeout: 90", wrong)
    path = write("        definition:\n", shared)
    text = path.read_text().replace(WAIT, INSTALL)
    path.write_text(text)

    with pytest.raises(CatalogueError) as refused:
        apply([path])

    [problem] = refused.value.problems
    assert problem.line == 1 + text.split(wrong)[0].count("\n")
    assert problem.field.endswith(f"definition.settings.{wrong.split(':')[0]}")
    assert said in problem.sentence


def test_two_hosts_of_one_name_are_refused(write: Write) -> None:
    host = "                - {name: web-1, address: 192.0.2.11}\n"

    with pytest.raises(CatalogueError, match="two hosts are named web-1"):
        apply([write(host, host * 2)])
