"""What the environment says is refused where it cannot work, with a sentence that says why."""

import os
import subprocess
import sys

import pytest

from tests.operating.stack import ROOT


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"LASTGOOD_LEASE_SECONDS": "soon"}, "LASTGOOD_LEASE_SECONDS must be a number of seconds"),
        ({"LASTGOOD_LEASE_SECONDS": "nan"}, "LASTGOOD_LEASE_SECONDS must be a number of seconds"),
        ({"LASTGOOD_SWEEP_SECONDS": "0"}, "LASTGOOD_SWEEP_SECONDS must be a number of seconds"),
        ({"LASTGOOD_LEASE_SECONDS": "5"}, "at least twice LASTGOOD_HEARTBEAT_SECONDS"),
        ({"LASTGOOD_LEASE_SECONDS": "5", "LASTGOOD_HEARTBEAT_SECONDS": "2"}, ""),
    ],
)
def test_the_workers_times_must_go_together(given: dict[str, str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import dashboard.settings"],
        cwd=ROOT,
        env=os.environ | given,
        capture_output=True,
        text=True,
    )
    assert (done.returncode == 0) == (said == "")
    assert said in done.stderr
