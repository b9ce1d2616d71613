"""What orchestrator.yml may say of the analyzer, and where its key comes from."""

from datetime import date
from pathlib import Path

import pytest

from orchestrator.analyzing import WrittenAnalyzer, unpriced
from orchestrator.config import Analyzer, BadConfig, decode, load
from orchestrator.prices import Price, Rate

ONE = "{input: 1, output: 2}"


def _made(text: str = "", folder: Path = Path(), **environment: str) -> Analyzer:
    written = f"analyzer: {{{text}}}"
    return decode(written, source="o.yml", folder=folder, environment=environment).analyzer


def _refused(text: str, folder: Path = Path(), **environment: str) -> list[str]:
    with pytest.raises(BadConfig) as refused:
        _made(text, folder, **environment)
    return [each.removeprefix("analyzer.") for each in refused.value.mistakes]


KNOWN = (
    "mode, model, fallback_model, effort, auto_above, daily_budget_usd, monthly_budget_usd, "
    "calls_per_hour, allow, url, prices, runbooks, key_file"
)
MISTAKES = [
    ("key: sk-s3same", [f"key: unknown key; known here: {KNOWN}"]),
    ("mode: off", ["mode: put off in quotes; without them YAML reads false"]),
    ("mode: null", ["mode: input should be 'always', 'on_failure' or 'off'"]),
    ("model: null", ["model: must be text; put it in quotes"]),
    ("fallback_model: ''", ["fallback_model: string should have at least 1 character"]),
    ("effort: max", ["effort: input should be 'low', 'medium' or 'high'"]),
    ("effort: high, auto_above: '0.9'", ["auto_above: input should be a valid number"]),
    ("auto_above: true", ["auto_above: input should be a valid number"]),
    ("auto_above: 0.69", ["auto_above: input should be greater than or equal to 0.7"]),
    ("calls_per_hour: -1", ["calls_per_hour: input should be greater than or equal to 0"]),
    ("calls_per_hour: 1001", ["calls_per_hour: input should be less than or equal to 1000"]),
    ("calls_per_hour: 1.5", ["calls_per_hour: input should be a valid integer"]),
    ("allow: [clear_cache]", ["allow: must be a mapping of keys to values"]),
    ("allow: {A: clear_cache}", ["allow.A: must be a list"]),
    ("allow: {A: [1]}", ["allow.A[0]: must be text; put it in quotes"]),
    ("url: api", ["url: 'api' is not a URL like http://127.0.0.1:3010"]),
    (
        "url: 'https://user:s3same@h'",
        ["url: holds a user name or password; keep those out of URLs"],
    ),
    ("prices: {m: {}}", ["prices.m.input: is missing", "prices.m.output: is missing"]),
    (
        "prices: {m: {input: 1, outptu: 2}}",
        ["prices.m.output: is missing", "prices.m.outptu: unknown key, did you mean output?"],
    ),
    (
        "prices: {m: {input: 0, output: 2}}",
        ["prices.m.input: input should be greater than or equal to 0.001"],
    ),
    (
        "prices: {m: {input: 1, output: .inf}}",
        ["prices.m.output: input should be less than or equal to 10000"],
    ),
    (
        "prices: {m: {input: 1, output: .nan}}",
        ["prices.m.output: input should be less than or equal to 10000"],
    ),
    (
        "prices: {m: {input: 0.1234, output: 2}}",
        ["prices.m.input: must have three decimals at most"],
    ),
    (
        "prices: {m: {input: 1, output: 2, since: '2026-10-07'}}",
        ["prices.m.since: '2026-10-07' is no day; write it like 2026-10-07, without quotes"],
    ),
    (
        "prices: {m: {input: 1, output: 2, since: 0}}",
        ["prices.m.since: 0 is no day; write it like 2026-10-07, without quotes"],
    ),
    ("runbooks: nowhere", ["runbooks: nowhere: no folder"]),
    ("key_file: nowhere", ["key_file: nowhere: No such file or directory"]),
]


