"""What old repositories import and construct, name by name."""

from __future__ import annotations

import inspect

import flask
import flask_restx
import pytest

import maxfw.core
import maxfw.core.default_config
import maxfw.core.utils
from maxfw.core import (
    MAX_API,
    METADATA_SCHEMA,
    CustomMAXAPI,
    MAXApp,
    MetadataAPI,
    PredictAPI,
    Resource,
    fields,
)
from maxfw.model import MAXModelWrapper
from maxfw.tasks.image_classification import ImageClassification


@pytest.mark.parametrize(
    "name",
    [
        "MAXApp",
        "MAX_API",
        "MAXAPI",
        "MetadataAPI",
        "PredictAPI",
        "CustomMAXAPI",
        "METADATA_SCHEMA",
        "MAXImageProcessor",
        "ImageProcessor",
        "redirect_errors_to_flask",
        "Resource",
        "fields",
        "abort",
        "api",
        "app",
        "utils",
        "default_config",
    ],
)
def test_a_star_import_of_core_gives(name):
    everything: dict[str, object] = {}
    exec("from maxfw.core import *", everything)

    assert everything[name] is getattr(maxfw.core, name)


def test_the_names_are_the_libraries_own_objects():
    assert maxfw.core.fields is flask_restx.fields
    assert maxfw.core.Resource is flask_restx.Resource
    assert maxfw.core.abort is flask.abort


def test_the_default_words():
    assert maxfw.core.default_config.API_TITLE == "Model Asset Exchange Microservice"
    assert maxfw.core.default_config.API_DESC == "An API for serving models"
    assert maxfw.core.default_config.API_VERSION == "0.1"


@pytest.mark.parametrize(
    ("function", "signature"),
    [
        (MAXApp.__init__, {"self": ..., "title": "Model Asset Exchange Microservice",
                           "desc": "An API for serving models", "version": "0.1"}),
        (MAXApp.add_api, {"self": ..., "api": ..., "route": ...}),
        (MAXApp.mount_static, {"self": ..., "route": ...}),
        (MAXApp.run, {"self": ..., "host": "0.0.0.0", "port": 5000}),
        (MAXModelWrapper.__init__, {"self": ..., "path": None}),
    ],
)  # fmt: skip
def test_the_arguments_are_those_of_2019(function, signature):
    parameters = inspect.signature(function).parameters.values()

    assert {p.name: ... if p.default is p.empty else p.default for p in parameters} == signature


def test_the_namespace_is_flask_restxs():
    assert isinstance(MAX_API, flask_restx.Namespace)
    assert (MAX_API.name, MAX_API.description) == ("model", "Model information and inference operations")
    assert isinstance(MAX_API.parser(), flask_restx.reqparse.RequestParser)


def test_the_metadata_schema_requires_all_but_the_licence():
    assert METADATA_SCHEMA.name == "ModelMetadata"
    assert list(METADATA_SCHEMA) == ["id", "name", "description", "type", "source", "license"]
    assert all(isinstance(field, fields.String) for field in METADATA_SCHEMA.values())
    assert [name for name, field in METADATA_SCHEMA.items() if not field.required] == ["license"]


def test_handlers_are_resources_that_want_their_verb_written():
    assert all(issubclass(handler, Resource) for handler in (MetadataAPI, PredictAPI, CustomMAXAPI))
    with pytest.raises(NotImplementedError):
        MetadataAPI().get()
    with pytest.raises(NotImplementedError):
        PredictAPI().post()
    assert not CustomMAXAPI.methods


