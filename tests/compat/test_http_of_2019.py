"""What clients of 2019 see: addresses, statuses, headers and bodies, on today's Flask."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np
import pytest
from PIL import Image

MISSING = "Missing required parameter in"
ANYWHERE = "the JSON body or the post body or the query string"


def picture(left: int, right: int) -> bytes:
    """A PNG of 8 x 4 pixels, whose halves have these greys (0…255)."""
    grey = np.repeat(np.uint8([[left, right]]), 4, axis=0).repeat(4, axis=1)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()


def upload(field: str, content: bytes, name: str = "x.png", mimetype: str = "image/png") -> dict[str, Any]:
    return {field: (name, content, mimetype)}


DARK_CAT = upload("image", picture(0, 255))


# Pages ---------------------------------------------------------------------------------------------------------


def test_the_root_is_the_swagger_page_although_static_has_an_index(animal_finder):
    page = animal_finder("GET", "/")

    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "swagger-ui" in page.text
    assert "Animal Finder" in page.text
    assert animal_finder("HEAD", "/").status == 200


def test_the_swagger_page_loads_nothing_from_elsewhere(animal_finder):
    page = animal_finder("GET", "/").text

    assert 'src="http' not in page
    assert 'href="http' not in page
    assert animal_finder("GET", "/swaggerui/swagger-ui-bundle.js").status == 200


def test_the_description_is_swagger_2_with_the_exact_content_type(animal_finder):
    answer = animal_finder("GET", "/swagger.json")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    description = answer.json
    assert description["swagger"] == "2.0"
    assert description["basePath"] == "/"
    assert description["info"] == {
        "title": "Animal Finder",
        "version": "1.2.0",
        "description": "Finds the dark animals in a picture of snow.",
    }
    assert description["tags"] == [
        {"name": "model", "description": "Model information and inference operations"}
    ]
    assert set(description["paths"]) == {"/model/metadata", "/model/labels", "/model/predict"}


def test_the_description_shows_where_arguments_go(animal_finder):
    operation = animal_finder("GET", "/swagger.json").json["paths"]["/model/predict"]["post"]

    assert operation["operationId"] == "predict"
    assert operation["summary"] == "Make a prediction given input data"
    assert operation["consumes"] == ["multipart/form-data"]
    assert {p["name"]: (p["in"], p["type"]) for p in operation["parameters"]} == {
        "image": ("formData", "file"),
        "threshold": ("query", "number"),
    }


def test_the_mask_parameter_is_hidden_as_the_old_setting_says(animal_finder, film_recommender):
    def parameters(app: Any) -> set[str]:
        operation = app("GET", "/swagger.json").json["paths"]["/model/predict"]["post"]
        return {parameter["name"] for parameter in operation["parameters"]}

    assert "X-Fields" not in parameters(animal_finder)
    assert "X-Fields" in parameters(film_recommender)  # which has no config.py


def test_what_a_binary_answer_is_documented(tone_generator):
    operation = tone_generator("GET", "/swagger.json").json["paths"]["/model/predict"]["get"]

    assert operation["produces"] == ["audio/wav"]


def test_models_with_spaces_in_their_names_are_described(paragraph_reader):
    description = paragraph_reader("GET", "/swagger.json").json

    assert {"Data JSON object", "Paragraph with questions"} <= set(description["definitions"])
    [payload] = description["paths"]["/model/predict"]["post"]["parameters"]
    assert payload["schema"] == {"$ref": "#/definitions/Data%20JSON%20object"}


def test_static_files_are_at_the_root(animal_finder):
    script = animal_finder("GET", "/js/herd.js")
    index = animal_finder("GET", "/index.html")

    assert script.status == 200
    assert script.text == "var herd = [];\n"
    assert index.status == 200
    assert index.text.startswith("<!doctype html>")


def test_a_mounted_page_is_found_with_and_without_its_slash(animal_finder):
    redirect = animal_finder("GET", "/app")
    page = animal_finder("GET", "/app/")

    assert redirect.status == 308
    assert redirect.headers["Location"].endswith("/app/")
    assert page.status == 200
    assert page.body == animal_finder("GET", "/index.html").body


@pytest.mark.parametrize(
    "path",
    [
        "/../config.py",
        "/%2e%2e/config.py",
        "/js/../../config.py",
        "/js/%2e%2e%2f%2e%2e%2fconfig.py",
        "/config.py",
    ],
)
def test_only_the_static_folder_is_served(animal_finder, path):
    answer = animal_finder("GET", path)

    assert answer.status == 404
    assert "DEFAULT_MODEL_PATH" not in answer.text


@pytest.mark.parametrize(
    "path", ["/model/predict", "/model/nothing", "/nothing", "/model/metadata/", "/health/x"]
)
def test_an_unknown_get_is_404_in_html(animal_finder, path):
    answer = animal_finder("GET", path)

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_an_app_without_a_static_folder_answers_404_too(film_recommender):
    assert film_recommender("GET", "/index.html").status == 404


# Metadata and labels -------------------------------------------------------------------------------------------


def test_metadata_has_the_six_keys_in_order_and_no_other(animal_finder):
    answer = animal_finder("GET", "/model/metadata")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.json) == ["id", "name", "description", "type", "source", "license"]
    assert answer.json["license"] == "ApacheV2"
    assert answer.body.endswith(b"}\n")


def test_metadata_that_lacks_a_key_answers_null(paragraph_reader):
    assert paragraph_reader("GET", "/model/metadata").json["source"] is None


def test_labels_as_a_dict_turn_integers_into_the_strings_of_their_schema(animal_finder):
    assert animal_finder("GET", "/model/labels").json == {
        "count": 2,
        "labels": [{"id": "1", "name": "cat"}, {"id": "2", "name": "dog"}],
    }


def test_labels_as_a_bare_list_stay_one(paragraph_reader):
    assert paragraph_reader("GET", "/model/labels").json == [
        {"id": 0, "name": "short"},
        {"id": 1, "name": "long"},
    ]


def test_a_post_to_a_get_route_is_405_and_says_what_is_allowed(animal_finder):
    answer = animal_finder("POST", "/model/metadata")

    assert answer.status == 405
    assert answer.json == {"message": "The method is not allowed for the requested URL."}
    assert "GET" in answer.headers["Allow"].split(", ")


def test_a_post_to_a_get_only_predict_is_405(tone_generator):
    answer = tone_generator("POST", "/model/predict")

    assert answer.status == 405
    assert "GET" in answer.headers["Allow"].split(", ")


@pytest.mark.parametrize("seed", ["0", "1", "2", "3", "4", "5"])
def test_a_method_that_no_handler_has_is_405_in_json_in_every_process(python, seed):
    # werkzeug keeps the methods of a route in a set, whose order is another one in every process.
    script = """
