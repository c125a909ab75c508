"""How many replicas, with which share of a machine, and how many requests each takes at a time."""

from __future__ import annotations

from typing import Any, Literal

from maxfw.errors import BadSetting
from maxfw.model import MAXModelWrapper
from maxfw.settings import Settings

Replicas = int | Literal["auto"]

FEWEST_ONGOING = 16

# Ray's usual way fills the replica beside a proxy before it sends anything to another machine, and asks those that are
# full again after up to half a second, in which they may be idle.
ROUTING = {
    "request_router_class": "ray.serve.experimental.round_robin_router.RoundRobinRouter",
    "initial_backoff_s": 0.01,
    "max_backoff_s": 0.05,
}

DEPLOYMENT = "model"
"""The name of the one deployment of an application."""

FEWEST, MOST = 1, 10
"""Replicas, where their number follows the load."""

UPSCALE_S, DOWNSCALE_S = 5.0, 120.0
"""How long there must be more or less to do than the replicas are for, before their number changes."""


def replicas_of(word: str) -> Replicas:
    """`2` → 2, `auto` → auto.

    Raises:
        BadSetting: it is neither.
    """
    if word == "auto":
        return "auto"
    if word.isdecimal() and 1 <= int(word) <= 1000:
        return int(word)
    raise BadSetting(f"--replicas={word!r}", hint="a number from 1 to 1000, or auto")


def most_ongoing(model_class: type[MAXModelWrapper]) -> int:
    """Requests that one replica has in hand: enough for full batches, some being decoded, some waiting."""
    return max(FEWEST_ONGOING, 4 * model_class.max_batch_size)


def deployment_options(
    model_class: type[MAXModelWrapper], settings: Settings, replicas: Replicas
) -> dict[str, Any]:
    """A model, which states what it needs, and the settings → the options of its deployment, as Ray Serve calls them."""
    ongoing = most_ongoing(model_class)
    options: dict[str, Any] = {
        "max_ongoing_requests": ongoing,
        # At each proxy; who comes then is refused with 503 at once.
        "max_queued_requests": settings.max_queue,
        "ray_actor_options": {"num_cpus": model_class.cpus, "num_gpus": model_class.gpus},
        "request_router_config": ROUTING,
        "logging_config": {"enable_access_log": False},  # the door writes one
        "graceful_shutdown_timeout_s": settings.grace_s,
        "graceful_shutdown_wait_loop_s": 0.5,
        "health_check_period_s": 5,
        "health_check_timeout_s": 10,
    }
    if replicas != "auto":
        return {**options, "num_replicas": replicas}
    scaling = {
        "min_replicas": FEWEST,
        "max_replicas": MOST,
        # One batch with the model, and one that gathers.
        "target_ongoing_requests": 2 * model_class.max_batch_size,
        "upscale_delay_s": UPSCALE_S,
        "downscale_delay_s": DOWNSCALE_S,
    }
    return {**options, "autoscaling_config": scaling}
