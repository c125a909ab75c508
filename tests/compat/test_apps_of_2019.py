"""An app and its folder: config.py, static files, CORS; and several apps in one process."""

from __future__ import annotations

import pytest

from maxfw.core.app import CORS_NOTE

PING = """
import json, os, sys
from maxfw.core import MAXApp, MAX_API, CustomMAXAPI, PredictAPI, fields
class Ping(CustomMAXAPI):
    def get(self):
        return "pong"
def status(max_app, path, method="get"):
    return getattr(max_app.app.test_client(), method)(path).status_code
"""


# Several apps in one process -----------------------------------------------------------------------------------


def test_a_route_of_one_app_is_not_the_others(python):
    script = f"""{PING}
class Other(CustomMAXAPI):
    def get(self):
        return "other"
one, two = MAXApp("one"), MAXApp("two")
one.add_api(Ping, "/ping")
two.add_api(Other, "/other")
paths = [sorted(app.app.test_client().get("/swagger.json").json["paths"]) for app in (one, two)]
print(json.dumps([paths, status(one, "/model/other"), status(two, "/model/ping"), status(two, "/model/other")]))
"""

    assert python(script) == [[["/model/ping"], ["/model/other"]], 404, 404, 200]


def test_a_class_may_serve_in_two_apps_at_different_routes(python):
    script = f"""{PING}
one, two = MAXApp(), MAXApp()
one.add_api(Ping, "/a")
two.add_api(Ping, "/b")
print(json.dumps([status(one, "/model/a"), status(one, "/model/b"), status(two, "/model/a"), status(two, "/model/b")]))
"""

    assert python(script) == [200, 404, 404, 200]


def test_a_shared_route_reaches_every_app_before_and_after_it_is_made(python):
    script = f"""{PING}
one = MAXApp()
MAX_API.route("/ping")(Ping)
two = MAXApp()
print(json.dumps([[status(app, "/model/ping"), sorted(app.app.test_client().get("/swagger.json").json["paths"])]
                  for app in (one, two)]))
"""

    assert python(script) == [[200, ["/model/ping"]], [200, ["/model/ping"]]]


@pytest.mark.parametrize("order", ["route first", "add first"])
def test_a_class_may_be_routed_and_added(python, order):
    script = f"""{PING}
app = MAXApp()
if {order == "route first"}:
    MAX_API.route("/ping")(Ping)
app.add_api(Ping, "/ping")
if {order == "add first"}:
    MAX_API.route("/ping")(Ping)
description = app.app.test_client().get("/swagger.json").json
print(json.dumps([status(app, "/model/ping"), list(description["paths"]), len(description["tags"])]))
"""

    assert python(script) == [200, ["/model/ping"], 1]


@pytest.mark.parametrize("how", ["app.add_api(Ping, '/ping')", "MAX_API.route('/ping')(Ping)"])
def test_a_route_may_come_after_a_request_was_served(python, how):
    script = f"""{PING}
app = MAXApp()
before = [status(app, "/"), status(app, "/model/ping"), list(app.app.test_client().get("/swagger.json").json["paths"])]
{how}
app.mount_static("/late/")
print(json.dumps([before, status(app, "/model/ping"), list(app.app.test_client().get("/swagger.json").json["paths"])]))
"""

    assert python(script) == [[200, 404, []], 200, ["/model/ping"]]


def test_a_model_declared_after_the_app_is_described_and_checked(python):
    script = f"""{PING}
app = MAXApp()
app.add_api(Ping, "/ping")
status(app, "/swagger.json")
Word = MAX_API.model("A word", {{"text": fields.String(required=True)}})
Words = MAX_API.model("Some words", {{"words": fields.List(fields.Nested(Word), required=True)}})
class Predict(PredictAPI):
    @MAX_API.expect(Words, validate=True)
    def post(self):
        return len(MAX_API.payload["words"])
app.add_api(Predict, "/predict")
client = app.app.test_client()
good = client.post("/model/predict", json={{"words": [{{"text": "a"}}, {{"text": "b"}}]}})
bad = client.post("/model/predict", json={{"words": [{{"text": 3}}]}})
print(json.dumps([good.json, bad.json["errors"], sorted(client.get("/swagger.json").json["definitions"])]))
"""

    assert python(script) == [
        2,
        {"words.0.text": "3 is not of type 'string'"},
        ["A word", "Some words"],
    ]


def test_two_apps_may_use_one_model_name_for_different_things(python):
    script = f"""{PING}
def client(kind):
    Item = MAX_API.model("Item", {{"x": kind(required=True)}})
    Items = MAX_API.model("Items", {{"items": fields.List(fields.Nested(Item), required=True)}})
    class Predict(PredictAPI):
        @MAX_API.expect(Items, validate=True)
        def post(self):
            return MAX_API.payload["items"][0]["x"]
    app = MAXApp()
    app.add_api(Predict, "/predict")
    return app.app.test_client()
clients = [client(fields.String), client(fields.Integer)]
print(json.dumps([[c.post("/model/predict", json={{"items": [{{"x": x}}]}}).status_code for x in ("a", 1)]
                  + [c.get("/swagger.json").json["definitions"]["Item"]["properties"]["x"]["type"]] for c in clients]))
"""

    assert python(script) == [[200, 400, "string"], [400, 200, "integer"]]


