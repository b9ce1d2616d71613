"""A project as small as can be, so that a restart by the real supervisor takes no time.

The supervisor starts this file by its path with `-I -S`, so only the standard library is here. It
answers 200 as long as its process lives, unless a file beside it says that something is wrong.
"""

import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

HUNG = "hung"  # it answers 503 until it is started again
DEAF = "deaf"  # it answers 503, and a restart does not help
SLOW = 0.1  # seconds until it answers, so that alerts come in between a look and its consequence

_ANSWER = "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}"


def main(port: int, wrong: Path) -> None:
    """Serve on *port*; *wrong* is the file that says what is wrong, and is often not there."""
    with suppress(FileNotFoundError):
        if wrong.read_text(encoding="utf-8") == HUNG:
            wrong.unlink()
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            client, _ = listener.accept()
            with client, suppress(OSError):
                _answer(client, well=not wrong.exists())


def _answer(client: socket.socket, *, well: bool) -> None:
    client.settimeout(2)
    asked = b""
    while b"\r\n\r\n" not in asked and (more := client.recv(65536)):
        asked += more
    time.sleep(SLOW)
    if well or asked.startswith(b"GET /ready"):
        status, body = "200 OK", '{"status": "healthy"}'
    else:
        status, body = "503 Service Unavailable", '{"status": "down"}'
    client.sendall(_ANSWER.format(status, len(body), body).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
