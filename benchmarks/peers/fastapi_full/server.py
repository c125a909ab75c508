"""FastAPI with what maxfw has, as a careful person adds it by hand.

    uvicorn server:app --workers 2 --access-log

- access log: uvicorn's own;
- metrics: prometheus-client in its mode for several processes, counted in plain ASGI middleware, which costs less
  than Starlette's `BaseHTTPMiddleware`;
- a limit on the body, by its stated length and by what really comes;
- a bounded queue, and one thread that owns the model. Full: 503. Decoding happens in FastAPI's thread pool.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import work
from fastapi import FastAPI, File, HTTPException
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CollectorRegistry, Counter, Histogram, make_asgi_app
from prometheus_client.multiprocess import MultiProcessCollector
from pydantic import BaseModel

MAX_BODY = 20_000_000  # bytes
MAX_QUEUE = 256

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

REQUESTS = Counter("requests", "Requests answered", ["path", "status"])
SECONDS = Histogram("request_seconds", "Seconds to the answer", ["path"])
PATHS = frozenset({"/model/predict", "/health"})

model = work.load()
jobs: queue.Queue[tuple[Any, asyncio.AbstractEventLoop, asyncio.Future[Any]]] = queue.Queue(MAX_QUEUE)


class Guard:
    """ASGI middleware: limits the body, counts requests and their time."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, if it is not too large, and count it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in PATHS else "other"
        started, status, seen = time.perf_counter(), 500, 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MAX_BODY:
                raise HTTPException(413, "the body is too large")
            return message

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        stated = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        try:
            if int(stated) > MAX_BODY:
                await counted({"type": "http.response.start", "status": 413, "headers": []})
                await counted({"type": "http.response.body", "body": b""})
            else:
                await self.app(scope, bounded, counted)
        finally:
            REQUESTS.labels(path, str(status)).inc()
            SECONDS.labels(path).observe(time.perf_counter() - started)


def own_the_model() -> None:
    """Answer the jobs of the queue, one after the other."""
    while True:
        item, loop, future = jobs.get()
        try:
            [result] = model.run([item])
            loop.call_soon_threadsafe(_settle, future, result, None)
        except Exception as error:
            loop.call_soon_threadsafe(_settle, future, None, error)


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():  # the client has left
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


async def answer(item: Any) -> dict[str, Any]:
    """One input → the JSON that the client gets."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    try:
        jobs.put_nowait((item, loop, future))
    except queue.Full:
        raise HTTPException(503, "too many requests are waiting", {"Retry-After": "1"}) from None
    return model.write(await future)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start the model's thread with the server."""
    threading.Thread(target=own_the_model, daemon=True).start()
    yield


def metrics() -> Any:
    """The metrics of all workers."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return make_asgi_app(registry)


class Texts(BaseModel):
    """The body of a request with a text."""

    text: list[str]


app = FastAPI(lifespan=lifespan)
app.add_middleware(Guard)
app.mount("/metrics", metrics())


@app.get("/health")
async def health() -> dict[str, str]:
    """Whether the process lives."""
    return {"status": "ok"}


if os.environ["BENCH_TASK"].startswith("image"):

    @app.post("/model/predict")
    async def predict_image(image: Annotated[bytes, File()]) -> dict[str, Any]:
        """The five likeliest classes of a photo."""
        return await answer(await run_in_threadpool(model.read, image))

else:

    @app.post("/model/predict")
    async def predict_text(body: Texts) -> dict[str, Any]:
        """The probabilities of a text."""
        return await answer(model.read(body.text[0]))