def test_an_app_is_made_of_flask_and_flask_restx(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    max_app = MAXApp("A title", "A description", "3.0")

    assert isinstance(max_app.app, flask.Flask)
    assert isinstance(max_app.api, flask_restx.Api)
    assert (max_app.api.title, max_app.api.description, max_app.api.version) == (
        "A title",
        "A description",
        "3.0",
    )


# flask_restplus ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["maxfw.core", "maxfw.model"])
def test_the_old_name_of_flask_restx_is_flask_restx(python, door):
    script = f"""
import {door}
from flask_restplus import fields, abort, inputs, reqparse, Namespace, Resource, Api
import flask_restplus.fields
import flask_restplus.marshalling
from flask_restplus.errors import ValidationError
from flask_restplus.model import Model
import importlib, json, sys
import flask_restx, flask_restx.marshalling
submodules = "api apidoc cors errors fields inputs marshalling mask model namespace postman representations reqparse resource schemas swagger utils"
print(json.dumps([
    sys.modules["flask_restplus"] is flask_restx,
    flask_restplus.fields is flask_restx.fields is fields,
    flask_restplus.marshalling is flask_restx.marshalling,
    all(importlib.import_module("flask_restplus." + name) is importlib.import_module("flask_restx." + name)
        for name in submodules.split()),
    sum(getattr(module, "__file__", None) == flask_restx.fields.__file__ for module in set(sys.modules.values())),
    [flask_restx.__name__, flask_restx.__spec__.name, flask_restx.fields.__spec__.name],
]))
"""

    assert python(script) == [True, True, True, True, 1, ["flask_restx", "flask_restx", "flask_restx.fields"]]


def test_the_model_door_opens_without_flask(python):
    script = """
import maxfw.model, json, sys
print(json.dumps([name for name in ("flask", "flask_restx", "flask_restplus", "werkzeug") if name in sys.modules]))
"""

    assert python(script) == []


def test_the_real_flask_restplus_is_left_alone(python, tmp_path):
    (tmp_path / "flask_restplus.py").write_text("fields = 'the real one'")
    script = """
import json
import maxfw.model, maxfw.core
from flask_restplus import fields
print(json.dumps(fields))
"""

    assert python(script) == "the real one"


def test_installing_twice_changes_nothing(python):
    script = """
import json, sys
from maxfw.model.aliases import alias_flask_restplus
from maxfw.core.shims import install_shims
import maxfw.core, flask
before = list(sys.meta_path), flask.send_file
alias_flask_restplus()
alias_flask_restplus(now=True)
install_shims()
print(json.dumps(before == (list(sys.meta_path), flask.send_file)))
"""

    assert python(script) is True


def test_a_submodule_that_never_was_is_an_import_error(python):
    script = """
import json
import maxfw.model
try:
    import flask_restplus.nothing
except ModuleNotFoundError as error:
    print(json.dumps(error.name))
"""

    assert python(script) == "flask_restplus.nothing"


# flask.send_file -----------------------------------------------------------------------------------------------


def test_send_file_takes_the_old_keyword_and_keeps_its_signature(python):
    script = """
import inspect, io, json
import flask
before = inspect.signature(flask.send_file)
import maxfw.core
from flask import send_file
from flask.helpers import send_file as from_helpers
app = flask.Flask(__name__)
with app.test_request_context():
    names = [
        response.headers["Content-Disposition"]
        for response in (
            send_file(io.BytesIO(b"x"), as_attachment=True, attachment_filename="old.png"),
            from_helpers(io.BytesIO(b"x"), "image/png", True, attachment_filename="helpers.png"),
            send_file(io.BytesIO(b"x"), as_attachment=True, download_name="new.png"),
        )
    ]
print(json.dumps([names, before == inspect.signature(send_file)]))
"""

    names, same_signature = python(script)
    assert names == [
        "attachment; filename=old.png",
        "attachment; filename=helpers.png",
        "attachment; filename=new.png",
    ]
    assert same_signature


# Pillow --------------------------------------------------------------------------------------------------------


def test_the_filters_of_old_pillow_are_there_under_their_old_names(python):
    script = """
import json
import maxfw.core
from PIL import Image
print(json.dumps([Image.ANTIALIAS == Image.LANCZOS, Image.LINEAR == Image.BILINEAR, Image.CUBIC == Image.BICUBIC,
                  Image.new("RGB", (9, 9)).resize((3, 3), Image.ANTIALIAS).size]))
"""

    assert python(script) == [True, True, True, [3, 3]]


# The model wrapper ---------------------------------------------------------------------------------------------


def test_a_wrapper_without_predict_cannot_be_made():
    class Unfinished(MAXModelWrapper):
        pass

    with pytest.raises(TypeError, match="_predict"):
        Unfinished()


def test_a_wrapper_may_have_a_predict_of_its_own_and_nothing_else():
    class Segmenter(MAXModelWrapper):
        def __init__(self):
            self.label = 15

        def predict(self, x, model="mobile"):
            return model, [self.label * pixel for pixel in x]

    assert Segmenter().predict([0, 1]) == ("mobile", [0, 15])


def test_a_model_with_a_task_needs_the_step_that_the_task_calls():
    class Classifier(MAXModelWrapper):
        task = ImageClassification(labels=["cat", "dog"])

        def predict(self, x):
            return x

    with pytest.raises(TypeError, match="_predict"):
        Classifier()


def test_a_wrapper_that_never_calls_super_predicts_in_three_steps():
    class Steps(MAXModelWrapper):
        def __init__(self, path="weights"):
            self.path = path

        def _pre_process(self, x):
            return [x]

        def _predict(self, x):
            return [*x, self.path]

        def _post_process(self, x):
            return [*x, "done"]

    assert Steps().predict("in") == ["in", "weights", "done"]


def test_a_wrappers_other_steps_change_nothing():
    class Double(MAXModelWrapper):
        def _predict(self, x):
            return 2 * x

    assert Double("a path").predict(4) == 8


def test_a_wrapper_may_predict_from_two_arguments():
    class Threshold(MAXModelWrapper):
        def _predict(self, x, threshold):
            return [value for value in x if value > threshold]

    assert Threshold()._predict([1, 2, 3], 2) == [3]
    assert Threshold()._predict([1, 2, 3], threshold=1) == [2, 3]
