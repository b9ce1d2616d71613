"""Every route of the description, asked what nobody would."""
