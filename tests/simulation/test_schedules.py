"""Schedules in which much goes wrong, and nothing is wrong at the end; the same seed, the same."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from dashboard.models import Deployment
from rollbacks.simulation.database import laboratory
from rollbacks.simulation.schedule import Simulator

SCHEDULES = 150
FIRST = 7_000_000


def simulate(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`manage.py simulate` in a process of its own."""
    return subprocess.run(
        [sys.executable, "manage.py", "simulate", *arguments],
        cwd=settings.BASE_DIR,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_whatever_goes_wrong_the_auditor_finds_nothing(simulator: Simulator) -> None:
    happened: Counter[str] = Counter()
    for seed in range(FIRST, FIRST + SCHEDULES):
        outcome = simulator.run(seed)
        assert not outcome.violations, outcome.story
        happened.update(outcome.faults)
    assert len(happened) >= 18, happened
    assert happened["crash"] > SCHEDULES / 4


def test_the_same_seed_tells_the_same_story(simulator: Simulator) -> None:
    for seed in range(10):
        assert simulator.run(seed).story == simulator.run(seed).story
    assert simulator.run(1).story != simulator.run(2).story


def test_another_process_with_other_hashes_tells_the_same_story(simulator: Simulator) -> None:
    seed = 3
    for hashes in ("1", "2"):
        told = simulate("--seed", f"{seed}", "--schedules", "1", PYTHONHASHSEED=hashes)
        assert told.returncode == 0, told.stderr
        assert simulator.run(seed).story in told.stdout


def test_a_simulation_touches_no_configured_database(tmp_path: Path) -> None:
    state = {"LASTGOOD_STATE_DIR": str(tmp_path), "LASTGOOD_SECRET_KEY": "x" * 50}
    told = simulate("--seed", "5", "--schedules", "3", "--jobs", "2", **state)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("Seed 5: 3 schedules, 2 jobs.\n")
    assert "No violation in 3 schedules." in told.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_the_usual_database_comes_back_when_a_simulation_ends() -> None:
    usual = connection.settings_dict["NAME"]
    with laboratory() as shelf:
        Simulator(shelf).run(1)
        assert connection.settings_dict["NAME"] == ":memory:"
        assert Deployment.objects.exists()
    assert connection.settings_dict["NAME"] == usual
    assert not Deployment.objects.exists()
