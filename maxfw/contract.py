"""What every model must keep, checked on its own samples.

A sample answers as expected within a tolerance, a batch answers like its inputs one by one, nonsense is refused.
Readiness, `maxfw test` and the test suite all ask here; nothing here knows a test framework.

A sample is a file `samples/NAME.json`:

    {"input": "street.jpg", "parameters": {"threshold": 0.5}, "answer": {…}, "tolerance": {"probability": 0.05}}

`input` is a file beside it, or `street.asset`, which names a public file by `name`, `url`, `sha256`, `licence` and
`source`; a task without files has `body` in its place. `files` holds the parameters that are pictures, by name.
Only what stands in `answer` is compared; numbers may differ by the tolerance stated for their key.
A picture is compared by its `size` and an 8×8 `thumbnail`, a map of ids by its `size` and, for each id on at least
one pixel in a hundred, its `share` of the pixels in 8×8 parts.
"""

from __future__ import annotations

import functools
import io
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from PIL import Image

from maxfw.assets import Asset, fetch
from maxfw.batching import shape_key
from maxfw.catalog import CARD_KEYS, ModelFolder
from maxfw.errors import AssetUnavailable, BadModel, MaxfwError, ModelFailed, RequestError
from maxfw.model import MAXModelWrapper
from maxfw.model.model import folder_of
from maxfw.predictor import Predictor
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs, Task, Upload
from maxfw.tasks.values import plain

DEFAULT_TOLERANCE = 1e-3
PARTS = 8
"""Into how many rows and columns a map of ids is divided to be compared."""


class SampleFile(Struct, forbid_unknown_fields=True):
    """The content of `samples/NAME.json`."""

    answer: dict[str, Any]
    input: str = ""
    body: dict[str, Any] = {}
    files: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    tolerance: dict[str, float] = {}


class Sample(Struct, frozen=True):
    """A request with the answer that is expected."""

    name: str
    inputs: Inputs
    parameters: Mapping[str, Any]
    answer: Mapping[str, Any]
    tolerance: Mapping[str, float]


class Finding(Struct, frozen=True):
    """One promise, and what is wrong with it; `problem` is empty if it is kept."""

    promise: str
    problem: str = ""


def samples_of(folder: ModelFolder, task: Task, settings: Settings | None = None) -> list[Sample]:
    """The samples of a model folder, their files fetched.

    Raises:
        BadModel: a sample file is malformed.
        AssetUnavailable: a public sample could not be had.
    """
    return [_read_sample(file, task, settings) for file in sorted(folder.samples.glob("*.json"))]


def first_sample(folder: ModelFolder, task: Task, settings: Settings) -> Sample | None:
    """The first sample of a folder whose files can be had; None if there is none.

    Raises:
        BadModel: a sample file is malformed.
    """
    for file in sorted(folder.samples.glob("*.json")):
        try:
            return _read_sample(file, task, settings)
        except AssetUnavailable:
            continue
    return None


def check(predictor: Predictor, folder: ModelFolder, samples: list[Sample]) -> Iterator[Finding]:
    """Every promise in turn, each with its finding."""
    model = predictor.model
    yield _finding(model, "the card is complete", lambda: _card_problem(model))
    if not samples:
        yield Finding(
            "it has a sample", "samples/ holds no sample: add NAME.json, see docs/how-to/samples.md"
        )
    for sample in samples:
        problem = functools.partial(sample_problem, predictor, sample)
        yield _finding(model, f"sample {sample.name} is answered", problem)
    yield _finding(model, "the task's own sample is answered", lambda: _own_sample_problem(predictor))
    yield _finding(model, "a batch answers like single inputs", lambda: _batch_problem(predictor, samples))
    yield _finding(model, "nonsense is refused", lambda: _nonsense_problem(predictor))


def sample_problem(predictor: Predictor, sample: Sample) -> str:
    """What is wrong with the answer to a sample; empty if nothing is."""
    if not sample.answer.keys() - {"status"}:
        return "it expects nothing: state an answer, or write the present one with maxfw test MODEL --record"
    answer = predictor.answer(sample.inputs, sample.parameters)
    return difference(dict(sample.answer), comparable(answer), sample.tolerance)


def comparable(answer: Any) -> Any:
    """A typed answer as plain lists, dicts and numbers; pictures and maps of ids as little as tells them apart."""
    content = msgspec.to_builtins(answer, builtin_types=(bytes,), enc_hook=plain)
    return {key: _shortened(value) for key, value in content.items()}


