"""End to end: real binaries, real processes, real sockets."""