@pytest.mark.parametrize(("text", "mistakes"), MISTAKES)
def test_every_mistake_is_named_by_its_path_and_no_secret_is_told(
    text: str, mistakes: list[str]
) -> None:
    told = _refused(text)
    assert (told, "s3same" in str(told)) == (mistakes, False)


NO_PRICE = "no price is known of"
SAY_IT = "say it in analyzer.prices"


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("model: m", [f"model: {NO_PRICE} m; {SAY_IT}"]),
        ("fallback_model: m", [f"fallback_model: {NO_PRICE} m; {SAY_IT}"]),
        (
            "model: claude-sonet-5-5",
            [f"model: {NO_PRICE} claude-sonet-5-5; did you mean claude-sonnet-5-5? Else {SAY_IT}"],
        ),
        (
            f"model: m, fallback_model: n, prices: {{o: {ONE}}}, mode: 'off'",
            [f"model: {NO_PRICE} m; {SAY_IT}", f"fallback_model: {NO_PRICE} n; {SAY_IT}"],
        ),
    ],
)
def test_a_model_without_a_price_is_a_mistake_while_there_is_a_budget(
    text: str, mistakes: list[str]
) -> None:
    assert _refused(text) == mistakes


@pytest.mark.parametrize(
    "text",
    [
        f"model: m, prices: {{m: {ONE}}}",
        f"model: m, fallback_model: null, prices: {{m: {ONE}}}",
        "model: m, daily_budget_usd: 0",
        "model: m, monthly_budget_usd: 0",
    ],
)
def test_a_model_with_a_price_or_without_a_budget_is_none(text: str) -> None:
    assert _made(text).model == "m"


LATER = "{input: 1, output: 2, since: 2999-01-01}"


def test_a_price_that_does_not_hold_yet_is_none_today() -> None:
    why = "no price is known of m before 2999-01-01; say what holds today in analyzer.prices"
    assert _refused(f"model: m, prices: {{m: {LATER}}}") == [f"model: {why}"]
    assert _made(f"prices: {{claude-sonnet-5-5: {LATER}}}").model == "claude-sonnet-5-5"
    assert _made(f"prices: {{m: {LATER}}}").prices["m"].since == date(2999, 1, 1)


@pytest.mark.parametrize(
    ("today", "mistakes"), [(date(2027, 1, 30), 1), (date(2027, 1, 31), 0), (date(2027, 2, 1), 0)]
)
def test_a_price_holds_from_its_day_on(today: date, mistakes: int) -> None:
    written = {"model": "m", "prices": {"m": {"input": 1, "output": 2, "since": date(2027, 1, 31)}}}
    assert len([*unpriced(WrittenAnalyzer.model_validate(written), today)]) == mistakes


READABLE = "url: http without TLS: the key would cross the network readable; write https"


@pytest.mark.parametrize("host", ["api.anthropic.com", "192.0.2.1:3090", "localhost.example"])
def test_a_key_does_not_leave_this_machine_without_tls(host: str) -> None:
    assert _refused(f"url: 'http://{host}'", ANTHROPIC_API_KEY="sk-s3same") == [READABLE]
    assert _made(f"url: 'https://{host}'", ANTHROPIC_API_KEY="sk-1").key == "sk-1"
    assert _made(f"url: 'http://{host}'").key is None


@pytest.mark.parametrize("host", ["127.0.0.1:3090", "localhost:3090", "[::1]:3090"])
def test_on_this_machine_a_key_needs_no_tls(host: str) -> None:
    assert _made(f"url: 'http://{host}'", ANTHROPIC_API_KEY="sk-1").url == f"http://{host}"


