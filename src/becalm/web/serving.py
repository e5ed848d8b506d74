"""Starting the page: a socket of this machine, the application behind its gate, and its end with Ctrl-C."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from becalm.core import stopping
from becalm.core.errors import UsageError
from becalm.web.application import application
from becalm.web.gate import Gate
from becalm.web.workbench import Workbench

LOCAL = "127.0.0.1"


@contextmanager
def listening(port: int = 0) -> Iterator[socket.socket]:
    """Take a port of this machine while the block runs; port 0 is any free one.

    Raises `UsageError` where the port is taken.
    """
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        try:
            if os.name == "posix":  # elsewhere it would let another program listen at the same port
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((LOCAL, port))
            taken.listen()
        except OSError as error:
            raise UsageError(
                f"the port {port} cannot be used ({error.strerror})",
                where="--port",
                hint="Leave it out to get a free one, or close the other page first",
            ) from error
        yield taken
    finally:
        taken.close()


@contextmanager
def served(workbench: Workbench, taken: socket.socket) -> Iterator[Gate]:
    """Serve a workbench at a port while the block runs."""
    import uvicorn

    gate = Gate(lambda *_: _none(), taken.getsockname()[1])
    gate.app = application(workbench, gate)
    config = uvicorn.Config(
        gate, lifespan="off", log_config=None, access_log=False, server_header=False,
        date_header=False, ws="none", timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    try:
        yield gate
    finally:
        server.should_exit = True
        thread.join(timeout=5)


async def _none() -> None:
    """Stand in for the application until it is made."""


def wait() -> None:
    """Wait until somebody stops the program."""
    ended = threading.Event()
    while not ended.wait(0.2):
        stopping.check()
