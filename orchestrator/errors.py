"""The one root of every error that this distribution raises on purpose."""


class OrchestratorError(Exception):
    """Something a caller or an operator can act on; its text says what."""
