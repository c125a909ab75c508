"""What the tasks have in common whose input is text: one, or several, in a JSON body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from maxfw.errors import BadInput, TooLarge
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs, Label, Task, megabytes, read_file, typed_body
from maxfw.tasks.values import decode_json


class ReadingTask(Task):
    """A task whose input is texts in a JSON body."""

    def __init__(
        self, *, labels: str | Sequence[str | Label] = (), first_label_id: int = 0, window: int = 0
    ) -> None:
        """Declare the task of a model that reads.

        `window` is the number of tokens that the model reads at a time, for `/model/metadata`; a longer text is read
        in several windows.
        """
        super().__init__(labels=labels, first_label_id=first_label_id)
        self.window = window

    def limits_of(self, settings: Settings, **texts: dict[str, Any]) -> dict[str, Any]:
        """The limits of a body with these texts, by field; each adds its own to the size in bytes."""
        size = {"bytes": kilobytes(settings.max_text_kb)}
        window = {"tokens_at_once": self.window} if self.window else {}
        body = {"bytes": megabytes(settings.max_json_mb), "depth": settings.max_json_depth}
        return {"body": body, **{name: {**size, **window, **more} for name, more in texts.items()}}


class Texts(Struct):
    """The JSON body of tasks that read texts."""

    text: list[str]


class TextsTask(ReadingTask):
    """A task whose input is the JSON body `{"text": ["…", "…"]}`; a model gets one text at a time."""

    body = Texts

    def read(self, inputs: Inputs, settings: Settings) -> list[str]:
        """The body → its texts, one item each."""
        texts = typed_body(Texts, inputs).text
        if not texts:
            raise BadInput("field 'text' is an empty list", hint='send at least one text: {"text": ["…"]}')
        if len(texts) > settings.max_texts:
            raise TooLarge(
                f"field 'text' has {len(texts)} texts, at most {settings.max_texts} are allowed",
                hint="send them in several requests",
            )
        for position, text in enumerate(texts):
            check_text(text, f"text[{position}]", settings)
        return texts

    def limits(self, settings: Settings) -> dict[str, Any]:
        return self.limits_of(settings, text={"count": settings.max_texts})

    def inputs_of(self, argument: str) -> Inputs:
        """A `.json` file with the whole body, a `.txt` file, or the text itself."""
        return body_of(argument, lambda text: {"text": [text]})

    @classmethod
    def sample(cls) -> Inputs:
        return Inputs(body={"text": ["What a lovely day!", "THE TRAIN WAS LATE AGAIN"]})


class OneText(Struct):
    """The JSON body of tasks that read one text."""

    text: str


class TextTask(ReadingTask):
    """A task whose input is the JSON body `{"text": "…"}`: one text."""

    body = OneText

    def read(self, inputs: Inputs, settings: Settings) -> list[str]:
        """The body → its text, the only item."""
        text = typed_body(OneText, inputs).text
        check_text(text, "text", settings)
        return [text]

    def limits(self, settings: Settings) -> dict[str, Any]:
        return self.limits_of(settings, text={})

    def inputs_of(self, argument: str) -> Inputs:
        """A `.json` file with the whole body, a `.txt` file, or the text itself."""
        return body_of(argument, lambda text: {"text": text})


def body_of(argument: str, around: Callable[[str], dict[str, Any]]) -> Inputs:
    """A word on the command line → a body: a `.json` file holds the whole, a `.txt` file or the word itself is a text.

    Raises:
        BadInput: there is no such file, or it is no JSON object.
    """
    if argument.lower().endswith(".json"):
        return Inputs(body=decode_json(read_file(argument).blob, "the file"))
    if argument.lower().endswith(".txt"):
        return Inputs(body=around(read_file(argument).blob.decode("utf-8", "replace")))
    return Inputs(body=around(argument))


def kilobytes(number: float) -> int:
    """Kilobytes → bytes."""
    return int(number * 1_000)


def check_text(text: str, where: str, settings: Settings) -> None:
    """Refuse a text that is too long, or is none.

    Raises:
        TooLarge: more than the limit, counted in UTF-8.
        BadInput: it holds half a surrogate pair, for which UTF-8 has no form.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise BadInput(
            f"{where} holds half a surrogate pair, character {error.start + 1}", hint="send whole characters"
        ) from None
    limit = kilobytes(settings.max_text_kb)
    if size > limit:
        raise TooLarge(f"{where} has {size} bytes, at most {limit} are allowed", hint="send it in parts")
