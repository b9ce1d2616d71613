"""Credentials that lie around, which the SDK would take by itself."""

import json
from pathlib import Path

TOKEN = "stray-token-of-a-profile"  # noqa: S105
YEARS_AHEAD = 4_000_000_000  # seconds since 1970


def profile(home: Path, *, url: str = "http://127.0.0.1:1") -> dict[str, str]:
    """Write a profile into *home*, for an API at *url*; return the environment that leads to it."""
    folder = home / ".config" / "anthropic"
    config = {"authentication": {"type": "user_oauth"}, "base_url": url}
    token = {"type": "oauth_token", "access_token": TOKEN, "expires_at": YEARS_AHEAD}
    for name, content in (("configs", config), ("credentials", token)):
        (folder / name).mkdir(parents=True)
        file = folder / name / "default.json"
        file.write_text(json.dumps(content), encoding="utf-8")
        file.chmod(0o600)
    return {"HOME": str(home)}
