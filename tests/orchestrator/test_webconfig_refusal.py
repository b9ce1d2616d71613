"""What web.yml may not say, and in which words it is told so."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from orchestrator import webconfig
from orchestrator.webconfig import BadWebConfig, WebConfig, load
from tests.orchestrator.site import found

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
PAIR = "cert_file: server.pem, key_file: server.key"
CA = "client_ca_file: ca.pem"
REQUIRED = f"client_auth_type: RequireAndVerifyClientCert, {CA}"
NO_SUCH = "No such file or directory"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with certificates, where web.yml can be written."""
    found(tmp_path)
    (tmp_path / "junk.pem").write_text("junk")
    (tmp_path / "other").mkdir()
    found(tmp_path / "other")
    monkeypatch.chdir(tmp_path)
    return Path()


def _load(folder: Path, text: str) -> WebConfig:
    (folder / "web.yml").write_text(text)
    return load(folder / "web.yml")


def _tls(*mistakes: str) -> list[str]:
    return [f"tls_server_config.{mistake}" for mistake in mistakes]


_ASKS = (
    " asks for a certificate without verifying it, which Python's ssl cannot; write"
    " VerifyClientCertIfGiven or RequireAndVerifyClientCert"
)
_NO_HASH = "is not a bcrypt hash; make one with: htpasswd -nBC 10 '' | tr -d ':\\n'"
_HEADERS = (
    "known here: Content-Security-Policy, Strict-Transport-Security, X-Content-Type-Options,"
    " X-Frame-Options, X-XSS-Protection"
)
_INLINE = "is taken from a file only; write it to one and name that with"

REFUSED_TLS = [
    ("", _tls("cert_file: is missing", "key_file: is missing")),
    ("min_version: TLS12", _tls("cert_file: is missing", "key_file: is missing")),
    (
        "cert_fil: server.pem, key_file: server.key",
        _tls("cert_file: is missing", "cert_fil: unknown key, did you mean cert_file?"),
    ),
    (f"{PAIR}, cert: a", _tls(f"cert: {_INLINE} cert_file")),
    (f"{PAIR}, key: a", _tls(f"key: {_INLINE} key_file")),
    (f"{PAIR}, client_ca: a", _tls(f"client_ca: {_INLINE} client_ca_file")),
    (
        f"{PAIR}, curve_preferences: [X25519]",
        _tls(
            "curve_preferences: has no like in Python's ssl; leave it out for OpenSSL's own order"
        ),
    ),
    (
        f"{PAIR}, client_auth_type: RequestClientCert",
        _tls(f"client_auth_type: 'RequestClientCert'{_ASKS}"),
    ),
    (
        f"{PAIR}, client_auth_type: RequireAnyClientCert",
        _tls(f"client_auth_type: 'RequireAnyClientCert'{_ASKS}"),
    ),
    (
        f"{PAIR}, client_auth_type: RequireClientCert",
        _tls(f"client_auth_type: 'RequireClientCert'{_ASKS}"),
    ),
    (
        f"{PAIR}, client_auth_type: [a]",
        _tls(
            "client_auth_type: ['a'] is unknown; known here: NoClientCert,"
            " VerifyClientCertIfGiven, RequireAndVerifyClientCert"
        ),
    ),
    (
        f"{PAIR}, client_auth_type: Require",
        _tls(
            "client_auth_type: 'Require' is unknown; known here: NoClientCert,"
            " VerifyClientCertIfGiven, RequireAndVerifyClientCert"
        ),
    ),
    (
        f"{PAIR}, client_auth_type: VerifyClientCertIfGiven",
        _tls("client_ca_file: is missing; VerifyClientCertIfGiven needs it"),
    ),
    (
        f"{PAIR}, client_auth_type: RequireAndVerifyClientCert",
        _tls("client_ca_file: is missing; RequireAndVerifyClientCert needs it"),
    ),
    (
        f"{PAIR}, {CA}",
        _tls(
            "client_auth_type: NoClientCert makes no use of client_ca_file;"
            " RequireAndVerifyClientCert does"
        ),
    ),
    (
        f"{PAIR}, {CA}, client_auth_type: VerifyClientCertIfGiven, client_allowed_sans: [a]",
        _tls("client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert"),
    ),
    (
        f"{PAIR}, {CA}, client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: []",
        _tls("client_allowed_sans: must not be empty"),
    ),
    (
        f"{PAIR}, min_version: TLS10",
        _tls("min_version: 'TLS10' is no longer spoken by Python's OpenSSL; write TLS12 or TLS13"),
    ),
    (
        f"{PAIR}, max_version: TLS11",
        _tls("max_version: 'TLS11' is no longer spoken by Python's OpenSSL; write TLS12 or TLS13"),
    ),
    (
        f"{PAIR}, min_version: 1.2",
        _tls("min_version: 1.2 is unknown; known here: TLS12, TLS13"),
    ),
    (
        f"{PAIR}, min_version: TLS13, max_version: TLS12",
        _tls("min_version: TLS13 is above max_version TLS12"),
    ),
    (
        f"{PAIR}, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]",
        _tls(
            "cipher_suites[0]: 'TLS_RSA_WITH_RC4_128_SHA' is unknown; known here: "
            + ", ".join(webconfig._CIPHERS)
        ),
    ),
    (
        f"{PAIR}, prefer_server_cipher_suites: 1",
        _tls("prefer_server_cipher_suites: input should be a valid boolean"),
    ),
    (
        f"cert_file: a.pem, key_file: b.key, {REQUIRED.replace('ca.pem', 'c.pem')}",
        _tls(
            f"cert_file: a.pem: {NO_SUCH}",
            f"key_file: b.key: {NO_SUCH}",
            f"client_ca_file: c.pem: {NO_SUCH}",
        ),
    ),
    ("cert_file: '', key_file: server.key", _tls("cert_file: .: Is a directory")),
    (
        'cert_file: server.pem, key_file: "a\\0"',
        _tls("key_file: a\0: embedded null byte"),
    ),
    (
        "cert_file: server.pem, key_file: other/server.key",
        _tls("key_file: no pair with cert_file: key values mismatch"),
    ),
    (
        "cert_file: server.pem, key_file: junk.pem",
        _tls("key_file: no pair with cert_file: no PEM, or a key with a password"),
    ),
    (
        f"{PAIR}, client_auth_type: VerifyClientCertIfGiven, client_ca_file: junk.pem",
        _tls("client_ca_file: junk.pem: not certificates: no certificate or crl found"),
    ),
]

