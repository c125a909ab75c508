"""The playground of real models, as people use it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from maxfw.tasks.base import ImageTask
from tests.browser.conftest import Open, Served, barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

PICTURE = ImageTask.sample().files["image"].blob
MAX_BYTES = 120_000
COMPAT = Path(__file__).resolve().parents[1] / "compat" / "apps"

# model, sample, what its drawing must show
DRAWINGS = [
    ("object_detector", "dog human", ".box:visible >> nth=2", "person"),
    ("image_classifier", "plane", ".bar-row", "airliner|airship|warplane|wing"),
    ("image_segmenter", "jockey", "canvas.mask", "horse"),
    ("human_pose_estimator", "Pilots", ".pose line >> nth=5", "Person 3"),
    ("image_caption_generator", "surfing", ".headline", "wave|surf"),
    ("fast_neural_style_transfer", "bridge", ".compare .edge", "1280 × 595"),
    ("face_detector", "pilots", ".layer .point >> nth=14", "Face 3"),
    ("ocr", "columns", ".paper", "The bakery opens before"),
    ("nucleus_segmenter", "drawn", "canvas.mask", "10 found"),
    ("image_embedder", "jockey", "canvas.strip", "1024 numbers"),
    ("text_sentiment_classifier", "negation", ".card >> nth=4", "negative"),
]


def ask_for_sample(page: Page, sample: str) -> None:
    page.locator(".sample", has_text=sample).first.click()
    page.locator("#status", has_text="Answered").wait_for()


@pytest.mark.parametrize(("model", "sample", "drawn", "words"), DRAWINGS, ids=[row[0] for row in DRAWINGS])
def test_a_sample_is_answered_and_drawn(
    served: Served, open_page: Open, model: str, sample: str, drawn: str, words: str
) -> None:
    page = open_page(served(model) + "/app/")
    ask_for_sample(page, sample)
    page.locator(f"#view {drawn}").first.wait_for()
    assert re.search(words, page.locator("#view").inner_text())
    assert page.locator("#code pre").inner_text().strip()
    assert barriers(page) == []


@pytest.mark.parametrize("look", ["dark", "phone"])
def test_the_playground_is_usable_for_everybody(served: Served, open_page: Open, look: str) -> None:
    size = {"width": 360, "height": 740} if look == "phone" else {"width": 1280, "height": 900}
    scheme = "dark" if look == "dark" else "light"
    page = open_page(served("object_detector") + "/app/", viewport=size, color_scheme=scheme)
    ask_for_sample(page, "dog human")
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_page_weighs_little_and_paints_before_the_model_answers(served: Served, open_page: Open) -> None:
    page = open_page("", wait=False)
    weights: dict[str, int] = {}
    page.on(
        "response",
        lambda response: (
            response.url.endswith((".js", ".css")) and weights.update({response.url: len(response.body())})
        ),
    )
    held: list[Route] = []
    page.route("**/model/metadata", lambda route: held.append(route))
    page.goto(served("object_detector") + "/app/")
    assert page.locator("h1").inner_text() == "Playground"
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
    held[0].continue_()
    page.unroute("**/model/metadata")
    ask_for_sample(page, "plane")
    page.locator("#view .box").first.wait_for()
    assert sum(weights.values()) <= MAX_BYTES


def test_a_parameter_changes_the_answer_and_the_code(served: Served, open_page: Open) -> None:
    page = open_page(served("object_detector") + "/app/")
    ask_for_sample(page, "dog human")
    assert page.locator("#view .box").count() == 3
    page.get_by_label("Threshold").fill("0.75")
    page.get_by_role("button", name="Ask the model").click()
    page.wait_for_function("() => document.querySelectorAll('#view .box').length === 1")
    page.get_by_role("tab", name="curl").click()
    assert "-F 'threshold=0.75'" in page.locator("#code pre").inner_text()
    assert "-F 'image=@dog-human.jpg'" in page.locator("#code pre").inner_text()
    page.keyboard.press("ArrowRight")
    assert 'model.predict(image="dog-human.jpg", threshold=0.75)' in page.locator("#code pre").inner_text()
    page.locator("#code").get_by_role("button", name="Copy").click()
    page.locator("#code").get_by_role("button", name="Copied").wait_for()
    assert "threshold=0.75" in page.evaluate("navigator.clipboard.readText()")


def test_the_legend_hides_and_shows(served: Served, open_page: Open) -> None:
    page = open_page(served("object_detector") + "/app/")
    ask_for_sample(page, "dog human")
    person = page.locator("#view .chip", has_text="person")
    person.click()
    assert person.get_attribute("aria-pressed") == "false"
    assert page.locator("#view .box:visible").count() == 1
    person.press("Enter")
    assert page.locator("#view .box:visible").count() == 3


def test_a_picture_can_be_chosen_dropped_pasted_and_taken(
    served: Served, open_page: Open, photo: Callable[[str], Path]
) -> None:
    page = open_page(served("object_detector") + "/app/")
    page.locator(".sample").first.wait_for()
    page.set_input_files("input[type=file]", photo("jockey"))
    page.locator("#view .tag", has_text="horse").wait_for()
    encoded = base64.b64encode(photo("plane").read_bytes()).decode()
    script = """([base64, kind]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], kind + ".jpg", {type: "image/jpeg"}));
      if (kind === "dropped") document.querySelector(".drop").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
      else document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
    }"""
    for kind in ("dropped", "pasted"):
        page.evaluate(script, [encoded, kind])
        page.locator(".chosen", has_text=f"{kind}.jpg").wait_for()
        page.locator("#status", has_text="Answered").wait_for()
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the picture").click()
    page.locator(".chosen", has_text="camera.jpg").wait_for()
    page.locator("#status", has_text="Answered").wait_for()
    assert page.locator("video").count() == 0


def test_the_microphone_records_a_wav_file(served: Served, open_page: Open) -> None:
    page = open_page(served("text_sentiment_classifier") + "/app/")
    page.evaluate("""async () => {
      const {recordSound} = await import("./devices.js");
      await recordSound(document.getElementById("view"), async (file) => {
        window.head = [file.type, ...new Uint8Array(await file.slice(0, 4).arrayBuffer()), file.size > 1000];
      });
    }""")
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Stop and use it").click()
    page.wait_for_function("() => window.head")
    assert page.evaluate("window.head") == ["audio/wav", *b"RIFF", True]


def test_before_and_after_are_parted_from_the_keyboard(served: Served, open_page: Open) -> None:
    page = open_page(served("fast_neural_style_transfer") + "/app/")
    ask_for_sample(page, "bridge")
    page.get_by_label("Before and after").press("Home")
    page.wait_for_function(
        "() => document.querySelector('.compare').style.getPropertyValue('--part') === '0%'"
    )
    page.get_by_label("Style", exact=True).select_option("lassen")
    page.get_by_role("button", name="Ask the model").click()
    page.locator("#ask:not(.stale)").wait_for()
    page.get_by_role("tab", name="JSON").click()
    assert "image/png" in page.locator("#code pre").inner_text()


def test_texts_are_added_and_asked_from_the_keyboard(served: Served, open_page: Open) -> None:
    page = open_page(served("text_sentiment_classifier") + "/app/")
    page.locator("textarea").fill("I love it.")
    page.get_by_role("button", name="Add text").press("Enter")
    page.keyboard.type("It is horrible.")
    page.keyboard.press("Control+Enter")
    page.locator("#view .card").nth(1).wait_for()
    assert page.locator("#view .headline").all_inner_texts() == ["positive", "negative"]


def test_limits_are_shown_and_kept_before_anything_is_sent(served: Served, open_page: Open) -> None:
    page = open_page(served("object_detector") + "/app/")
    page.get_by_text("up to 20 MB · up to 50 megapixels").wait_for()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Ask the model").click()
    page.locator("#problem", has_text="Choose a file").wait_for()
    page.evaluate("""() => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(20000001)], "huge.jpg", {type: "image/jpeg"}));
      document.querySelector(".drop").dispatchEvent(new DragEvent("drop", {dataTransfer: data, cancelable: true}));
    }""")
    page.locator("#problem", has_text="huge.jpg has 20 MB; this server takes up to 20 MB").wait_for()
    assert asked == []


def test_an_error_is_shown_in_the_servers_words_and_the_next_try_works(
    served: Served, open_page: Open
) -> None:
    page = open_page(served("object_detector") + "/app/")
    page.locator(".sample").first.wait_for()
    bad = {"name": "<img src=x onerror=alert(1)>.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    page.set_input_files("input[type=file]", bad)
    problem = page.locator("#problem .error")
    problem.wait_for()
    assert "which are no JPEG, PNG" in problem.inner_text()
    assert "bad_input" in problem.inner_text()
    assert page.locator(".chosen strong").inner_text() == bad["name"]
    ask_for_sample(page, "plane")
    assert page.locator("#problem").inner_text() == ""


EVIL = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
MODEL = f"""
from maxfw.model import MAXModelWrapper
from maxfw.tasks.image_classification import ImageClassification