def sample_text(content: Mapping[str, Any]) -> str:
    """The text of a sample file, its numbers rounded to six digits."""
    rounded = _rounded(msgspec.to_builtins(content))
    return msgspec.json.format(msgspec.json.encode(rounded), indent=2).decode() + "\n"


def difference(expected: Any, actual: Any, tolerance: Mapping[str, float], where: str = "answer") -> str:
    """The first place where an answer is not as expected; empty if there is none.

    Keys that `expected` does not have are not compared; lists must have equal lengths.
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        pairs = [(f"{where}.{key}", value, actual.get(key)) for key, value in expected.items()]
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return f"{where} has {len(actual)} entries, expected {len(expected)}"
        pairs = [(f"{where}[{i}]", *pair) for i, pair in enumerate(zip(expected, actual, strict=True))]
    elif _is_number(expected) and _is_number(actual):
        allowed = tolerance.get(_key(where), DEFAULT_TOLERANCE)
        # Asked this way round, a NaN is no match: it is neither near nor far.
        near = abs(expected - actual) <= allowed
        return "" if near else f"{where} is {actual}, expected {expected} ± {allowed:g}"
    else:
        return "" if expected == actual else f"{where} is {actual!r}, expected {expected!r}"
    return next((found for place, a, b in pairs if (found := difference(a, b, tolerance, place))), "")


def _finding(model: MAXModelWrapper, promise: str, problem: Callable[[], str]) -> Finding:
    try:
        return Finding(promise, problem())
    except MaxfwError as error:
        cause = error.__cause__
        reason = f": {_told(cause, model)}" if isinstance(error, ModelFailed) and cause else ""
        return Finding(promise, f"{error.code}: {error.message}{reason}")
    except (Exception, SystemExit) as error:  # whatever an author's code can raise is a finding, too
        return Finding(promise, _told(error, model))


def _told(error: BaseException, model: MAXModelWrapper) -> str:
    return _reason(error) + _place(error, model)


def _reason(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _place(error: BaseException, model: MAXModelWrapper) -> str:
    """The last line of the author's own that an exception passed: ` (model.py:7)`."""
    folder = folder_of(type(model))
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve().is_relative_to(folder)
    ]
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _read_sample(file: Path, task: Task, settings: Settings | None) -> Sample:
    try:
        content = msgspec.json.decode(file.read_bytes(), type=SampleFile)
    except msgspec.DecodeError as error:
        raise BadModel(f"{file}: {error}") from None
    inputs = Inputs(body=content.body)
    if task.files:
        named = {task.files[0].name: content.input, **content.files}
        paths = {field: _sample_input(file.parent / name, settings) for field, name in named.items()}
        inputs = Inputs(files={field: Upload(path.read_bytes(), path.name) for field, path in paths.items()})
    return Sample(file.stem, inputs, content.parameters, content.answer, content.tolerance)


def _sample_input(path: Path, settings: Settings | None) -> Path:
    if not path.is_file():
        raise BadModel(f"{path} does not exist")
    if path.suffix != ".asset":
        return path
    return fetch(sample_asset(path), settings)


