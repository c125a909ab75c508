"""What every task has: input fields, a typed answer, `read()` and `write()`.

A task is chosen by the shape of its answer.
It turns a request into the items that a model's `_pre_process` gets, one at a time, and what `_post_process`
returned for them into the answer, whose JSON is the standard of that task.
"""

from __future__ import annotations

import io
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Struct
from PIL import Image

from maxfw.errors import BadInput, BadModelOutput
from maxfw.media import image_limits, read_image
from maxfw.settings import Settings
from maxfw.tasks.values import check_probability, encode_json, probability_vector, typed

Body = TypeVar("Body", bound=Struct)


class Label(Struct, frozen=True, omit_defaults=True):
    """One thing a model can name: `id` as clients see it, `name`, and a `description` where there is one."""

    id: str
    name: str
    description: str = ""


class Upload(Struct, frozen=True):
    """One uploaded file, as it came."""

    blob: bytes
    filename: str = ""
    media_type: str = ""


class Inputs(Struct, frozen=True):
    """What a request carries for the model: uploaded files by field, or the fields of a JSON body."""

    files: Mapping[str, Upload] = {}
    body: Mapping[str, Any] = {}


class FileField(Struct, frozen=True):
    """A file that a task asks for, and how people recognise it."""

    name: str
    description: str
    example: str


class Extent(Struct, frozen=True):
    """The width and height of a picture, in pixels."""

    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Both."""
        return self.width, self.height


class Encoded(Struct, frozen=True):
    """An answer as bytes, and their media type."""

    content: bytes
    media_type: str


class Answer(Struct, kw_only=True):
    """The base of every answer; subclasses are `kw_only` as well, so that `status` stays the first key."""

    status: Literal["ok"] = "ok"


class Task(ABC):
    """What goes in and what comes out.

    A subclass is one file: it states `name`, `title`, `answer`, its input (`files` or `body`), how to `read` a
    request and how to `write` the answer, a `sample` of its input, and a `template`, the hooks of the most
    trivial model of this task, which `maxfw new` gives to authors.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    answer: ClassVar[type[Answer]]
    files: ClassVar[tuple[FileField, ...]] = ()
    body: ClassVar[type[Struct] | None] = None
    #: Whether the fields of the body may come as a form or in the address as well; they must be texts then.
    takes_forms: ClassVar[bool] = False
    produces: ClassVar[tuple[str, ...]] = ("application/json",)
    template: ClassVar[str]
    template_imports: ClassVar[str]
    #: Parameters that every model of this task must take, so that clients can rely on them.
    standard_parameters: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, labels: str | Sequence[str | Label] = (), first_label_id: int = 0) -> None:
        """Declare the task of a model.

        `labels` is a file of the model (one name a line) or the names themselves, in the order of the model's
        outputs; their ids count from `first_label_id`. A line `???` keeps its place and is never shown.
        """
        self.labels = labels
        self.first_label_id = first_label_id

    @abstractmethod
    def read(self, inputs: Inputs, settings: Settings) -> list[Any]:
        """A request's inputs → the items that `_pre_process` gets, one at a time.

        Raises:
            RequestError: something is missing, unreadable or too large.
        """

    def kept(self, item: Any) -> Any:
        """What `write` gets of an item; where that is large and `write` needs little of it, only that."""
        return item

    @abstractmethod
    def write(self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]) -> Answer:
        """The items, as far as they are `kept`, and what `_post_process` returned for each → the typed answer.

        Raises:
            BadModelOutput: an outcome is not what this task answers.
        """

    @abstractmethod
    def limits(self, settings: Settings) -> dict[str, Any]:
        """The limits of the input, as `/model/metadata` publishes them."""

    @classmethod
    @abstractmethod
    def sample(cls) -> Inputs:
        """A small valid input of our own making."""

    @abstractmethod
    def inputs_of(self, argument: str) -> Inputs:
        """The inputs that a word on the command line stands for: a path or a text.

        Raises:
            BadInput: there is no such file.
        """

    def encode(self, answer: Answer, accept: str = "") -> Encoded:
        """An answer → the bytes that are sent; `accept` is the request's Accept header."""
        return Encoded(encode_json(answer), "application/json")

    def body_limit(self, settings: Settings) -> int:
        """The most bytes a request of this task can have, form syntax included."""
        return megabytes(settings.max_json_mb)


