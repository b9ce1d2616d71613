"""What web.yml may say, how it is told what it may not, and that promtool agrees."""

import os
import ssl
import subprocess
from pathlib import Path

import pytest

from orchestrator import webconfig
from orchestrator.demo import binaries
from orchestrator.webconfig import BadWebConfig, Tls, WebConfig, load, stamp
from tests.orchestrator.site import found

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
PAIR = "cert_file: server.pem, key_file: server.key"
CA = "client_ca_file: ca.pem"
NO_SUCH = "No such file or directory"
CIPHER = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
SOME_HEADERS = "{X-Frame-Options: deny, X-Content-Type-Options: nosniff, X-XSS-Protection: '0'}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with certificates, where web.yml can be written."""
    found(tmp_path)
    monkeypatch.chdir(tmp_path)
    return Path()


def _load(folder: Path, text: str) -> WebConfig:
    (folder / "web.yml").write_text(text)
    return load(folder / "web.yml")


REQUIRED = f"client_auth_type: RequireAndVerifyClientCert, {CA}"
NAMED = "client_allowed_sans: [prometheus.example.org, 192.0.2.1]"
ALL_CIPHERS = f"cipher_suites: [{', '.join(webconfig._CIPHERS)}]"
ACCEPTED = [
    "",
    "{}",
    "basic_auth_users: {}",
    f"basic_auth_users: {{alice: {HASH}, 'b ö b': {HASH.replace('2y', '2b')}, '': {HASH}}}",
    f"basic_auth_users: {{alice: {HASH.replace('$10$', '$16$')}}}",
    "http_server_config: {http2: true}",
    "http_server_config: {http2: false, headers: {Content-Security-Policy: default-src 'self'}}",
    f"http_server_config: {{headers: {SOME_HEADERS}}}",
    "http_server_config: {headers: {X-Frame-Options: sameorigin, Strict-Transport-Security: ''}}",
    f"tls_server_config: {{{PAIR}}}",
    f"tls_server_config: {{{PAIR}, client_auth_type: NoClientCert}}",
    f"tls_server_config: {{{PAIR}, client_auth_type: VerifyClientCertIfGiven, {CA}}}",
    f"tls_server_config: {{{PAIR}, {REQUIRED}}}",
    f"tls_server_config: {{{PAIR}, {REQUIRED}, {NAMED}}}",
    f"tls_server_config: {{{PAIR}, min_version: TLS12, max_version: TLS12}}",
    f"tls_server_config: {{{PAIR}, min_version: TLS13, max_version: TLS13}}",
    f"tls_server_config: {{{PAIR}, cipher_suites: [], prefer_server_cipher_suites: true}}",
    f"tls_server_config: {{{PAIR}, {ALL_CIPHERS}, prefer_server_cipher_suites: false}}",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_we_accept_promtool_accepts(folder: Path, text: str) -> None:
    _load(folder, text)
    promtool = binaries.find(os.environ, Path(__file__).parents[2] / ".tools").promtool  # noqa: TID251  as the demo does
    checked = subprocess.run(  # noqa: S603  the tool that was found, no shell
        [promtool, "check", "web-config", "web.yml"], capture_output=True, text=True, check=False
    )
    if "field client_allowed_sans not found" in checked.stderr:
        pytest.skip("a promtool from before client_allowed_sans")
    if "expected command but got" in checked.stderr:
        pytest.skip("a promtool from before check web-config")
    assert (checked.returncode, checked.stderr) == (0, "web.yml SUCCESS\n")


def test_every_key_is_read(folder: Path) -> None:
    read = _load(
        folder,
        f"""
tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [prometheus, 192.0.2.1]
  min_version: TLS12
  max_version: TLS12
  cipher_suites: [{CIPHER}]
  prefer_server_cipher_suites: false
http_server_config:
  http2: false
  headers: {{X-Frame-Options: deny, X-XSS-Protection: ""}}
basic_auth_users: {{alice: {HASH}}}
""",
    )
    assert read.tls is not None
    assert read == WebConfig(
        tls=Tls(
            context=read.tls.context,
            client_required=True,
            client_sans=frozenset({"prometheus", "192.0.2.1"}),
        ),
        headers={"X-Frame-Options": "deny"},
        users={"alice": HASH},
        files={},
    )


def test_every_file_that_is_read_is_watched(folder: Path) -> None:
    read = _load(
        folder, f"tls_server_config: {{{PAIR}, client_auth_type: VerifyClientCertIfGiven, {CA}}}"
    )
    names = ["web.yml", "server.pem", "server.key", "ca.pem"]
    assert read.files == {folder / name: stamp(folder / name) for name in names}


def _settings(folder: Path, more: str) -> tuple[object, ...]:
    tls = _load(folder, f"tls_server_config: {{{PAIR}, {more}}}").tls
    assert tls is not None
    context = tls.context
    old = [each["name"] for each in context.get_ciphers() if each["protocol"] != "TLSv1.3"]
    ours = bool(context.options & ssl.OP_CIPHER_SERVER_PREFERENCE)
    versions = context.minimum_version.name, context.maximum_version.name
    return *versions, context.verify_mode.name, ours, old if "cipher_suites" in more else []


@pytest.mark.parametrize(
    ("more", "settings"),
    [
        ("", ("TLSv1_2", "TLSv1_3", "CERT_NONE", True, [])),
        ("max_version: TLS12", ("TLSv1_2", "TLSv1_2", "CERT_NONE", True, [])),
        ("min_version: TLS13", ("TLSv1_3", "TLSv1_3", "CERT_NONE", True, [])),
        (
            f"client_auth_type: VerifyClientCertIfGiven, {CA}",
            ("TLSv1_2", "TLSv1_3", "CERT_OPTIONAL", True, []),
        ),
        (
            f"client_auth_type: RequireAndVerifyClientCert, {CA}",
            ("TLSv1_2", "TLSv1_3", "CERT_REQUIRED", True, []),
        ),
        (
            f"cipher_suites: [{CIPHER}], prefer_server_cipher_suites: false",
            ("TLSv1_2", "TLSv1_3", "CERT_NONE", False, ["ECDHE-ECDSA-AES256-GCM-SHA384"]),
        ),
    ],
)
def test_openssl_is_set_as_written(folder: Path, more: str, settings: tuple[object, ...]) -> None:
    assert _settings(folder, more) == settings


@pytest.mark.parametrize(
    ("text", "authenticates"),
    [
        ("", False),
        ("basic_auth_users: {}", False),
        (f"basic_auth_users: {{alice: {HASH}}}", True),
        (f"tls_server_config: {{{PAIR}}}", False),
        (f"tls_server_config: {{{PAIR}, client_auth_type: VerifyClientCertIfGiven, {CA}}}", False),
        (
            f"tls_server_config: {{{PAIR}, {REQUIRED}}}",
            True,
        ),
    ],
)
def test_every_caller_is_known_by_password_or_certificate(
    folder: Path, text: str, *, authenticates: bool
) -> None:
    assert _load(folder, text).authenticates is authenticates


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadWebConfig) as refused:
        load(tmp_path / "web.yml")
    assert str(refused.value) == f"{tmp_path / 'web.yml'}: {NO_SUCH}"


def test_files_are_looked_for_beside_web_yml(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "web.yml").write_text(f"tls_server_config: {{{PAIR}}}")
    whole = folder.absolute() / "web.yml"
    monkeypatch.chdir(tmp_path)
    assert set(load(whole).files) == {
        whole.with_name(n) for n in ("web.yml", "server.pem", "server.key")
    }


def test_a_file_that_only_became_readable_has_another_stamp(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("key")
    file.chmod(0o200)
    before = stamp(file)
    file.chmod(0o600)
    assert (stamp(file) != before, stamp(tmp_path / "none")) == (True, ())
