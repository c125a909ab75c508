"""The pool of request threads."""

from __future__ import annotations

import threading

import pytest

from maxfw.threads import RequestThreads

WAIT_S = 20


def test_work_is_done_in_order_by_as_few_threads_as_suffice() -> None:
    pool = RequestThreads(8, "test")
    done: list[tuple[int, str]] = []
    for number in range(50):
        finished = threading.Event()

        def work(number: int = number, finished: threading.Event = finished) -> None:
            done.append((number, threading.current_thread().name))
            finished.set()

        pool.put(work)
        assert finished.wait(WAIT_S)

    assert [number for number, _ in done] == list(range(50))
    assert len({name for _, name in done}) <= 2


def test_all_threads_work_at_once_when_there_is_work_for_all() -> None:
    pool = RequestThreads(4, "test")
    together = threading.Barrier(5)

    for _ in range(4):
        pool.put(lambda: together.wait(WAIT_S) and None)

    together.wait(WAIT_S)  # raises if not all of them came


def test_what_waits_is_done_in_the_order_in_which_it_came() -> None:
    pool = RequestThreads(1, "test")
    gate, busy, done = threading.Event(), threading.Event(), threading.Event()
    order: list[str] = []

    def work() -> None:
        busy.set()
        gate.wait(WAIT_S)

    pool.put(work)
    assert busy.wait(WAIT_S)

    pool.put(lambda: order.append("one"))
    pool.put(lambda: order.append("two"))
    pool.put(done.set)
    assert pool.waiting() == 3
    gate.set()

    assert done.wait(WAIT_S)
    assert order == ["one", "two"]


def test_a_thread_outlives_whatever_the_work_raises() -> None:
    pool = RequestThreads(1, "test")
    done = threading.Event()

    def leave() -> None:
        raise SystemExit(3)

    pool.put(leave)
    pool.put(done.set)

    assert done.wait(WAIT_S)


def test_work_behind_something_unexpectedly_long_gets_a_thread_at_the_next_look() -> None:
    pool = RequestThreads(2, "test")
    pool._mean_s = 0.0  # all work has been short so far
    gate, began, done = threading.Event(), threading.Event(), threading.Event()

    def unexpectedly_long() -> None:
        began.set()
        gate.wait(WAIT_S)

    with pool._lock:  # both come before a thread is awake
        pool._waiting.extend([unexpectedly_long, done.set])
        pool._raise_one()
    assert began.wait(WAIT_S)

    pool.nudge()

    assert done.wait(WAIT_S)
    gate.set()


def test_a_thread_that_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = RequestThreads(2, "test")
    done = threading.Event()

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as without_threads:
        without_threads.setattr(threading.Thread, "start", fail)
        pool.put(done.set)
    assert pool.waiting() == 1
    pool.nudge()

    assert done.wait(WAIT_S)