REFUSED = [
    ("[]", ["the file: must be a mapping of keys to values"]),
    ("tls_server_config: []", ["tls_server_config: must be a mapping of keys to values"]),
    (
        "rate_limit: {burst: 20}",
        ["rate_limit: we limit no rate; leave it out, and limit it in a proxy in front"],
    ),
    (
        "http_server_config: {http2: 1}",
        ["http_server_config.http2: input should be a valid boolean"],
    ),
    (
        "http_server_config: {header: {}}",
        ["http_server_config.header: unknown key, did you mean headers?"],
    ),
    (
        "http_server_config: {headers: {X-Powered-By: us}}",
        [f"http_server_config.headers: 'X-Powered-By' is unknown; {_HEADERS}"],
    ),
    (
        "http_server_config: {headers: {X-Frame-Options: DENY}}",
        ["http_server_config.headers: 'X-Frame-Options' must be deny or sameorigin"],
    ),
    (
        'http_server_config: {headers: {Content-Security-Policy: "a\\r\\nSet-Cookie: b"}}',
        ["http_server_config.headers: 'Content-Security-Policy' must be a line of ASCII"],
    ),
    (
        "http_server_config: {headers: {X-XSS-Protection: 0}}",
        ["http_server_config.headers.X-XSS-Protection: must be text; put it in quotes"],
    ),
    ("basic_auth_users:", ["basic_auth_users: must be a mapping of keys to values"]),
    ("basic_auth_users: {alice: secret}", [f"basic_auth_users.alice: {_NO_HASH}"]),
    ("basic_auth_users: {alice: ''}", [f"basic_auth_users.alice: {_NO_HASH}"]),
    (
        f"basic_auth_users: {{alice: {HASH}a, bob: {HASH[:28]}a{HASH[29:]}, eve: 1}}",
        [
            f"basic_auth_users.alice: {_NO_HASH}",
            f"basic_auth_users.bob: {_NO_HASH}",
            "basic_auth_users.eve: must be text; put it in quotes",
        ],
    ),
    (
        f"basic_auth_users: {{alice: {HASH.replace('$10$', '$17$')}}}",
        ["basic_auth_users.alice: a bcrypt cost of 17; from 4 to 16 is usable"],
    ),
    (
        f"basic_auth_users: {{alice: {HASH.replace('$10$', '$03$')}}}",
        ["basic_auth_users.alice: a bcrypt cost of 03; from 4 to 16 is usable"],
    ),
    (
        f"basic_auth_users: {{'a:b': {HASH}}}",
        ["basic_auth_users: a name must not contain a colon: Basic authentication ends it there"],
    ),
    (
        f"basic_auth_users: {{a: {HASH}, a: {HASH}}}",
        ["line 1, column 85: key 'a' stands twice"],
    ),
    (
        f"basic_auth_users:\n  alice: bob: {HASH}",
        ["line 2, column 13: mapping values are not allowed in this context"],
    ),
    *((f"tls_server_config: {{{tls}}}", mistakes) for tls, mistakes in REFUSED_TLS),
]


@pytest.mark.parametrize(("text", "mistakes"), REFUSED)
def test_what_cannot_be_honoured_is_refused_by_its_path(
    folder: Path, text: str, mistakes: list[str]
) -> None:
    with pytest.raises(BadWebConfig) as refused:
        _load(folder, text)
    assert refused.value.mistakes == mistakes
    assert str(refused.value) == "\n".join(f"web.yml: {mistake}" for mistake in mistakes)


def test_a_key_with_a_password_is_refused_without_asking_for_it(folder: Path) -> None:
    key = serialization.load_pem_private_key(Path("server.key").read_bytes(), password=None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    Path("locked.key").write_bytes(locked)
    with pytest.raises(BadWebConfig) as refused:
        _load(folder, "tls_server_config: {cert_file: server.pem, key_file: locked.key}")
    assert refused.value.mistakes == _tls(
        "key_file: no pair with cert_file: no PEM, or a key with a password"
    )


def test_a_hash_is_in_no_repr_and_no_refusal(folder: Path) -> None:
    told = [repr(_load(folder, f"basic_auth_users: {{alice: {HASH}}}"))]
    for broken in (
        f"basic_auth_users: {{alice: {HASH}, bob: [{HASH}]}}",
        f"basic_auth_users: {{alice: {HASH}",
        f"basic_auth_users:\n  alice: bob: {HASH}",
        f"basic_auth_users: {{alice: {HASH}{HASH}}}",
        f"basic_auth_users: {{alice: {HASH}}}\nrate_limit: 1",
    ):
        with pytest.raises(BadWebConfig) as refused:
            _load(folder, broken)
        told += [str(refused.getrepr()), repr(refused.value), str(refused.value.files)]
    assert [each for each in told if HASH[7:] in each and "_load(folder" not in each] == []
