"""Schedules in which much goes wrong, and nothing is wrong at the end; the same seed, the same."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from dashboard.models import Deployment
from rollbacks.simulation.database import laboratory
from rollbacks.simulation.schedule import Simulator

SCHEDULES = 30  # and 20,000 by `make test-nightly`
FIRST = 7_000_000


@dataclass(frozen=True)
class Told:
    """What `manage.py simulate` said, in a process with other hashes and a directory of its own."""

    seed: int
    output: str
    left: list[Path]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    seed, state = 3, tmp_path_factory.mktemp("state")
    own = {"LASTGOOD_STATE_DIR": f"{state}", "LASTGOOD_SECRET_KEY": "x" * 50, "PYTHONHASHSEED": "1"}
    done = subprocess.run(
        [sys.executable, "manage.py", "simulate", "--seed", f"{seed}", "--schedules", "1"],
        cwd=settings.BASE_DIR,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return Told(seed, done.stdout, list(state.iterdir()))


def test_whatever_goes_wrong_the_auditor_finds_nothing(simulator: Simulator) -> None:
    happened: Counter[str] = Counter()
    for seed in range(FIRST, FIRST + SCHEDULES):
        outcome = simulator.run(seed)
        assert not outcome.violations, outcome.story
        happened.update(outcome.faults)
    assert len(happened) >= 18, happened
    assert happened["crash"] > SCHEDULES / 4


def test_the_same_seed_tells_the_same_story(simulator: Simulator) -> None:
    for seed in range(3):
        assert simulator.run(seed).story == simulator.run(seed).story
    assert simulator.run(1).story != simulator.run(2).story


def test_another_process_with_other_hashes_tells_the_same_story(
    simulator: Simulator, told: Told
) -> None:
    assert simulator.run(told.seed).story in told.output


def test_the_command_tells_its_seed_first_and_touches_no_configured_database(told: Told) -> None:
    assert told.output.startswith("Seed 3: 1 schedules, ")
    assert "No violation in 1 schedules." in told.output
    assert told.left == []


@pytest.mark.django_db
def test_the_usual_database_comes_back_when_a_simulation_ends() -> None:
    usual = connection.settings_dict["NAME"]
    with laboratory() as shelf:
        Simulator(shelf).run(1)
        assert connection.settings_dict["NAME"] == ":memory:"
        assert Deployment.objects.exists()
    assert connection.settings_dict["NAME"] == usual
    assert not Deployment.objects.exists()
