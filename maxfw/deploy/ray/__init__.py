"""Replicas of a model on Ray: the same app, on as many machines as there are."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from maxfw.errors import BadSetting, MissingExtra

LOCAL = "local"

HINT = "start one with: ray start --head; if it is there and asks for a token, set RAY_AUTH_MODE=token"

CONNECT_S = 5.0
"""In which something must listen at the address of a cluster; Ray itself goes on trying for minutes."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
"""How a client of gRPC begins; a web server answers it in HTTP 1."""


def require_ray() -> None:
    """See that Ray Serve is installed, before anything that needs it.

    Raises:
        MissingExtra: it is not.
    """
    try:
        import ray.serve  # noqa: F401
    except ImportError:
        raise MissingExtra("ray", needs="Ray Serve") from None


@contextlib.contextmanager
def connected(address: str) -> Iterator[None]:
    """A connection to the cluster at an address, or to one of this machine that is started for it.

    Raises:
        BadSetting: there is no cluster, or it is of another version.
    """
    import ray

    try:
        _look_for(address)
        ray.init(address or LOCAL, include_dashboard=None if address else False, configure_logging=False)
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        said = " ".join(str(error).split())
        raise BadSetting(f"--address={address!r}: {said}", hint=HINT) from None
    try:
        yield
    finally:
        ray.shutdown()


def _look_for(address: str) -> None:
    """See that something listens there that may be Ray; what is not HOST:PORT is for Ray to find or to refuse.

    Raises:
        OSError: nothing does, or a web server.
    """
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        connection = socket.create_connection((host.strip("[]"), int(port)), CONNECT_S)
    except OverflowError:
        raise OSError("a port is at most 65535") from None
    answer = b""
    with connection, contextlib.suppress(OSError):
        connection.sendall(PREFACE)
        answer = connection.recv(5)
    if answer.startswith((b"HTTP/", b"<")):
        raise OSError("a web server listens there, perhaps that of Ray's dashboard or of Ray Serve")
