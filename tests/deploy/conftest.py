"""What every test of the containers may ask for."""

import os
from pathlib import Path

import pytest

from orchestrator.demo import binaries
from tests.deploy.compose import ROOT


@pytest.fixture(scope="session")
def tools() -> binaries.Binaries:
    """Name the real programs, as `TOOLS` chooses them."""
    return binaries.find(os.environ, Path(ROOT, ".tools"))  # noqa: TID251  as the demo does


@pytest.fixture(scope="session")
def newest() -> binaries.Binaries:
    """Name those of Debian unstable, which are of the versions that the images are pinned to."""
    return binaries.find({"TOOLS": "new"}, Path(ROOT, ".tools"))
