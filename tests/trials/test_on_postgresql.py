"""The trials on PostgreSQL, which lets many write at once; SQLite lets them wait for each other.

In a process of its own, because the settings name one database.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.servers import PostgreSQL

HERE = Path(__file__)


@pytest.mark.django_db
def test_the_trials_hold_on_postgresql() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("this is PostgreSQL")
    quiet = ("-q", "-s", "-p", "no:cacheprovider", f"--ignore={HERE}")
    with PostgreSQL() as database:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *quiet, str(HERE.parent)],
            cwd=HERE.parents[2],
            env=os.environ | {"LASTGOOD_DATABASE_URL": database.url},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.stdout.write(done.stdout)
