"""Texts that are made to keep a machine busy, each as long as a line may be."""

_PARTS = (
    "password", "://", "a", "basic ", "eyJ", '"', "'a ", "/", "a.", "a-", "a@", "aa ", "\u00e9",
    "a\u00e9 ", "1:", "1.", "ignore ", "analyzer ", "a b ", "<num> ", "\x1b[", "AAAA", "%41",
    "&amp;", "0 ", "please restart ", "[SECRET_1]", "_", '\\"', "-", "=", "a=b ", "Mozilla/5 ",
    "\ufdfa", "root cause ", "\u0301", "::", "?sig=", "-----BEGIN PRIVATE KEY-----",
)  # fmt: skip
SLOW = tuple(part * (2_000 // len(part)) for part in _PARTS)
# What a single character, or a few, may do to a pattern that begins anew at each of them.
RUNS = (
    "#", "a", "A", "0", "_", "-", ".", "/", ":", "=", '"', "'", "`", "\\", "[", "<", " ", "\n",
    "\x1b", "\x9b", "\u00e9", "eyJ-", "eyJaaaaaaaa.", "sk-", "a/", "a@", "?sig=", "://", "a b ",
    "password ", "--token ", "aB", "<num> ", "-----BEGIN PRIVATE KEY-----",
)  # fmt: skip