import json
from maxfw.core import MAXApp, PredictAPI
class Predict(PredictAPI):
    def post(self):
        return 1
app = MAXApp()
app.add_api(Predict, "/predict")
client = app.app.test_client()
refused, elsewhere = client.delete("/model/predict"), client.delete("/model/nothing")
print(json.dumps([refused.status_code, refused.json, elsewhere.status_code, elsewhere.content_type]))
"""

    assert python(script, PYTHONHASHSEED=seed) == [
        405,
        {"message": "The method is not allowed for the requested URL."},
        405,
        "text/html; charset=utf-8",
    ]


# A file as input -----------------------------------------------------------------------------------------------


def test_a_file_is_predicted_with_numpy_values_in_the_answer(animal_finder):
    answer = animal_finder("POST", "/model/predict", files=DARK_CAT)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.body.endswith(b"\n")
    assert list(answer.json) == ["status", "predictions"]
    assert answer.json == {
        "status": "ok",
        "predictions": [
            {"label_id": "1", "label": "cat", "probability": 1.0, "detection_box": [0.0, 0.0, 1.0, 0.5]}
        ],
    }


@pytest.mark.parametrize("where", ["data", "query_string"])
def test_a_parameter_beside_a_file_comes_from_the_form_or_the_query(animal_finder, where):
    half_dark = upload("image", picture(0, 127))

    few = animal_finder("POST", "/model/predict", files=half_dark, **{where: {"threshold": "0.6"}})
    many = animal_finder("POST", "/model/predict", files=half_dark, **{where: {"threshold": "0.4"}})

    assert [animal["label"] for animal in few.json["predictions"]] == ["cat"]
    assert [animal["label"] for animal in many.json["predictions"]] == ["cat", "dog"]


def test_nothing_found_is_200_with_an_empty_list(animal_finder):
    answer = animal_finder("POST", "/model/predict", files=upload("image", picture(255, 255)))

    assert answer.json == {"status": "ok", "predictions": []}


def test_a_missing_file_is_400_in_the_words_of_2019(animal_finder):
    answer = animal_finder("POST", "/model/predict")

    assert answer.status == 400
    assert answer.json == {
        "errors": {"image": f"An image file (encoded as PNG or JPG/JPEG) {MISSING} an uploaded file"},
        "message": "Input payload validation failed",
    }


def test_an_unreadable_parameter_is_400_in_the_words_of_2019(animal_finder):
    answer = animal_finder("POST", "/model/predict", files=DARK_CAT, data={"threshold": "abc"})

    assert answer.status == 400
    assert answer.json["errors"] == {
        "threshold": "Probability threshold for including a detected animal. "
        "could not convert string to float: 'abc'"
    }


def test_an_abort_in_the_models_own_code_reaches_the_client(animal_finder):
    answer = animal_finder("POST", "/model/predict", files=upload("image", b"no image"))

    assert answer.status == 400
    assert answer.json == {"message": "Unrecognized image format"}


def test_a_mask_in_the_header_selects_fields(animal_finder):
    answer = animal_finder("POST", "/model/predict", files=DARK_CAT, headers={"X-Fields": "status"})

    assert answer.json == {"status": "ok"}


def test_the_uploads_type_and_name_reach_the_handler(body_parts, clip_watcher):
    text = body_parts("POST", "/model/predict", files=upload("file", b"x", "x.txt", "text/plain"))
    clip = clip_watcher("POST", "/model/predict", files=upload("video", b"12345", "a.mp4", "video/mp4"))

    assert text.json == {"message": "Please submit a valid image in PNG or JPEG format"}
    assert clip.json == {"status": "ok", "length": 5}


def test_a_fixed_field_is_a_string_of_five_digits(body_parts):
    bright = np.zeros((4, 6), np.uint8)
    bright[1, 5] = 255
    file = io.BytesIO()
    Image.fromarray(bright).save(file, "PNG")

    answer = body_parts("POST", "/model/predict", files=upload("file", file.getvalue()))

    nose = {"part_id": 0, "part_name": "Nose", "score": "0.83899", "x": 5, "y": 1}
    assert answer.json == {"status": "ok", "predictions": [{"human_id": 0, "body_parts": [nose]}]}


# JSON as input -------------------------------------------------------------------------------------------------


def question(context: Any = "Paris is in France", questions: Any = ("Where?",)) -> dict[str, Any]:
    return {"paragraphs": [{"context": context, "questions": list(questions)}]}


def test_json_is_predicted_and_absent_fields_are_null(paragraph_reader):
    answer = paragraph_reader("POST", "/model/predict", json=question(questions=["Where?", "In?"]))

    assert answer.status == 200
    assert answer.json == {"status": "ok", "predictions": [["in", "France"]], "model_size": None}


def test_json_that_breaks_its_model_is_400_and_says_where(paragraph_reader):
    answer = paragraph_reader("POST", "/model/predict", json=question(questions=["Where?", 45]))

    assert answer.status == 400
    assert answer.json == {
        "errors": {"paragraphs.0.questions.1": "45 is not of type 'string'"},
        "message": "Input payload validation failed",
    }


def test_json_that_lacks_a_key_is_400(paragraph_reader):
    answer = paragraph_reader("POST", "/model/predict", json={})

    assert answer.status == 400
    assert answer.json["errors"] == {"paragraphs": "'paragraphs' is a required property"}


def test_malformed_json_is_400(python):
    # Not with DEBUG on, where Flask quotes the parser.
    script = """