class ImageTask(Task):
    """A task whose input is one picture, in the file field `image`."""

    keep_alpha = False

    files = (FileField("image", "a picture: JPEG, PNG, WebP, GIF, BMP or TIFF", "photo.jpg"),)

    def __init__(
        self,
        *,
        labels: str | Sequence[str | Label] = (),
        first_label_id: int = 0,
        decode_at: tuple[int, int] | None = None,
    ) -> None:
        """Declare the task of a model that looks at pictures.

        `decode_at` (width, height) is for models that resize every picture to that anyway and answer in shares of
        it: a big JPEG is then decoded at ½, ¼ or ⅛ of its size, in a fraction of the time, but never smaller than
        this.
        """
        super().__init__(labels=labels, first_label_id=first_label_id)
        self.decode_at = decode_at

    def read(self, inputs: Inputs, settings: Settings) -> list[Image.Image]:
        """The uploaded picture → one PIL image, RGB, upright."""
        upload = required_file(self.files[0], inputs)
        picture = read_image(
            upload.blob, settings=settings, target=self.decode_at, keep_alpha=self.keep_alpha
        )
        return [picture]

    def kept(self, item: Image.Image) -> Extent:
        """Its size: while a picture waits for the model, its pixels are in memory as `_pre_process` made them only."""
        return Extent(item.width, item.height)

    def limits(self, settings: Settings) -> dict[str, Any]:
        return {"image": image_limits(settings)}

    def body_limit(self, settings: Settings) -> int:
        return megabytes(settings.max_image_mb) + FORM_SYNTAX_BYTES

    def inputs_of(self, argument: str) -> Inputs:
        return Inputs(files={"image": read_file(argument)})

    @classmethod
    def sample(cls) -> Inputs:
        """A drawn picture, 64×48: a red square left, a blue disc right, a white spot between them, on grey."""
        from PIL import ImageDraw  # brings fonts, which no server needs

        picture = Image.new("RGB", (64, 48), (128, 128, 128))
        draw = ImageDraw.Draw(picture)
        draw.rectangle((8, 12, 28, 36), fill=(220, 40, 40))
        draw.ellipse((36, 12, 58, 36), fill=(40, 60, 220))
        draw.rectangle((30, 4, 36, 10), fill=(255, 255, 255))
        png = io.BytesIO()
        picture.save(png, "PNG")
        return Inputs(files={"image": Upload(png.getvalue(), "sample.png", "image/png")})


# Room for the boundaries, part headers and parameters of a multipart form.
FORM_SYNTAX_BYTES = 64 * 1024


def megabytes(number: float) -> int:
    """Megabytes → bytes."""
    return int(number * 1_000_000)


def required_file(field: FileField, inputs: Inputs) -> Upload:
    """The uploaded file of a field.

    Raises:
        BadInput: it was not sent; shows how to.
    """
    if field.name not in inputs.files:
        raise BadInput(
            f"missing file field {field.name!r}",
            hint=f"send {field.description} as multipart form data: curl -F {field.name}=@{field.example}",
        )
    return inputs.files[field.name]


def read_file(path: str) -> Upload:
    """A file of this machine as if it were uploaded.

    Raises:
        BadInput: it is not there, cannot be read, or is something else, of which a pipe would be waited for.
    """
    try:
        if kind := irregular(path):
            raise BadInput(f"cannot read {path!r}: it is a {kind}", hint="name a file")
        return Upload(Path(path).read_bytes(), Path(path).name)
    except OSError as error:
        raise BadInput(f"cannot read {path!r}: {error.strerror}") from None
    except ValueError:
        raise BadInput(f"cannot read {path!r}: no path has such a character") from None


def irregular(path: str | Path) -> str:
    """What a path leads to, in a word, if it is no regular file; empty for one that is.

    Raises:
        OSError: there is nothing, or nobody may see it.
        ValueError: it is no path.
    """
    kinds = {stat.S_IFREG: "", stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(os.stat(path).st_mode), "device")


def typed_body(body_type: type[Body], inputs: Inputs) -> Body:
    """The fields of a JSON body, checked.

    Raises:
        BadInput: a field is missing or of another type; names it.
    """
    try:
        return msgspec.convert(dict(inputs.body), body_type)
    except msgspec.ValidationError as error:
        names = ", ".join(f'"{field.name}"' for field in msgspec.structs.fields(body_type))
        raise BadInput(f"the JSON body does not fit: {error}", hint=f"its fields are {names}") from None


def probabilities_by_name(outcome: Any, labels: Sequence[Label]) -> dict[str, float]:
    """A mapping, or a vector in the order of the labels, → `{name: probability}`, in that order.

    Where labels are declared, a mapping names no others. A label `???` is passed over.

    Raises:
        BadModelOutput: not as many as there are labels, another label, or not numbers from 0 to 1.
    """
    names = [label.name for label in labels]
    if not isinstance(outcome, Mapping):
        vector = probability_vector(outcome, len(names), name_of=names.__getitem__).tolist()
        return {name: value for name, value in zip(names, vector, strict=True) if name != "???"}
    named = typed(outcome, dict[str, float])
    if names and (undeclared := named.keys() - set(names)):
        raise BadModelOutput(f"_post_process returned the label {min(undeclared)!r}, which is not declared")
    for name, probability in named.items():
        check_probability(probability, name)
    return named
