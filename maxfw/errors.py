"""Every error that maxfw raises.

    MaxfwError
    ├── RequestError                    the caller's doing, answered with a 4xx
    │   ├── BadInput                    400  the input cannot be read
    │   │   └── BadParameter            400  a parameter is unknown, unreadable or out of range
    │   ├── Unauthorized                401
    │   ├── ForeignRequest              403  another site's page tries to act for a visitor of ours
    │   ├── NotFound                    404
    │   ├── MethodNotAllowed            405
    │   ├── RequestTimeout              408  the request did not arrive in time
    │   ├── TooLarge                    413  more bytes, pixels, seconds or characters than the limits allow
    │   ├── UnsupportedMedia            415  not a format that this model reads
    │   ├── HeadTooLarge                431  the address and the headers are longer than allowed
    │   └── Abandoned                   499  the client has left; nobody reads this
    ├── ServiceError                    our doing, answered with a 5xx
    │   ├── ModelFailed                 500  the author's code raised
    │   ├── BadModelOutput              500  the author's code answered something that is no answer
    │   ├── ModelAway                   502  the model that a web application asks cannot be reached
    │   ├── Overloaded                  503  try again after `retry_after` seconds
    │   └── DeadlineExceeded            504
    ├── SetupError                      the author's or the operator's doing; one line and exit code 2
    │   ├── BadSetting                  an environment variable or flag
    │   ├── BadModel                    a model folder or class that breaks the contract
    │   ├── ModelNotFound
    │   ├── MissingExtra                an optional dependency is not installed
    │   ├── AssetUnavailable            a file of the model could not be had
    │   ├── AssetCorrupt                a file of the model has another sha256
    │   ├── EngineUnavailable           no container engine answers
    │   └── BuildFailed                 an image could not be built, run or pushed
    └── AnswerError                     what `maxfw.client` raises when a server refuses

Statuses are plain integers: nothing here knows the web framework.
"""

from __future__ import annotations


class MaxfwError(Exception):
    """An error with a stable `code`, an HTTP `status` and a `hint` that says what to do.

    The first argument says what happened and which value was received; it is shown to the caller.
    """

    code = "error"
    status = 500
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint


def one_line(error: MaxfwError) -> str:
    """What happened and what to do, for a terminal."""
    text = f"Error: {error.message}" + (f" ({error.hint})" if error.hint else "")
    return " ".join(text.split())


def quoted(value: object) -> str:
    """What a stranger sent, in quotes, and short enough for a message."""
    shown = repr(value[:100] if isinstance(value, str | bytes) else value)
    return shown if len(shown) <= 80 else shown[:77] + "…"


class RequestError(MaxfwError):
    """The request cannot be answered as it was sent."""

    code = "bad_request"
    status = 400


class BadInput(RequestError):
    """The input cannot be read, or the model cannot work with it."""

    code = "bad_input"


class BadParameter(BadInput):
    """A parameter is unknown, cannot be converted, or is out of its range."""

    code = "bad_parameter"


class Unauthorized(RequestError):
    """The request needs an API key."""

    code = "unauthorized"
    status = 401
    hint = "send the key in the header X-API-Key, or as Authorization: Bearer KEY"


class ForeignRequest(RequestError):
    """The page of another site tries to act in a visitor's name."""

    code = "foreign_request"
    status = 403


class NotFound(RequestError):
    """There is nothing at this address."""

    code = "not_found"
    status = 404


class MethodNotAllowed(RequestError):
    """The address exists, but not for this HTTP method."""

    code = "method_not_allowed"
    status = 405


class RequestTimeout(RequestError):
    """The request did not arrive completely within the time that is allowed."""

    code = "request_timeout"
    status = 408


class TooLarge(RequestError):
    """The input exceeds a limit; limits are published in `/model/metadata`."""

    code = "too_large"
    status = 413


class UnsupportedMedia(RequestError):
    """The input is in a format that is not accepted."""

    code = "unsupported_media_type"
    status = 415


class HeadTooLarge(RequestError):
    """The address and the headers of the request are longer than is allowed."""

    code = "head_too_large"
    status = 431
    hint = "send fewer or shorter headers"


class Abandoned(RequestError):
    """Nobody waits for the answer any more: the client has left, and its request was given up."""

    code = "abandoned"
    status = 499


class ServiceError(MaxfwError):
    """The service failed; the request may have been fine."""

    code = "internal_error"


class ModelFailed(ServiceError):
    """A method of the model raised; the log has the traceback, the caller does not."""

    code = "model_failed"


class BadModelOutput(ServiceError):
    """A method of the model returned something that is not an answer of its task."""

    code = "bad_model_output"


class Overloaded(ServiceError):
    """More requests than can be answered in time; `retry_after` is in seconds."""

    code = "overloaded"
    status = 503
    hint = "try again after the number of seconds in the Retry-After header"

    def __init__(self, message: str, *, retry_after: float = 1.0, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class DeadlineExceeded(ServiceError):
    """The answer was not ready within the time that is allowed."""

    code = "deadline_exceeded"
    status = 504


class ModelAway(ServiceError):
    """The model's service, which this application asks, cannot be reached or failed."""

    code = "model_away"
    status = 502


class SetupError(MaxfwError):
    """The service cannot start as it is set up."""

    code = "setup_error"


class BadSetting(SetupError):
    """A setting has a value that cannot be used."""

    code = "bad_setting"


class BadModel(SetupError):
    """A model folder or its class breaks the contract."""

    code = "bad_model"


class ModelNotFound(SetupError):
    """No model folder has this name or path."""

    code = "model_not_found"


class MissingExtra(SetupError):
    """An optional part of maxfw is needed and not installed.

    >>> str(MissingExtra("onnx", needs="onnxruntime"))
    "onnxruntime is not installed: pip install 'maxfw[onnx]'"
    """

    code = "missing_extra"

    def __init__(self, extra: str, *, needs: str) -> None:
        super().__init__(f"{needs} is not installed: pip install 'maxfw[{extra}]'")
        self.extra = extra


class AssetUnavailable(SetupError):
    """A file that the model needs could not be had from the cache, the mirror or its URL."""

    code = "asset_unavailable"


class AssetCorrupt(SetupError):
    """A file that the model needs has another sha256 than the model states."""

    code = "asset_corrupt"


class EngineUnavailable(SetupError):
    """No container engine answers, or none that this user may talk to."""

    code = "engine_unavailable"


class BuildFailed(SetupError):
    """An image could not be built, looked into or pushed."""

    code = "build_failed"


class AnswerError(MaxfwError):
    """A server answered a client's request with an error; carries the server's words."""

    code = "answer_error"

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str = "answer_error",
        hint: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.request_id = request_id