def sample_asset(path: Path) -> Asset:
    """The public file that `NAME.asset` stands for.

    Raises:
        BadModel: the file does not state name, url and sha256.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Asset)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadModel(f"{path}: {error}") from None


def _card_problem(model: MAXModelWrapper) -> str:
    missing = [key for key in CARD_KEYS if not str(model.MODEL_META_DATA.get(key, "")).strip()]
    return f"MODEL_META_DATA has no {', '.join(missing)}" if missing else ""


def _own_sample_problem(predictor: Predictor) -> str:
    # Nobody knows the right answer to it, but there is one, and it can be sent.
    predictor.task.encode(predictor.answer(predictor.task.sample()))
    return ""


def _batch_problem(predictor: Predictor, samples: list[Sample]) -> str:
    model, task = predictor.model, predictor.task
    requests = [sample.inputs for sample in samples] or [task.sample()]
    arguments = predictor.arguments(requests[0], samples[0].parameters if samples else {})
    items = [item for inputs in requests for item in task.read(inputs, predictor.settings)]
    prepared = [model._pre_process(item, **arguments["_pre_process"]) for item in items]
    groups: dict[Any, list[Any]] = {}
    for x in prepared:
        groups.setdefault(repr(shape_key(x)), []).append(x)
    parameters = arguments["_predict_batch"]
    for group in groups.values():
        # Inputs that differ, in an odd number, are what padding and transposition trip over.
        batch = (group * 3)[: max(1, min(model.max_batch_size, 3 * len(group)))]
        try:
            together = _results(model, batch, parameters)
            alone = [_results(model, [x], parameters)[0] for x in batch]
        except _BrokenBatch as broken:
            return str(broken)
        for position, (one, other) in enumerate(zip(alone, together, strict=True)):
            if not _alike(one, other):
                return f"input {position} of {len(batch)} is answered otherwise in a batch than alone"
    return ""


class _BrokenBatch(Exception):
    """A batch was not answered with one result for each input; says how."""


def _results(model: MAXModelWrapper, batch: list[Any], parameters: Mapping[str, Any]) -> list[Any]:
    try:
        results = model._predict_batch(list(batch), **parameters)
    except (Exception, SystemExit) as error:
        raised = f"`_predict_batch` raised {_reason(error)} for a batch of {len(batch)}"
        raise _BrokenBatch(raised + _place(error, model)) from error
    try:
        count = f"{len(results)} results"
    except TypeError:
        count = type(results).__name__
    if count != f"{len(batch)} results":
        raise _BrokenBatch(
            f"`_predict_batch` returned {count} for a batch of {len(batch)}: return one for each"
        )
    return list(results)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping):
        same = isinstance(other, Mapping) and one.keys() == other.keys()
        return same and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        same = isinstance(other, list | tuple) and len(one) == len(other)
        return same and all(_alike(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, np.ndarray | np.generic | float):
        a, b = np.asarray(one), np.asarray(other)
        # One step of an 8-bit result is rounding; for floats, a thousandth of the range.
        allowed = 1 if a.dtype.kind in "iu" else 1e-3 * max(1.0, float(np.abs(a).max(initial=0)))
        return a.shape == b.shape and bool((np.abs(a.astype(float) - b.astype(float)) <= allowed).all())
    return bool(one == other)


def _nonsense_problem(predictor: Predictor) -> str:
    for description, inputs in [*_nonsense(predictor.task), *_nonsense_pictures(predictor)]:
        try:
            predictor.answer(inputs)
        except RequestError:
            continue
        return f"{description} was answered"
    try:
        predictor.answer(predictor.task.sample(), {"no such parameter": "1"})
    except RequestError:
        return ""
    return "an unknown parameter was accepted"


def _nonsense(task: Task) -> Iterator[tuple[str, Inputs]]:
    yield "an empty request", Inputs()
    if not task.files:
        for name in task.sample().body:
            yield f"an object for {name!r}", Inputs(body={**task.sample().body, name: {}})
        return
    field = task.files[0].name
    yield "an empty file", Inputs(files={field: Upload(b"")})
    yield "a text file", Inputs(files={field: Upload(b"this is no such file\n" * 50)})
    whole = task.sample().files[field].blob
    yield "half a file", Inputs(files={field: Upload(whole[: len(whole) // 2])})


def _nonsense_pictures(predictor: Predictor) -> Iterator[tuple[str, Inputs]]:
    for name in predictor.pictures:
        files = {**predictor.task.sample().files, name: Upload(b"this is no such file\n" * 50)}
        yield f"a text file as {name!r}", Inputs(files=files)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def _shortened(value: Any) -> Any:
    if isinstance(value, bytes):
        return _thumbnail(value)
    if isinstance(value, list) and len(value) >= PARTS and all(isinstance(row, list) for row in value):
        lengths = {len(row) for row in value}
        ids = np.array(value) if len(lengths) == 1 and min(lengths) >= PARTS else np.empty(0)
        return _shares(ids) if ids.ndim == 2 and ids.dtype.kind == "i" else value
    return value


def _shares(ids: np.ndarray) -> dict[str, Any]:
    """Ids, int (height, width) → the size, and where each frequent id is: its share in each of 8×8 parts."""
    height, width = ids.shape
    rows, columns = (np.arange(PARTS) * side // PARTS for side in (height, width))
    areas = np.outer(np.diff(rows, append=height), np.diff(columns, append=width))
    frequent = [
        one for one, count in zip(*np.unique(ids, return_counts=True), strict=True) if count * 100 >= ids.size
    ]
    counts = [np.add.reduceat(np.add.reduceat(ids == one, rows, 0, int), columns, 1) for one in frequent]
    shares = [
        {"id": int(one), "share": np.round(count / areas, 3).tolist()}
        for one, count in zip(frequent, counts, strict=True)
    ]
    return {"size": [width, height], "shares": shares}


def _thumbnail(picture: bytes) -> dict[str, Any]:
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    small = np.asarray(image.resize((8, 8), Image.Resampling.BOX))
    return {"size": list(image.size), "thumbnail": small.tolist()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _key(where: str) -> str:
    """The last key of a place: `answer.predictions[0].detection_box[2]` → `detection_box`."""
    return where.rsplit(".", 1)[-1].split("[", 1)[0]
