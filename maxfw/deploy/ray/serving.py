"""`maxfw serve --engine ray`: a model on a cluster, until this process is told to end."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from typing import Any

from ray import serve
from ray.exceptions import RayTaskError
from ray.serve.context import _get_global_client
from ray.serve.exceptions import RayServeException
from ray.serve.schema import ApplicationStatus

from maxfw.catalog import ModelFolder
from maxfw.deploy.ray import connected
from maxfw.deploy.ray.options import Replicas
from maxfw.deploy.ray.replica import application
from maxfw.errors import BadModel, BadSetting
from maxfw.server import end_process
from maxfw.settings import Settings, fields

SPARE_S = 5.0
LOOK_S = 0.25

log = logging.getLogger("maxfw")


def serve_on_ray(folder: ModelFolder, settings: Settings, *, replicas: Replicas, address: str) -> None:
    """Serve a model on the cluster at an address, or on one of this machine that is started for it.

    Raises:
        BadSetting: there is no cluster, or Serve runs there already and not with the certificate that is asked for.
        BadModel: the model is an old-style repository, or no replica of it comes up.
    """
    refuse_old_style(folder)
    name, stop = f"maxfw-{folder.name}", threading.Event()
    with connected(address):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        url = _open_door(settings)
        args = {"model": str(folder.path), "settings": told(settings), "replicas": replicas}
        target = serve.RunTarget(application(args), name=name, route_prefix="/")
        is_up = False
        try:
            serve.run_many([target], wait_for_applications_running=False)
            if is_up := _comes_up(name, stop):
                print(f"listening on {url}", flush=True)
                stop.wait()
        except (RuntimeError, RayServeException) as error:
            reason = error.cause if isinstance(error, RayTaskError) else error
            raise BadModel(f"{folder.name} does not come up on Ray: {reason}") from None
        finally:
            _end(name, settings, whole=not address, wait=is_up)


def _open_door(settings: Settings) -> str:
    """Start Ray's proxies, where none run yet → the address that they answer at.

    Raises:
        BadSetting: they run already, and without the certificate that these settings name, or with one.
    """
    wanted = http_options(settings, settings.port or _free_port(settings.host))
    serve.start(proxy_location="EveryNode", http_options=wanted)
    door = _get_global_client().http_config
    scheme = "https" if door.ssl_certfile else "http"
    if settings.scheme != scheme:
        raise BadSetting(
            f"Serve runs on this cluster already, with {scheme} on port {door.port}",
            hint="end it with: serve shutdown; or leave --tls-cert out",
        )
    if (door.host, door.port) != (wanted["host"], wanted["port"]):
        log.warning("Serve runs on this cluster already, and stays where it listens")
    return f"{scheme}://{door.host}:{door.port}{door.root_path}"


def _comes_up(name: str, stop: threading.Event) -> bool:
    """Wait until a replica answers; not if the process is told to end before.

    Raises:
        RuntimeError: none comes up.
    """
    while not stop.wait(LOOK_S):
        found = serve.status().applications[name]
        if found.status == ApplicationStatus.RUNNING:
            return True
        if found.status == ApplicationStatus.DEPLOY_FAILED:
            causes = [found.message, *(one.message for one in found.deployments.values())]
            raise RuntimeError(" ".join(" ".join(causes).split()))
    return False


def _end(name: str, settings: Settings, *, whole: bool, wait: bool) -> None:
    """Let the replicas answer what they have begun; if the cluster itself is ending, do not wait for it."""

    def end() -> None:
        serve.delete(name, _blocking=wait)
        if whole:
            serve.shutdown()

    ending = threading.Thread(target=end, daemon=True)
    ending.start()
    ending.join(settings.grace_s + SPARE_S)
    if ending.is_alive():
        log.warning("the cluster does not answer; it ends without us")
        end_process()


def http_options(settings: Settings, port: int) -> dict[str, Any]:
    """How Ray's proxies listen.

    Raises:
        BadSetting: clients' certificates are asked for without a certificate of the server.
    """
    options: dict[str, Any] = {
        "host": settings.host,
        "port": port,
        "request_timeout_s": settings.body_timeout_s + settings.predict_timeout_s + SPARE_S,
    }
    if settings.tls_cert:
        options |= {"ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key}
        if settings.tls_client_ca:
            options["ssl_ca_certs"] = settings.tls_client_ca
    elif settings.tls_client_ca:
        raise BadSetting("MAXFW_TLS_CLIENT_CA is set and MAXFW_TLS_CERT is not", hint="set both, or neither")
    return options


def told(settings: Settings) -> dict[str, Any]:
    """The settings that are not as by default, for replicas; where a proxy listens is not theirs."""
    not_theirs = {"host", "port", "workers", "tls_cert", "tls_key", "tls_client_ca", "metrics_dir"}
    values = {field.name: (getattr(settings, field.name), field.default) for field in fields()}
    return {name: now for name, (now, default) in values.items() if now != default and name not in not_theirs}


def refuse_old_style(folder: ModelFolder) -> None:
    """Repositories of 2019 bring a server of their own.

    Raises:
        BadModel: this is one.
    """
    if folder.is_old_style:
        raise BadModel(
            f"{folder.path} is an old-style repository", hint="serve it with --workers, or on Kubernetes"
        )


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
