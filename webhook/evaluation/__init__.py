"""The evaluation: how well an analyzer answers scenarios of which the truth is known."""
