"""What the doctor finds, each finding with a world in which it is so."""
