"""Replicas of a model on Ray: the same app, on as many machines as there are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from maxfw.errors import BadSetting, MissingExtra

LOCAL = "local"


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
        BadSetting: there is no cluster.
    """
    import ray

    try:
        ray.init(address or LOCAL, include_dashboard=None if address else False, configure_logging=False)
    except ConnectionError as error:
        raise BadSetting(f"--address={address!r}: {error}", hint="start one with: ray start --head") from None
    try:
        yield
    finally:
        ray.shutdown()