def test_a_model_declared_twice_is_the_last_one(python):
    script = f"""{PING}
MAX_API.model("Item", {{"x": fields.String}})
Item = MAX_API.model("Item", {{"y": fields.String}})
class Predict(PredictAPI):
    @MAX_API.marshal_with(Item)
    def post(self):
        return {{"x": 1, "y": 2}}
app = MAXApp()
app.add_api(Predict, "/predict")
client = app.app.test_client()
print(json.dumps([client.post("/model/predict").json,
                  list(client.get("/swagger.json").json["definitions"]["Item"]["properties"])]))
"""

    assert python(script) == [{"y": "2"}, ["y"]]


def test_an_error_handler_of_the_namespace_serves_every_app(python):
    script = f"""{PING}
class Broken(CustomMAXAPI):
    def get(self):
        raise KeyError("which")
@MAX_API.errorhandler(KeyError)
def on_key_error(error):
    return {{"message": "no such thing"}}, 409
answers = []
for app in (MAXApp(), MAXApp()):
    app.add_api(Broken, "/broken")
    answers.append([status(app, "/model/broken"), app.app.test_client().get("/model/broken").json])
print(json.dumps(answers))
"""

    assert python(script) == [[409, {"message": "no such thing"}]] * 2


def test_an_error_that_carries_data_does_not_tell_it(python):
    script = f"""{PING}
class Carrying(Exception):
    data = {{"message": "the password is swordfish"}}
class Broken(CustomMAXAPI):
    def get(self):
        raise Carrying("swordfish")
app = MAXApp()
app.add_api(Broken, "/broken")
answer = app.app.test_client().get("/model/broken")
print(json.dumps([answer.status_code, answer.json]))
"""

    assert python(script) == [500, {"message": "Internal Server Error"}]


def test_a_test_client_that_asks_for_exceptions_gets_them(python):
    script = f"""{PING}
class Broken(CustomMAXAPI):
    def get(self):
        raise KeyError("which")
app = MAXApp()
app.add_api(Broken, "/broken")
app.app.testing = True
try:
    app.app.test_client().get("/model/broken")
except KeyError:
    print(json.dumps("raised"))
"""

    assert python(script) == "raised"


def test_jsonify_in_an_old_app_takes_numpy_values(python):
    script = f"""{PING}
import flask, numpy as np
app = MAXApp()
app.app.add_url_rule("/raw", "raw", lambda: flask.jsonify(rows=np.eye(2, dtype=np.float32), none=np.nan))
print(json.dumps(app.app.test_client().get("/raw").json))
"""

    assert python(script) == {"rows": [[1.0, 0.0], [0.0, 1.0]], "none": None}


def test_what_is_no_json_is_still_500(python):
    script = f"""{PING}
class Strange(CustomMAXAPI):
    def get(self):
        return {{"file": object()}}
app = MAXApp()
app.add_api(Strange, "/strange")
print(json.dumps(status(app, "/model/strange")))
"""

    assert python(script) == 500


# config.py -----------------------------------------------------------------------------------------------------

CONFIG = "API_TITLE = 'From the file'\nMODEL_SIZE = 3\nRESTPLUS_MASK_SWAGGER = False\nsmall = 1\n"


def test_config_py_is_loaded_and_importable(python, tmp_path):
    (tmp_path / "config.py").write_text(CONFIG)
    script = f"""{PING}
import config
app = MAXApp()
from config import MODEL_SIZE
print(json.dumps([app.app.config["API_TITLE"], MODEL_SIZE, sys.modules["config"] is config, "small" in app.app.config,
                  app.app.config["RESTX_MASK_SWAGGER"]]))
"""

    assert python(script) == ["From the file", 3, True, False, False]


def test_config_py_is_found_where_the_folder_is_not_on_the_path(python, tmp_path):
    (tmp_path / "config.py").write_text(CONFIG)
    script = f"""{PING}
sys.path[:] = [entry for entry in sys.path if entry not in ("", os.getcwd())]
app = MAXApp()
from config import MODEL_SIZE
import config
print(json.dumps([app.app.config["MODEL_SIZE"], MODEL_SIZE, os.path.samefile(config.__file__, "config.py")]))
"""

    assert python(script) == [3, 3, True]


def test_without_config_py_nothing_is_loaded(python):
    script = f"""{PING}
app = MAXApp()
print(json.dumps(["API_TITLE" in app.app.config, "config" in sys.modules, status(app, "/")]))
"""

    assert python(script) == [False, False, 200]


