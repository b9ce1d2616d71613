"""Every operation of the description, fuzzed over a real socket by what the description says.

Whatever is asked: never a status or a body that the description does not have, never a 500, never
a secret, and each refusal is a problem that says what is wrong.
"""

from collections.abc import Mapping
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.webhook.fuzz.site import PROJECTS, Site, is_sound
from webhook.api import TABLES, anomaly

ASKED = {
    f"{each.method} {each.path}": each
    for table in (*TABLES, anomaly.table)
    for each in table.operations
}
CHECKED = [status_code_conformance, content_type_conformance, response_schema_conformance]
RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
WAYS = [(label, RIGHT) for label in ASKED] + [
    (label, WRONG)
    for label, each in ASKED.items()
    if each.roles
    or each.query
    or each.body
    or "{" in each.path  # else there is nothing to get wrong
]
QUICK = 10

Operation = Any  # schemathesis' own, which changes its name from release to release


@pytest.fixture(scope="module")
def operations(site: Site) -> Mapping[str, Operation]:
    """Read the description as anybody would, over the network."""
    told = requests.get(f"{site.url}/api/docs", headers=site.admin, timeout=10).json()
    schema = schemathesis.openapi.from_dict(told)
    found: list[Any] = list(schema.get_all_operations())
    return {each.ok().label: each.ok() for each in found}


def test_every_operation_is_fuzzed(operations: Mapping[str, Operation]) -> None:
    assert operations.keys() == ASKED.keys()


def _known(case: Any, label: str, number: int | None, project: str | None) -> None:  # noqa: ANN401  schemathesis'
    """Ask for what is there, now and then; almost nothing that is made up is."""
    if number is not None:
        if "id" in case.path_parameters:
            case.path_parameters["id"] = str(number)
        query = ASKED[label].query
        for key in {"after", "before"} & (query.model_fields if query else {}).keys():
            case.query[key] = number
    if project is not None:
        if "project" in case.path_parameters:
            case.path_parameters["project"] = project
        body = case.body if isinstance(case.body, dict) else {}
        for key in {"project", "projectName"} & body.keys():
            body[key] = project


@pytest.mark.parametrize(("label", "mode"), WAYS)
@pytest.mark.parametrize("examples", [QUICK, pytest.param(300, marks=pytest.mark.long)])
def test_whatever_is_asked_the_answer_is_as_described(
    site: Site, operations: Mapping[str, Operation], label: str, mode: GenerationMode, examples: int
) -> None:
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=examples <= QUICK,  # the same each time where it has to be quick
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operations[label].as_strategy(generation_mode=mode),
        number=some.sampled_from([None, 1, 2, 3, 5]),
        project=some.sampled_from([None, *PROJECTS]),
    )
    def ask(case: Any, number: int | None, project: str | None) -> None:  # noqa: ANN401  schemathesis'
        _known(case, label, number, project)
        response = case.call(base_url=site.url, headers=site.admin, timeout=20)
        is_sound(response, label, site)
        case.validate_response(response, checks=CHECKED)

    ask()
