"""Which models end, and that the table keeps up with the SDK."""

import re
from datetime import datetime

from orchestrator.config import Analyzer
from orchestrator.lifecycle import ENDS
from orchestrator.prices import PRICES


def test_the_table_has_every_model_that_the_sdk_calls_deprecated_with_its_last_day() -> None:
    from anthropic.resources.messages.messages import DEPRECATED_MODELS  # noqa: PLC0415  slow

    said = {
        model: datetime.strptime(re.sub(r"(\d)(?:st|nd|rd|th),", r"\1,", day), "%B %d, %Y").date()  # noqa: DTZ007  a day alone
        for model, day in DEPRECATED_MODELS.items()
    }
    assert said == ENDS


def test_no_model_that_we_name_ourselves_is_about_to_end() -> None:
    ours = Analyzer()
    assert {ours.model, ours.fallback_model, *PRICES} & ENDS.keys() == set()
