"""Asks the model for captions: at once for an upload, in the background for the photos of the folder."""

from __future__ import annotations

import threading
from typing import Any

from photos import Photo, Shelf

from maxfw.client import Client
from maxfw.errors import AnswerError, BadParameter, MaxfwError, ModelAway
from maxfw.web.browser import in_own_words

TIDY_S = 600.0
"""Seconds between two looks for uploads that have expired."""
PAUSES_S = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds to wait before the model is asked again after it could not be reached."""
MAX_CAPTIONS = 3


class Captioner:
    """Fills a shelf with captions; its thread works as long as something waits and the model is there."""

    def __init__(self, shelf: Shelf, client: Client) -> None:
        self._shelf = shelf
        self._client = client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="captioner", daemon=True)

    def start(self) -> None:
        """Begin with what waits."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the photo that it is at."""
        self._stop.set()
        self._thread.join()

    def caption(self, photo: Photo) -> None:
        """Ask for one photo; how it went is written on the shelf, whatever happens."""
        self._shelf.note(photo, "asking")
        try:
            self._shelf.note(photo, "done", captions=self._ask(photo))
        except MaxfwError as error:
            self._shelf.note(photo, "failed", problem=error.message)

    def _ask(self, photo: Photo) -> list[dict[str, Any]]:
        try:
            answer = self._client.predict(image=self._shelf.picture(photo, "large").read_bytes())
            return captions_of(answer)
        except AnswerError as error:
            raise in_own_words(error) from error
        except OSError as error:
            raise MaxfwError("The photo is gone.") from error
        except (BadParameter, LookupError, TypeError, ValueError) as error:
            raise ModelAway("The model behind this page does not write captions.") from error

    def _work(self) -> None:
        failures = 0
        while not self._stop.is_set():
            self._shelf.forget_expired()
            failures = 0 if self._caption_what_waits() else failures + 1
            pause = PAUSES_S[min(failures, len(PAUSES_S)) - 1] if failures else TIDY_S
            self._stop.wait(pause)

    def _caption_what_waits(self) -> bool:
        """Ask for one photo after the other; whether the model was there for all of them."""
        for photo in self._shelf.waiting():
            if self._stop.is_set():
                return True
            try:
                self._shelf.note(photo, "done", captions=self._ask(photo))
            except ModelAway as error:
                self._shelf.note(photo, "waiting", problem=error.message)
                return False
            except MaxfwError as error:
                self._shelf.note(photo, "failed", problem=error.message)
        return True


def captions_of(answer: Any) -> list[dict[str, Any]]:
    """The best captions, in the model's order, with exactly the fields that the page shows."""
    ranked = sorted(answer["predictions"], key=lambda one: int(one["index"]))[:MAX_CAPTIONS]
    return [
        {"caption": str(one["caption"]).strip(), "probability": float(one["probability"])} for one in ranked
    ]
