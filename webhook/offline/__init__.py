"""Commands on a database or a record, without a webhook: `python -m webhook COMMAND`."""
