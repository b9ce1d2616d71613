"""The shared ground of the programs, and the only package in the wheel."""
