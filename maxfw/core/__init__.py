"""The doors of 2019: the names that old model repositories import, on today's stack.

Importing this package installs what those repositories rely on (see `shims.py`): the one place of maxfw
where an import does something.
"""

from maxfw.core.shims import install_shims
from maxfw.model.aliases import alias_flask_restplus

alias_flask_restplus(now=True)
install_shims()

from flask import abort  # noqa: E402
from flask_restx import Resource, fields  # noqa: E402

from maxfw.core import api, app, default_config, utils  # noqa: E402
from maxfw.core.api import (  # noqa: E402
    MAX_API,
    MAXAPI,
    METADATA_SCHEMA,
    CustomMAXAPI,
    MetadataAPI,
    PredictAPI,
)
from maxfw.core.app import MAXApp  # noqa: E402
from maxfw.core.utils import MAXImageProcessor, redirect_errors_to_flask  # noqa: E402
from maxfw.utils.image_utils import ImageProcessor  # noqa: E402

__all__ = [
    "MAXAPI",
    "MAX_API",
    "METADATA_SCHEMA",
    "CustomMAXAPI",
    "ImageProcessor",
    "MAXApp",
    "MAXImageProcessor",
    "MetadataAPI",
    "PredictAPI",
    "Resource",
    "abort",
    "api",
    "app",
    "default_config",
    "fields",
    "redirect_errors_to_flask",
    "utils",
]
