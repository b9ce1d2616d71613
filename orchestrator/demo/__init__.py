"""The demo: projects that can be broken on purpose, and the story of their repair."""
