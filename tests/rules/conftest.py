"""What every test of the rules may ask for."""

import os
from pathlib import Path

import pytest

from orchestrator.demo import binaries
from tests.rules import ruleset


@pytest.fixture(scope="session")
def tools() -> binaries.Binaries:
    """Name the real programs, as `TOOLS` chooses them."""
    return binaries.find(os.environ, Path(ruleset.ROOT, ".tools"))  # noqa: TID251  as the demo does
