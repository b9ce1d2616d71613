"""The doctor: looks at everything that a repair needs, and says what to do about what is wrong."""
