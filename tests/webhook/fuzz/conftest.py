"""One webhook for all that is thrown at it."""

from collections.abc import Iterator

import pytest

from tests.conftest import FreePort
from tests.webhook.fuzz.site import Site, running


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory, free_port: FreePort) -> Iterator[Site]:
    """Run a webhook with a history."""
    with running(tmp_path_factory.mktemp("fuzz"), free_port()) as site:
        yield site