import json
from maxfw.core import MAXApp, MAX_API, PredictAPI
class Predict(PredictAPI):
    def post(self):
        return MAX_API.payload
app = MAXApp()
app.add_api(Predict, '/predict')
answer = app.app.test_client().post('/model/predict', data='{"text"', content_type='application/json')
print(json.dumps([answer.status_code, answer.json]))
"""

    assert python(script) == [
        400,
        {"message": "The browser (or proxy) sent a request that this server could not understand."},
    ]


def test_malformed_json_is_400_while_debugging_too(paragraph_reader):
    answer = paragraph_reader(
        "POST", "/model/predict", data="{", headers={"Content-Type": "application/json"}
    )

    assert answer.status == 400
    assert set(answer.json) == {"message"}


def test_json_without_its_content_type_is_415(paragraph_reader):
    answer = paragraph_reader("POST", "/model/predict", data='{"paragraphs": []}')

    assert answer.status == 415
    assert answer.json["message"].startswith("Did not attempt to load JSON data because")


def test_flask_abort_with_a_message_answers_it(paragraph_reader):
    answer = paragraph_reader("POST", "/model/predict", json={"paragraphs": []})

    assert answer.status == 400
    assert answer.json == {"message": "An empty list was provided."}


def test_an_uncaught_error_is_500_and_tells_nothing(paragraph_reader):
    answer = paragraph_reader("POST", "/model/predict", json=question(), headers={"X-Break": "1"})

    assert answer.status == 500
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {"message": "Internal Server Error"}
    assert paragraph_reader("POST", "/model/predict", json=question()).status == 200


# Query and form as input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["query_string", "data", "json"])
def test_arguments_come_from_the_query_the_form_or_json(film_recommender, where):
    answer = film_recommender("POST", "/model/predict", **{where: {"user_id": "7", "num_results": 2}})

    assert answer.status == 200
    assert answer.json == {
        "status": "ok",
        "predictions": [
            {"user": "7", "item": "0", "prediction": pytest.approx(0.9)},
            {"user": "7", "item": "1", "prediction": pytest.approx(0.8)},
        ],
    }


def test_the_query_wins_over_the_form(film_recommender):
    answer = film_recommender(
        "POST",
        "/model/predict",
        query_string={"num_results": "2"},
        data={"num_results": "3", "user_id": "7"},
    )

    assert len(answer.json["predictions"]) == 2


def test_an_absent_argument_has_its_default(film_recommender):
    answer = film_recommender("POST", "/model/predict", data={"user_id": "7"})

    assert len(answer.json["predictions"]) == 5


def test_a_comma_list_is_split(film_recommender):
    answer = film_recommender("POST", "/model/predict", data={"user_id": "7", "seen": "0,1,5"})

    assert [film["item"] for film in answer.json["predictions"]] == ["2", "3", "4"]


def test_a_dict_where_a_list_is_declared_becomes_a_list_of_one(film_recommender):
    answer = film_recommender("POST", "/model/predict", data={"user_id": "7", "num_results": "1"})

    assert [film["item"] for film in answer.json["predictions"]] == ["0"]


@pytest.mark.parametrize(
    ("arguments", "errors"),
    [
        ({}, {"user_id": f"A user id {MISSING} {ANYWHERE}"}),
        ({"user_id": "7", "num_results": "0"}, {
            "num_results": "How many films Invalid num_results: 0. num_results must be a positive integer"
        }),
        ({"user_id": "7", "genre": "zzz"}, {
            "genre": "Which films The value 'zzz' is not a valid choice for 'genre'."
        }),
        ({"user_id": "7", "age": "x"}, {"age": "invalid literal for int() with base 10: 'x'"}),
    ],
    ids=["missing", "not positive", "no such choice", "no integer"],
)  # fmt: skip
def test_a_bad_argument_is_400_in_the_words_of_2019(film_recommender, arguments, errors):
    answer = film_recommender("POST", "/model/predict", data=arguments)

    assert answer.status == 400
    assert answer.json == {"errors": errors, "message": "Input payload validation failed"}


def test_a_bad_request_with_data_answers_exactly_that(film_recommender):
    answer = film_recommender("POST", "/model/predict", data={"user_id": "8"})

    assert answer.status == 400
    assert answer.json == {"status": "error", "message": "Unknown user ID.", "user": "8"}


def test_an_abort_with_keywords_answers_them(clip_watcher):
    answer = clip_watcher("POST", "/model/predict", files=upload("video", b"", "a.mp4", "video/mp4"))

    assert answer.status == 400
    assert answer.json == {"status": "error", "message": "The provided input is not a valid clip."}


# Other handlers ------------------------------------------------------------------------------------------------


def test_a_predict_by_get_sends_a_file_under_its_old_keyword(tone_generator):
    answer = tone_generator("GET", "/model/predict", query_string={"model": "high"})

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["Content-Disposition"] == "attachment; filename=result.wav"
    with wave.open(io.BytesIO(answer.body)) as sound:
        assert sound.getnframes() == 800


def test_numpy_values_that_nobody_marshalled_are_encoded(body_parts):
    rows = body_parts("GET", "/model/map/rows/2").json
    array = body_parts("GET", "/model/map/array/2").json

    assert rows == {"size": [2, 2], "map": [[0.0, 1.0], [2.0, 3.0]]}
    assert array == {"map": [[0, 1], [2, 3]], "by_label": {"3": True}}


def test_numbers_that_json_has_not_become_null(body_parts):
    assert body_parts("GET", "/model/map/nothing/1").json == {"map": [None, None, None, 1.5]}


def test_a_handler_may_return_status_and_headers(body_parts):
    answer = body_parts("GET", "/model/map/colours/1")

    assert answer.status == 404
    assert answer.headers["X-Kind"] == "colours"
    # flask-restx and not the page of an unknown address
    assert answer.json == {"error": "no such map"}


def test_a_route_converts_its_parts(body_parts, clip_watcher):
    assert body_parts("GET", "/model/map/rows/two").status == 404
    assert clip_watcher("GET", "/model/heartbeat/0.5").text == "GET 0.5"


def test_a_handler_on_two_routes_answers_on_both(clip_watcher):
    answer = clip_watcher("GET", "/model/heartbeat")

    assert answer.text == "GET 1.0"
    assert answer.headers["Content-Type"] == "text/plain"


def test_a_handler_that_is_routed_and_added_answers_once_described(clip_watcher):
    description = clip_watcher("GET", "/swagger.json").json

    assert (
        clip_watcher("POST", "/model/predict", files=upload("video", b"1", "a.mp4", "video/mp4")).status
        == 200
    )
    assert description["paths"]["/model/predict"]["post"]["operationId"] == "predict"


def test_an_app_may_listen_where_it_likes(clip_watcher, animal_finder):
    assert clip_watcher.run == [[], {"port": 5005}]
    assert animal_finder.run == [[], {}]


def test_an_app_without_words_has_the_default_ones(film_recommender):
    information = film_recommender("GET", "/swagger.json").json["info"]

    assert information == {
        "title": "Model Asset Exchange Microservice",
        "description": "An API for serving models",
        "version": "0.1",
    }
