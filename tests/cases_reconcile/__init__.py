"""The cases of comparing notes with Alertmanager, each against real ones."""