@pytest.mark.parametrize(
    ("written", "price"),
    [
        (
            "{input: 0.001, output: 10000, cache_read: 0.125, write_5m: 1.1, write_1h: 2.3}",
            Price(
                rate=Rate(
                    input=1, output=10_000_000, cache_read=125, write_5m=1_100, write_1h=2_300
                ),
                since=date.min,
            ),
        ),
        (
            "{input: 3, output: 15, since: 2027-01-31}",
            Price(
                rate=Rate(
                    input=3_000, output=15_000, cache_read=3_000, write_5m=3_750, write_1h=6_000
                ),
                since=date(2027, 1, 31),
            ),
        ),
    ],
)
def test_a_price_is_said_in_dollars_for_a_million_tokens(written: str, price: Price) -> None:
    assert _made(f"prices: {{m: {written}}}").prices == {"m": price}


@pytest.mark.parametrize("model", ["claude-haiku-5-5", "claude-sonnet-5-5"])
def test_a_model_is_no_fallback_for_itself(model: str) -> None:
    made = _made(f"model: {model}, fallback_model: {model}")
    assert (made.model, made.fallback_model) == (model, None)


def test_a_folder_of_runbooks_begins_where_the_configuration_lies(tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    assert _made("runbooks: books", tmp_path).runbooks == tmp_path / "books"


def test_without_a_folder_the_runbooks_of_this_release_are_read() -> None:
    assert (_made().runbooks / "ProjectDown.md").is_file()


@pytest.mark.parametrize("blank", ["", "  ", "\n", " \t\r\n"])
def test_a_blank_key_is_none(tmp_path: Path, blank: str) -> None:
    (tmp_path / "key").write_bytes(blank.encode())
    by_file = _made("key_file: key", tmp_path)
    assert (by_file.key, _made(ANTHROPIC_API_KEY=blank).key) == (None, None)


def test_a_blank_file_is_not_made_good_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n", encoding="ascii")
    assert _made("key_file: key", tmp_path, ANTHROPIC_API_KEY="sk-other").key is None


@pytest.mark.parametrize("text", ["sk-s3same", "sk-s3same\n", "  sk-s3same\r\n"])
def test_a_key_is_the_one_line_of_its_file_or_of_the_variable(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_bytes(text.encode())
    made = [_made("key_file: key", tmp_path), _made(ANTHROPIC_API_KEY=text)]
    assert [each.key for each in made] == ["sk-s3same", "sk-s3same"]


def test_the_file_counts_before_the_variable(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-file", encoding="ascii")
    assert _made("key_file: key", tmp_path, ANTHROPIC_API_KEY="sk-other").key == "sk-file"


@pytest.mark.parametrize(
    "stray",
    [
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_PROFILE",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "ANTHROPIC_API_KEY_FILE",
        "HTTP_PROXY",
    ],
)
def test_nothing_else_of_the_environment_counts(stray: str) -> None:
    with_it = decode("", source="o.yml", environment={stray: "http://127.0.0.1:1"})
    assert with_it == decode("", source="o.yml")


def test_a_key_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-s3same", encoding="ascii")
    made = decode("analyzer: {key_file: key}", source="o.yml", folder=tmp_path)
    assert (made.analyzer.key, "s3same" in repr(made)) == ("sk-s3same", False)


@pytest.mark.parametrize("text", ["sk-s3same\nX-Evil: 1", "sk-s3same\x07", "sk-s3sam\u00e9"])
def test_what_is_no_key_is_a_mistake_that_does_not_tell_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text, encoding="utf-8")
    why = "not one line of printable ASCII, 8192 characters at most"
    assert [_refused("key_file: key", tmp_path), _refused("", ANTHROPIC_API_KEY=text)] == [
        [f"key_file: {tmp_path / 'key'}: {why}"],
        [f"analyzer: the variable ANTHROPIC_API_KEY: {why}"],
    ]


def test_the_file_of_the_key_is_followed_for_changes(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1", encoding="ascii")
    path = tmp_path / "o.yml"
    path.write_text("analyzer: {key_file: key}", encoding="utf-8")
    assert set(load(path).read) == {path, tmp_path / "key"}
