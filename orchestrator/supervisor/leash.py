"""A leash: runs a program that dies together with the process that started it.

The supervisor starts this file by its path, and it then becomes the program. A kill signal cannot
be caught, so a supervisor that gets one can end nobody; the kernel has to do it, and only the
child itself can ask the kernel for that. Nothing but the standard library may be imported here,
because it runs with `-I -S`, which is also what makes it start in some 15 ms.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1  # linux/prctl.h
UNRUNNABLE = 127  # the status with which a shell says the same


def leashed(argv: Sequence[str], parent: int) -> list[str]:
    """Return the command that runs *argv* and is killed when the process *parent* ends.

    Only *parent* itself may start it, from its main thread: the kernel takes the end of the thread
    that started a child for the end of its parent.
    """
    return [sys.executable, "-I", "-S", __file__, str(parent), *argv]


def main(parent: int, argv: list[str]) -> None:
    """Put the leash on and become *argv*; exits with 127 when there is no such program."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        sys.exit(f"leash: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit("leash: the parent ended before the leash was on")
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, and exec would pass that on
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)  # noqa: S606  no shell is the point
    except OSError as error:
        sys.stderr.write(f"leash: {argv[0]}: {error.strerror}\n")
        sys.exit(UNRUNNABLE)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
