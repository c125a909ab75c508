"""Asks the server of this container whether it is ready: the HEALTHCHECK of every image.

    python -P -m maxfw.deploy.probe      exit code 0: ready

It finds the server by the same settings that the server itself has read.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import sys

from maxfw.errors import MaxfwError
from maxfw.settings import Settings, load_settings

TIMEOUT_S = 8.0  # the first answer may take five


def is_ready(settings: Settings) -> bool:
    """Whether a server with these settings answers that it is ready.

    Where clients need a certificate, which a probe does not have, it is enough that the server listens.
    """
    host = settings.host if settings.host not in ("", "0.0.0.0", "::") else "127.0.0.1"
    connection: http.client.HTTPConnection
    try:
        if settings.tls_client_ca:
            socket.create_connection((host, settings.port), TIMEOUT_S).close()
            return True
        if settings.tls_cert:
            # It is this very container, whose certificate is made out to the name that clients use.
            trusting = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection(host, settings.port, timeout=TIMEOUT_S, context=trusting)
        else:
            connection = http.client.HTTPConnection(host, settings.port, timeout=TIMEOUT_S)
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False


if __name__ == "__main__":
    try:
        sys.exit(not is_ready(load_settings()))
    except MaxfwError:
        sys.exit(1)