def test_each_app_has_the_config_py_of_its_own_folder(python, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.py").write_text(f"WHO = {name!r}")
    script = f"""{PING}
apps, modules = [], []
for folder in ("one", "../two", "../one"):
    os.chdir(folder)
    apps.append(MAXApp())
    from config import WHO
    modules.append(WHO)
print(json.dumps([[app.app.config["WHO"] for app in apps], modules]))
"""

    assert python(script) == [["one", "two", "one"], ["one", "two", "one"]]


def test_a_config_of_somebody_else_is_not_taken_for_the_apps(python, tmp_path):
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "config.py").write_text("API_TITLE = 'of a library'")
    script = f"""{PING}
sys.path.insert(0, "library")
import config as of_library
app = MAXApp()
print(json.dumps(["API_TITLE" in app.app.config, sys.modules["config"] is of_library]))
"""

    assert python(script) == [False, True]


def test_a_broken_config_py_is_the_authors_error_and_leaves_no_module(python, tmp_path):
    (tmp_path / "config.py").write_text("API_TITLE = undefined")
    script = f"""{PING}
try:
    MAXApp()
except NameError as error:
    print(json.dumps([str(error), "config" in sys.modules]))
"""

    assert python(script) == ["name 'undefined' is not defined", False]


def test_debug_in_config_py_changes_the_looks_of_json_and_no_more(paragraph_reader):
    answer = paragraph_reader("GET", "/model/labels")

    assert answer.body.startswith(b'[\n    {\n        "id": 0')


# The folder and the title --------------------------------------------------------------------------------------


def test_a_title_that_is_the_name_of_a_module_moves_nothing(python, tmp_path):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.txt").write_text("here")
    script = f"""{PING}
app = MAXApp("json")
with app.app.test_client().get("/a.txt") as answer:
    print(json.dumps([answer.text, app.app.root_path == os.getcwd()]))
"""

    assert python(script) == ["here", True]


def test_a_file_in_static_does_not_shadow_a_route(python, tmp_path):
    (tmp_path / "static" / "model").mkdir(parents=True)
    (tmp_path / "static" / "model" / "ping").write_text("a file")
    (tmp_path / "static" / "swagger.json").write_text("a file")
    script = f"""{PING}
app = MAXApp()
app.add_api(Ping, "/ping")
client = app.app.test_client()
print(json.dumps([client.get("/model/ping").json, client.get("/swagger.json").json["swagger"]]))
"""

    assert python(script) == ["pong", "2.0"]


def test_a_large_form_field_is_taken_as_it_was(python):
    script = f"""{PING}
import flask
class Length(PredictAPI):
    def post(self):
        return len(flask.request.form["text"])
app = MAXApp()
app.add_api(Length, "/predict")
print(json.dumps(app.app.test_client().post("/model/predict", data={{"text": "x" * 1_000_000}}).json))
"""

    assert python(script) == 1_000_000


# CORS ----------------------------------------------------------------------------------------------------------

ALLOWED = "Access-Control-Allow-Origin"


def origin_allowed(app, origin="https://page.example"):
    return app("GET", "/model/metadata", headers={"Origin": origin}).headers.get(ALLOWED)


def test_cors_is_off_unless_it_is_asked_for(animal_finder, start_app):
    off = start_app("animal_finder", CORS_ENABLE="false")

    assert origin_allowed(animal_finder) is None
    assert origin_allowed(off) is None
    assert animal_finder.printed == off.printed == ""


def test_cors_true_opens_to_every_origin_and_says_so(start_app):
    app = start_app("animal_finder", CORS_ENABLE="true")

    preflight = app(
        "OPTIONS",
        "/model/predict",
        headers={"Origin": "https://page.example", "Access-Control-Request-Method": "POST"},
    )

    # flask-cors answers the origin that asked, and the star to nobody in particular.
    assert origin_allowed(app) == "https://page.example"
    assert origin_allowed(app, "null") == "null"
    assert app("GET", "/model/metadata").headers[ALLOWED] == "*"
    assert preflight.status == 200
    assert preflight.headers[ALLOWED] == "https://page.example"
    assert app.printed == CORS_NOTE + "\n"
    assert CORS_NOTE == "NOTE: MAX Model Server is currently allowing cross-origin requests - (CORS ENABLED)"


def test_cors_opens_while_debugging_too(start_app):
    app = start_app("paragraph_reader", CORS_ENABLE="true")

    assert origin_allowed(app) == "https://page.example"


@pytest.mark.parametrize("variable", ["CORS_ENABLE", "MAXFW_CORS"])
def test_cors_opens_to_a_list_of_origins(start_app, variable):
    app = start_app("tone_generator", **{variable: "https://page.example, https://other.example"})

    assert origin_allowed(app) == "https://page.example"
    assert origin_allowed(app, "https://other.example") == "https://other.example"
    assert origin_allowed(app, "https://stranger.example") is None
