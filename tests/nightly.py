"""What takes too long for each run is left to `make test-nightly`, by LASTGOOD_TEST_NIGHTLY=1."""

import os

IS_NIGHTLY = os.environ.get("LASTGOOD_TEST_NIGHTLY") == "1"
