"""An image processor whose complaints about the input become answers with status 400."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import abort

from maxfw.utils.image_functions import NOT_BYTES_OR_NDARRAY, UNREADABLE_BYTES, WRONG_DIMENSIONS
from maxfw.utils.image_utils import ImageProcessor

__all__ = ["ImageProcessor", "MAXImageProcessor", "abort", "redirect_errors_to_flask"]

P = ParamSpec("P")
R = TypeVar("R")

NEITHER_GREY_NOR_COLOUR = "Invalid input, please ensure the input is either a grayscale or a colour image."
# The double space is the original's; clients may compare the text.
NO_COMMON_FORMAT = "Invalid input format, please make sure the input file format  is a common image format such as JPG or PNG."


def redirect_errors_to_flask(func: Callable[P, R]) -> Callable[P, R]:
    """`func`, answering 400 where the image is at fault; every other error goes on as it is."""

    @functools.wraps(func)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return func(*args, **kwargs)
        except ValueError as error:
            if WRONG_DIMENSIONS in str(error):
                abort(400, NEITHER_GREY_NOR_COLOUR)
            raise
        except TypeError as error:
            if NOT_BYTES_OR_NDARRAY in str(error) or UNREADABLE_BYTES in str(error):
                abort(400, NO_COMMON_FORMAT)
            raise

    return inner


class MAXImageProcessor(ImageProcessor):
    """An `ImageProcessor` for use inside a handler.

    >>> MAXImageProcessor([ToPILImage("RGB"), Resize((224, 224))]).apply_transforms(image.read())
    """

    @redirect_errors_to_flask
    def apply_transforms(self, img: Any) -> Any:
        return super().apply_transforms(img)
