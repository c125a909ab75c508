"""fastText: a text classifier in one small file (`.ftz`, `.bin`)."""

from __future__ import annotations

import os
from pathlib import Path

from maxfw.runtimes.base import existing, import_framework, loading

PREFIX = "__label__"
MOST_LABELS = 1_000_000


class FastTextRuntime:
    """A supervised fastText model; it takes a text, not arrays, because it cuts words into pieces itself.

    Raises:
        MissingExtra: fasttext-predict is not installed.
        BadModel: the file is absent or damaged.
    """

    framework = "fastText"

    def __init__(self, path: str | Path) -> None:
        fasttext = import_framework("fasttext", extra="fasttext", needs="fasttext-predict")
        file = existing(path, self.framework)
        with loading(file, self.framework):
            self._model = fasttext.load_model(os.fspath(file))

    def ranked(self, text: str) -> list[tuple[str, float]]:
        """A text of any kind → every label with its probability, 0…1, the likeliest first.

        fastText reads one line: line breaks, and NUL, at which it would stop, count as spaces; what UTF-8 has no form
        for counts as a question mark.
        """
        line = " ".join(text.replace("\0", " ").split()).encode("utf-8", "replace").decode()
        labels, shares = self._model.predict(line, k=MOST_LABELS, threshold=-1.0)
        # The shares come with an addend that keeps logarithms finite, 0.00001.
        pairs = zip(labels, shares, strict=True)
        return [(label.removeprefix(PREFIX), min(float(share), 1.0)) for label, share in pairs]
