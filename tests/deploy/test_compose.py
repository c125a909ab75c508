"""Many models behind one door: the files that `maxfw deploy compose` writes, and nginx with them."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
import yaml
from compose_spec import PyCompose

from maxfw.deploy.compose import Deployment, compose_files
from maxfw.deploy.described import describe_all
from maxfw.deploy.nginx import nginx_configuration
from maxfw.errors import BadModel

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("object_detector", "text_sentiment_classifier", "image_caption_generator")


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return compose_files(describe_all(MODELS), Deployment(registry="registry.example.org/team", tag="2.0"))


@pytest.fixture(scope="module")
def services(files: dict[str, str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(files["compose.yaml"])["services"]
    return found


def test_it_is_a_compose_file(files: dict[str, str]) -> None:
    stated = PyCompose.from_yaml(files["compose.yaml"])

    stated.validate()


def test_there_is_a_container_for_each_model_and_app_and_the_door(services: dict[str, Any]) -> None:
    assert set(services) == {
        "max-object-detector",
        "max-text-sentiment-classifier",
        "max-image-caption-generator",
        "app-object-detector",
        "app-image-caption-generator",
        "door",
        "prometheus",
    }
    assert services["max-object-detector"]["image"] == "registry.example.org/team/max-object-detector:2.0"
    assert services["app-object-detector"]["environment"]["MODEL_URL"] == "http://max-object-detector:5000"


def test_every_container_is_bounded_and_has_no_right_that_it_does_not_need(services: dict[str, Any]) -> None:
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] == "unless-stopped"
        assert service["mem_limit"]
        assert service["cpus"]
        assert service["pids_limit"]
        assert "privileged" not in service


def test_only_the_door_is_open_to_others_and_models_reach_nobody(files: dict[str, str]) -> None:
    stated = yaml.safe_load(files["compose.yaml"])
    services = stated["services"]

    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"door": ["8080:8080"], "prometheus": ["127.0.0.1:9090:9090"]}
    assert stated["networks"]["models"] == {"internal": True}
    assert all(
        service["networks"] == ["models"] for name, service in services.items() if name not in published
    )


def test_a_model_is_given_the_time_to_finish_what_it_has_begun(services: dict[str, Any]) -> None:
    model = services["max-object-detector"]

    assert int(model["stop_grace_period"].removesuffix("s")) > float(model["environment"]["MAXFW_GRACE_S"])


def test_prometheus_scrapes_every_model(files: dict[str, str]) -> None:
    [job] = yaml.safe_load(files["prometheus.yml"])["scrape_configs"]

    assert {target["labels"]["model"]: target["targets"] for target in job["static_configs"]} == {
        "object_detector": ["max-object-detector:5000"],
        "text_sentiment_classifier": ["max-text-sentiment-classifier:5000"],
        "image_caption_generator": ["max-image-caption-generator:5000"],
    }


def test_the_gallery_lists_every_model_and_app(files: dict[str, str]) -> None:
    listed = json.loads(files["gallery/models.json"])

    assert listed == [
        {"url": "object_detector/", "app": "apps/object_detector/"},
        {"url": "text_sentiment_classifier/"},
        {"url": "image_caption_generator/", "app": "apps/image_caption_generator/"},
    ]


def test_the_gallery_has_every_file_that_it_loads(files: dict[str, str]) -> None:
    page = files["gallery/index.html"]
    loaded = re.findall(r'(?:href|src)="(shared/[^"]+)"', page)
    modules = {name: text for name, text in files.items() if name.endswith(".js")}
    imported = [
        f"shared/{name}" for text in modules.values() for name in re.findall(r'from "\./([^"]+)"', text)
    ]

    assert "shared/gallery.js" in loaded
    assert {f"gallery/{name}" for name in [*loaded, *imported]} <= files.keys()


def test_two_folders_that_would_have_one_address_are_refused(
    tmp_path: Path, write_model: Callable[..., Path]
) -> None:
    one, two = (write_model(tmp_path / place / "mine", id=f"max-{place}") for place in "ab")

    with pytest.raises(BadModel, match="would both be /mine/"):
        describe_all((str(one), str(two)))


def test_the_files_are_written(maxfw: Callable[..., Any], tmp_path: Path) -> None:
    done = maxfw("deploy", "compose", *MODELS, cwd=tmp_path)

    assert done.returncode == 0
    written = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert {
        "deployment/compose.yaml",
        "deployment/nginx.conf",
        "deployment/prometheus.yml",
        "deployment/gallery/index.html",
        "deployment/gallery/models.json",
    } <= written


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--registry", "a b"),
        ("--tag", 'x"\n'),
        ("--domain", "x y"),
        ("--namespace", "A"),
        ("--registry", "$(id)"),
    ],
)
def test_what_is_no_name_is_refused(maxfw: Callable[..., Any], option: str, value: str) -> None:
    done = maxfw("deploy", "compose", "object_detector", option, value)

    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: {option} ")
    assert done.stderr.count("\n") == 1


Door = str


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]) -> Iterator[Door]:
    """A real nginx in front of two real servers → its address; the third model's server is not there."""
    if shutil.which("nginx") is None:
        pytest.skip("needs nginx: apt-get install nginx-light")
    folder = tmp_path_factory.mktemp("door")
    for name, content in files.items():
        if name.startswith("gallery/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
    folder.chmod(0o755)
    ports = {name: _free_port() for name in ("object_detector", "text_sentiment_classifier", "nobody")}
    port = _free_port()
    text = nginx_configuration(
        {name: f"127.0.0.1:{number}" for name, number in ports.items()},
        {"object_detector": f"127.0.0.1:{ports['object_detector']}"},
        most_bytes=dict.fromkeys(ports, 21_000_000),
        port=port,
        folder=str(folder),
        gallery_folder=str(folder / "gallery"),
    )
    (folder / "nginx.conf").write_text(text.replace("listen ", "listen 127.0.0.1:"), encoding="utf-8")
    command = ["nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off; user root;"]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    processes = [subprocess.Popen(command, stderr=subprocess.DEVNULL)]
    for name in ("object_detector", "text_sentiment_classifier"):
        serve = [sys.executable, "-m", "maxfw", "serve", name, "--port", str(ports[name])]
        processes.append(
            subprocess.Popen(serve, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
    url = f"http://127.0.0.1:{port}"
    try:
        for name in ("object_detector", "text_sentiment_classifier"):
            _wait_for(f"{url}/{name}/health/live", processes)
        yield url
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert all(process.poll() is None for process in processes)
        try:
            if httpx.get(url, timeout=30).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} never answered 200")


@pytest.mark.slow
@pytest.mark.mirror
class TestTheDoor:
    def test_each_model_answers_under_its_name(self, door: Door) -> None:
        text = httpx.post(
            f"{door}/text_sentiment_classifier/model/predict", json={"text": ["wonderful"]}, timeout=30
        )
        labels = httpx.get(f"{door}/object_detector/model/labels")

        assert text.json()["predictions"][0][0]["positive"] > 0.5
        assert labels.json()["count"] == 80

    def test_a_picture_of_megabytes_passes(self, door: Door) -> None:
        noise = b"\x00" * 5_000_000
        answer = httpx.post(
            f"{door}/object_detector/model/predict", files={"image": ("x.jpg", noise)}, timeout=30
        )

        assert answer.status_code == 400  # of the model, which has read it
        assert answer.json()["code"] == "bad_input"

    def test_an_upload_beyond_the_limit_is_refused_as_the_model_would(self, door: Door) -> None:
        noise = b"\x00" * 30_000_000
        answer = httpx.post(
            f"{door}/object_detector/model/predict", files={"image": ("x.jpg", noise)}, timeout=60
        )

        assert answer.status_code == 413
        assert answer.json()["code"] == "too_large"

    @pytest.mark.parametrize("page", ["/object_detector/", "/object_detector/app/", "/"])
    def test_a_page_finds_its_files(self, door: Door, page: str) -> None:
        found = re.findall(r'(?:href|src)="([^"#]+)"', httpx.get(door + page).text)
        links = {urljoin(door + page, link) for link in found}

        assert links
        if page != "/":
            assert all(link.startswith(f"{door}/object_detector/") for link in links)
        assert {link: httpx.get(link, follow_redirects=True).status_code for link in links} == dict.fromkeys(
            links, 200
        )

    def test_the_swagger_page_asks_under_the_models_own_name(self, door: Door) -> None:
        assert httpx.get(f"{door}/object_detector/swagger.json").json()["basePath"] == "/object_detector"

    def test_a_model_that_is_not_there_is_a_502_of_its_own(self, door: Door) -> None:
        assert httpx.get(f"{door}/nobody/model/metadata").status_code == 502
        assert httpx.get(f"{door}/object_detector/model/metadata").status_code == 200

    def test_a_path_without_a_slash_leads_to_the_one_with_it(self, door: Door) -> None:
        answer = httpx.get(f"{door}/object_detector?a=1")

        assert answer.status_code == 308
        assert answer.headers["location"].endswith("/object_detector/?a=1")

    def test_the_root_is_the_gallery(self, door: Door) -> None:
        page = httpx.get(f"{door}/")

        assert "<title>Models</title>" in page.text
        assert page.headers["content-type"] == "text/html"
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert httpx.get(f"{door}/shared/gallery.js").headers["content-type"] == "text/javascript"
        assert httpx.get(f"{door}/models.json").json()[0]["url"] == "object_detector/"
        assert httpx.get(f"{door}/no-such-model/").status_code == 404
