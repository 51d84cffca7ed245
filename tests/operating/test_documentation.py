"""What docs/operate.md and docs/settings.md name is what there is."""

import re
from pathlib import Path

import pytest
from django.utils import timezone

from dashboard.operating.metrics import Metrics
from dashboard.operating.stuck import Reason
from tests.operating.stack import COMPOSE, ROOT, image_environment

OPERATE = (ROOT / "docs" / "operate.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()


@pytest.mark.django_db
def test_every_metric_is_explained_and_no_other() -> None:
    there_are = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in Metrics(timezone.now()).collect()
    }
    assert there_are == set(re.findall(r"`(lastgood_\w+)(?:`|\{)", OPERATE))


def test_every_reason_for_being_stuck_is_known() -> None:
    assert Reason.NOT_TAKEN in OPERATE


def test_every_variable_is_a_setting_that_is_explained() -> None:
    read = set(re.findall(r'"(LASTGOOD_\w+)"', (ROOT / "dashboard" / "settings.py").read_text()))
    assert read == set(re.findall(r"^\| `(LASTGOOD_\w+)`", SETTINGS, re.MULTILINE))
    named = set(re.findall(r"LASTGOOD_\w+", OPERATE + examples()))
    assert named | {name for name in image_environment() if "LASTGOOD" in name} <= read


def examples() -> str:
    return "".join((ROOT / f"{name}.env.example").read_text() for name in ("lastgood", "postgres"))


def test_the_worker_is_started_in_the_documents_as_in_compose() -> None:
    assert " ".join(COMPOSE["services"]["worker"]["command"]) in OPERATE


def test_every_link_of_the_documents_leads_somewhere() -> None:
    for page in Path(ROOT / "docs").glob("*.md"):
        for link in re.findall(r"\]\(([\w./-]+\.md)(?:#[\w-]+)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
