"""How many pixels may be in memory at once, decoded."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator


class PixelGate:
    """Lets threads decode pictures at once while these have no more than `most` pixels together.

    The others wait, in the order in which they came; a picture of more than `most` pixels goes alone.
    What a thread decodes within `holding` counts until the end of that.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.pixels = 0  # being decoded or held now
        self._inside = 0  # threads, whose these are
        self._asking = 0  # of them, for a further picture
        self._waiting: deque[object] = deque()
        self._own = threading.local()
        self.changed = threading.Condition()  # notified when a picture comes, enters or leaves

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """The time in which a thread has pictures at their full size; of one within another, the outer counts."""
        if hasattr(self._own, "pixels"):
            yield
            return
        self._own.pixels = 0
        try:
            yield
        finally:
            if held := self._own.pixels:
                self._leave(held)
            del self._own.pixels

    @contextlib.contextmanager
    def passing(self, pixels: int) -> Iterator[None]:
        """The time in which a picture is decoded."""
        held = getattr(self._own, "pixels", None)
        if held:
            self._enter_again(pixels)
        else:
            self._enter(pixels)
        if held is not None:
            self._own.pixels += pixels
        try:
            yield
        finally:
            if held is None:
                self._leave(pixels)

    @property
    def waiting(self) -> int:
        """How many pictures wait, without those of threads that hold one already."""
        with self.changed:
            return len(self._waiting)

    def _enter(self, pixels: int) -> None:
        ticket = object()
        with self.changed:
            self._waiting.append(ticket)
            self.changed.notify_all()
            try:
                self.changed.wait_for(
                    lambda: self._waiting[0] is ticket and not self._asking and self._has_room(pixels)
                )
                self.pixels += pixels
                self._inside += 1
            finally:
                self._waiting.remove(ticket)
                self.changed.notify_all()

    def _enter_again(self, pixels: int) -> None:
        """Who holds a picture goes first; and if all who do ask for more, one of them gets it whatever there is."""
        with self.changed:
            self._asking += 1
            self.changed.notify_all()
            try:
                self.changed.wait_for(lambda: self._has_room(pixels) or self._asking == self._inside)
                self.pixels += pixels
            finally:
                self._asking -= 1
                self.changed.notify_all()

    def _leave(self, pixels: int) -> None:
        with self.changed:
            self.pixels -= pixels
            self._inside -= 1
            self.changed.notify_all()

    def _has_room(self, pixels: int) -> bool:
        return self.pixels == 0 or self.pixels + pixels <= self.most