EVIL = {EVIL!r}

class ModelWrapper(MAXModelWrapper):
    MODEL_META_DATA = {{"id": "x", "name": EVIL, "description": EVIL, "type": EVIL, "source": "javascript:alert(1)", "license": EVIL}}
    task = ImageClassification(labels=[EVIL, "b"])

    def _predict(self, x):
        return [0.9, 0.1]

    def _post_process(self, x, *, note: str = EVIL):
        return x
"""


def test_markup_in_names_labels_and_errors_stays_text(
    served: Served, open_page: Open, tmp_path: Path
) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    page = open_page(served(str(tmp_path)) + "/app/")
    page.set_input_files("input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": PICTURE})
    page.locator("#view .bar-row").first.wait_for()
    assert page.locator("#view .headline").inner_text() == EVIL
    assert page.locator("h1").inner_text() == EVIL
    page.get_by_label("Note").fill(EVIL)
    for tab in ("curl", "Python", "JavaScript"):
        page.get_by_role("tab", name=tab).click()
    assert page.title() != "broken"
    assert page.locator("main img[src=x], main script, a[href^=javascript]").count() == 0


def test_a_server_that_wants_a_key_gets_it_from_this_tab_only(
    run_server: Callable[..., Any], open_page: Open
) -> None:
    known = hashlib.sha256(b"open sesame").hexdigest()
    url, _ = run_server("-m", "maxfw", "serve", "object_detector", "--api-keys", known)
    page = open_page(url + "/app/")
    for key in ("wrong", "open sesame"):
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Use it").click()
        if key == "wrong":
            page.get_by_text("That key was not accepted.").wait_for()
            assert barriers(page) == []
    page.locator(".drop").wait_for()
    page.set_input_files("input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": PICTURE})
    page.locator("#status", has_text="Answered").wait_for()
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    page.get_by_role("link", name="API", exact=True).click()
    page.locator("#swagger-ui .opblock").first.locator("button").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table .response-col_status", has_text="200").wait_for()


def test_everything_works_below_the_prefix_of_a_proxy(served: Served, open_page: Open) -> None:
    url = served("object_detector")
    page = open_page("", wait=False)

    def proxy(route: Route) -> None:
        inner = route.request.url.replace("/zoo/object_detector", "", 1)
        if inner == route.request.url:
            route.fulfill(status=404, body="outside of the prefix")
        else:
            route.fulfill(response=route.fetch(url=inner))

    page.route(
        "**/*", lambda route: proxy(route) if route.request.url.startswith("http") else route.continue_()
    )
    page.goto(url + "/zoo/object_detector/app/")
    ask_for_sample(page, "jockey")
    page.locator("#view .tag", has_text="horse").wait_for()
    page.get_by_role("tab", name="curl").click()
    assert "/zoo/object_detector/model/predict" in page.locator("#code pre").inner_text()
    page.get_by_role("link", name="API", exact=True).click()
    page.get_by_text("[ Base URL: ").wait_for()
    assert "/zoo/object_detector" in page.get_by_text("[ Base URL: ").inner_text()


def test_swagger_and_the_playground_lead_to_each_other(served: Served, open_page: Open) -> None:
    page = open_page(served("text_sentiment_classifier") + "/")
    page.locator("#swagger-ui .opblock-post").first.locator("button").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table .response-col_status", has_text="200").wait_for()
    page.get_by_role("link", name="Playground").click()
    page.get_by_role("heading", name="MAX Text Sentiment Classifier").wait_for()
    page.get_by_role("link", name="API", exact=True).click()
    page.locator("#swagger-ui .opblock").first.wait_for()


def test_a_server_of_2019_has_the_playground_too(
    run_server: Callable[..., Any], open_page: Open, photo: Callable[[str], Path]
) -> None:
    url, _ = run_server("-m", "maxfw", "serve", str(COMPAT / "photo_teller"))
    page = open_page(url + "/app/")
    page.set_input_files("input[type=file]", photo("plane"))
    page.locator("#view .bar-row").nth(2).wait_for()
    assert re.search("a (dark|grey|light) photo", page.locator("#view .headline").inner_text())


# Tasks whose models may not be in the zoo yet: what each renderer makes of an answer that its task's page describes.
WAV = base64.b64encode(
    b"RIFF"
    + (36 + 32000).to_bytes(4, "little")
    + b"WAVEfmt "
    + (16).to_bytes(4, "little")
    + bytes([1, 0, 1, 0])
    + (16000).to_bytes(4, "little")
    + (32000).to_bytes(4, "little")
    + bytes([2, 0, 16, 0])
    + b"data"
    + (32000).to_bytes(4, "little")
    + bytes([0, 0, 0, 40] * 8000)
).decode()
ANSWERS: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    (
        "toxicity",
        {"results": [{"original_text": "you fool", "predictions": {"toxic": 0.9, "severe_toxic": 0.1}}]},
        {},
        ".bar-row >> nth=1",
        "severe toxic",
    ),
    (
        "token-classification",
        {
            "prediction": {
                "tags": ["B-PER", "I-PER", "O", "B-LOC"],
                "terms": ["Ada", "Lovelace", "in", "London"],
            }
        },
        {},
        "mark >> nth=1",
        "Ada Lovelace",
    ),
    (
        "question-answering",
        {"predictions": [["Brussels"]]},
        {"paragraphs": [{"context": "The capital is Brussels.", "questions": ["Which capital?"]}]},
        "blockquote mark",
        "Which capital",
    ),
    (
        "summarization",
        {"summary_text": ["Short."]},
        {"text": ["A long text it was."]},
        ".prose",
        "5 words → 1",
    ),
    (
        "text-generation",
        {"prediction": {"seed_text": "Once ", "generated_text": "upon", "full_text": "Once upon"}},
        {},
        "mark",
        "Once upon",
    ),
    ("text-embedding", {"predictions": [[1, 0], [0, 1]]}, {"text": ["a", "b"]}, "td.heat >> nth=3", "0.00"),
    (
        "audio-classification",
        {"predictions": [{"label_id": "1", "label": "Rain", "probability": 0.7}]},
        {},
        ".wave",
        "Rain",
    ),
    (
        "keyword-spotting",
        {"predictions": [{"label_id": "1", "label": "yes", "probability": 0.7}]},
        {},
        ".wave",
        "yes",
    ),
    ("speech-to-text", {"prediction": "experience proves this"}, {}, ".wave", "experience proves this"),
    ("audio-embedding", {"embedding": [[1, 2, 3], [3, 2, 1]]}, {}, "canvas.strip >> nth=1", "0.96 s"),
    (
        "forecasting",
        {"predictions": [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]},
        {},
        "svg.chart polyline >> nth=1",
        "2 × 3 steps",
    ),
    (
        "recommendation",
        {"predictions": [{"user": "7", "item": "1454468", "prediction": 0.99}]},
        {},
        ".bar-row",
        "1454468",
    ),
    ("json", {"anything": {"at": "all"}}, {}, "pre", "anything"),
]
RENDER = """async ([task, answer, body, wav]) => {
  const {render} = await import(`./renderers/${task}.js`);
  const file = new File([Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0))], "a.wav", {type: "audio/wav"});
  document.getElementById("view").replaceChildren(render({answer, body, file, files: {audio: file}, labels: [], form: {parameters: []}, parameters: {}}));
}"""


def test_every_other_tasks_answer_is_drawn(served: Served, open_page: Open) -> None:
    page = open_page(served("text_sentiment_classifier") + "/app/")
    page.locator(".sample").first.wait_for()
    for task, answer, body, drawn, words in ANSWERS:
        page.evaluate(RENDER, [task, answer, body, WAV])
        page.locator(f"#view {drawn}").first.wait_for(state="attached")
        assert words in page.locator("#view").inner_text().replace("\n", " "), task
        assert barriers(page) == [], task
