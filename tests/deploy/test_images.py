"""Images, built and run by a real engine: hardened as an operator would run them, loaded, and told to end.

The images are built once for all tests.
"""

from __future__ import annotations

import contextlib
import http.server
import io
import ipaddress
import json
import re
import shutil
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from maxfw.catalog import skeleton_folder

pytestmark = [pytest.mark.docker, pytest.mark.mirror]

ROOT = Path(__file__).resolve().parents[2]
FROM_PYTHON = "python:3.11-slim-bookworm"
DETECTOR, TEXTS = "max-object-detector:tested", "max-text-sentiment-classifier:tested"
STRANGER = 54321
"""A user id that no image knows."""

MOST_OVER_PYTHON = 180_000_000
HARDENED: dict[str, Any] = {
    "user": STRANGER,
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "network_mode": "bridge",
}

Maxfw = Callable[..., "subprocess.CompletedProcess[str]"]


NASTY = {
    "id": 'max-"\nRUN touch /pwned',
    "name": '"\nRUN touch /pwned\nLABEL x="',
    "description": "$(touch /pwned) `touch /pwned` ${HOME} \\",
    "source": "a\u2028RUN touch /pwned\x85USER root",
    "license": '\\"; touch /pwned #',
}


@pytest.fixture(scope="session")
def odd(
    engine: Any, maxfw: Maxfw, tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]
) -> str:
    """The image of a model without framework and weights, whose card wants to be more than a card."""
    folder = tmp_path_factory.mktemp("odd")
    model = write_model(folder / "odd; touch pwned", **NASTY)
    done = maxfw("build", model, "--tag", "max-odd:tested", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return "max-odd:tested"


class Running:
    """A container and the address of its server."""

    def __init__(self, container: Any) -> None:
        self.container = container
        container.reload()
        published = container.attrs["NetworkSettings"]["Ports"].get("5000/tcp") or [{"HostPort": "0"}]
        self.url = f"http://127.0.0.1:{published[0]['HostPort']}"

    def run(self, *command: str) -> str:
        """What a command prints in it."""
        code, output = self.container.exec_run(list(command))
        assert code == 0, output.decode()
        text: str = output.decode()
        return text

    def wait_until_ready(self) -> None:
        """Return when it answers that it is ready; fail if it ends."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            self.container.reload()
            assert self.container.status in ("created", "running"), self.container.logs().decode()
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(self.url + "/health/ready", timeout=30).status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(self.container.logs().decode())


@contextlib.contextmanager
def running(engine: Any, image: str, *, ready: bool = True, **options: Any) -> Iterator[Running]:
    ports = {"5000/tcp": ("127.0.0.1", None)}
    container = engine.containers.run(image, detach=True, ports=ports, **{**HARDENED, **options})
    try:
        found = Running(container)
        if ready:
            found.wait_until_ready()
        yield found
    finally:
        container.remove(force=True, v=True)


@pytest.fixture(scope="module")
def detector(engine: Any, built: Path) -> Iterator[Running]:
    with running(engine, DETECTOR) as container:
        yield container


def noise(side: int, quality: int) -> bytes:
    """A JPEG that hardly compresses."""
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "JPEG", quality=quality)
    return packed.getvalue()


class TestAHardenedContainer:
    def test_answers_through_its_published_port(self, detector: Running) -> None:
        [photo] = Path(ROOT.parent).glob("shared/assets/samples/images/dog-human.jpg") or [None]
        upload = photo.read_bytes() if photo else noise(300, 90)

        answer = httpx.post(
            detector.url + "/model/predict", files={"image": upload}, data={"threshold": "0.5"}, timeout=60
        )

        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"
        if photo:
            assert "person" in {found["label"] for found in answer.json()["predictions"]}

    def test_takes_a_photo_of_five_megabytes(self, detector: Running) -> None:
        photo = noise(2100, 95)
        assert len(photo) > 5_000_000

        answer = httpx.post(detector.url + "/model/predict", files={"image": photo}, timeout=60)

        assert answer.status_code == 200

    def test_is_whoever_it_is_told_to_be_and_cannot_write(self, detector: Running) -> None:
        assert detector.run("id", "-u").strip() == str(STRANGER)
        code, said = detector.container.exec_run(["touch", "/workspace/x"])
        assert code != 0
        assert b"Read-only file system" in said
        capabilities = detector.run("grep", "CapEff", "/proc/1/status").split()[1]
        assert int(capabilities, 16) == 0
        assert "NoNewPrivs:\t1" in detector.run("cat", "/proc/1/status")

    def test_becomes_healthy(self, detector: Running) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            detector.container.reload()
            if detector.container.attrs["State"]["Health"]["Status"] == "healthy":
                return
            time.sleep(0.5)
        raise AssertionError(detector.container.attrs["State"]["Health"])

    def test_needs_little_memory_when_idle(self, detector: Running) -> None:
        used = detector.container.stats(stream=False)["memory_stats"]["usage"]

        assert used < 300_000_000

    def test_tests_and_predicts_with_the_command_line(self, detector: Running) -> None:
        assert "✓ sample dog-human is answered" in detector.run("maxfw", "test", ".")
        sample = detector.run("sh", "-c", "ls /opt/maxfw/weights/*/jockey.jpg").strip()
        assert '"status":"ok"' in detector.run("maxfw", "predict", ".", sample, "--json")

    def test_says_what_it_measured(self, detector: Running) -> None:
        assert "maxfw_requests_total" in httpx.get(detector.url + "/metrics").text


def test_several_workers_share_their_metrics_under_a_read_only_root(engine: Any, built: Path) -> None:
    with running(engine, TEXTS, environment={"MAXFW_WORKERS": "2"}) as container:
        for _ in range(20):
            answer = httpx.post(container.url + "/model/predict", json={"text": ["good"]}, timeout=60)
            assert answer.status_code == 200

        counted = re.compile(r'^maxfw_requests_total\{.*route="/model/predict".*\} (\S+)$', re.MULTILINE)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:  # the other worker's are counted within a quarter of a second
            counts = counted.findall(httpx.get(container.url + "/metrics").text)
            if sum(map(float, counts)) == 20:
                break
            time.sleep(0.1)

    assert sum(map(float, counts)) == 20


def test_sigterm_under_load_loses_nothing(engine: Any, built: Path) -> None:
    """Sixteen clients always have a request under way; those of the moment of the signal are all answered."""
    texts = ["not bad at all, " * 1000] * 8  # times sixteen: long to answer, and no more than may wait
    answers: list[int] = []
    lost: list[str] = []
    no_more = threading.Event()

    with running(engine, TEXTS) as container:

        def keep_asking() -> None:
            try:
                with httpx.Client(timeout=60) as client:
                    while not no_more.is_set():
                        answer = client.post(container.url + "/model/predict", json={"text": texts})
                        answers.append(answer.status_code)
            except httpx.TransportError as error:
                lost.append(repr(error))

        with ThreadPoolExecutor(16) as pool:
            asking = [pool.submit(keep_asking) for _ in range(16)]
            while len(answers) < 32 and not lost:
                time.sleep(0.01)
            no_more.set()
            time.sleep(0.2)  # whoever has looked at it a moment ago has sent its request by now
            before = len(answers)
            container.container.kill("SIGTERM")
            for one in asking:
                one.result(90)
        ended = container.container.wait(timeout=60)

    assert lost == []
    assert set(answers) == {200}
    assert len(answers) > before, "nothing was under way; ask for more"
    assert ended["StatusCode"] == 0


def test_sigterm_reaches_a_program_that_is_still_loading(engine: Any, built: Path) -> None:
    command = ["python", "-c", "print('loading', flush=True); import time; time.sleep(600)"]
    with running(engine, TEXTS, ready=False, command=command) as container:
        while b"loading" not in container.container.logs():
            time.sleep(0.1)
        container.container.kill("SIGTERM")

        assert container.container.wait(timeout=30)["StatusCode"] == 128 + 15


class TestAnImage:
    def test_has_a_user_without_password_and_no_way_to_become_another(self, engine: Any, built: Path) -> None:
        looks = (
            "id -u; command -v sudo; find / -xdev -type f -perm /6000; "
            "getent passwd 10001 | cut -d: -f1,3,7; command -v gcc cc make; ls -A /root /var/lib/apt/lists 2>/dev/null | grep -i cache; true"
        )
        said = engine.containers.run(DETECTOR, entrypoint=["sh", "-c", looks], remove=True).decode().split()
        shadow = engine.containers.run(
            DETECTOR, entrypoint=["sh", "-c", "cut -d: -f1,2 /etc/shadow"], user="0", remove=True
        )

        assert said == ["10001", "max:10001:/usr/sbin/nologin"]
        passwords = dict(line.split(":") for line in shadow.decode().split())
        assert all(password[:1] in ("*", "!") for password in passwords.values())
        assert "max" in passwords

    def test_states_where_it_comes_from_and_how_it_is_run(self, engine: Any, built: Path) -> None:
        image = engine.images.get(DETECTOR)
        config = image.attrs["Config"]

        assert image.labels["org.opencontainers.image.title"] == "Object Detector"
        assert image.labels["org.opencontainers.image.licenses"] == "Apache-2.0"
        assert image.labels["org.opencontainers.image.source"].startswith("https://")
        assert config["User"] == "10001"
        assert "5000/tcp" in config["ExposedPorts"]
        assert config["Entrypoint"] == ["tini", "--"]
        assert config["Cmd"] == ["maxfw", "serve", "."]
        assert config["Healthcheck"]["Test"][0] == "CMD"

    def test_is_small_without_weights_and_runtime(self, engine: Any, odd: str) -> None:
        python = engine.images.get(FROM_PYTHON).attrs["Size"]
        zoo = Path(__file__).resolve().parents[2] / "models"
        weights = sum(file.stat().st_size for kind in ("tflite", "npz") for file in zoo.rglob(f"*.{kind}"))

        assert engine.images.get(odd).attrs["Size"] - python - weights < MOST_OVER_PYTHON

    def test_holds_no_secret(self, engine: Any, built: Path) -> None:
        said = json.dumps(engine.images.get(DETECTOR).history())
        looks = "env; cat /etc/pip.conf ~/.netrc ~/.config/pip/pip.conf ~/.docker/config.json 2>/dev/null; find /workspace /opt /home -name '.*' -type f ! -name '.bash*' ! -name '.profile'; true"
        inside = engine.containers.run(DETECTOR, entrypoint=["sh", "-c", looks], remove=True).decode()

        for text in (said, inside):
            assert not re.search(r"token|password|passwd=|secret|api_key=|://[^/\s]*@", text, re.IGNORECASE)
        assert ".env" not in inside
        assert ".git" not in inside

    def test_that_is_unchanged_is_built_from_what_is_there(
        self, engine: Any, built: Path, maxfw: Maxfw, tmp_path: Path
    ) -> None:
        before = engine.images.get(DETECTOR).id

        done = maxfw("build", "object_detector", "--tag", DETECTOR, cwd=tmp_path)

        assert done.returncode == 0
        assert engine.images.get(DETECTOR).id == before
        steps = [line for line in done.stderr.splitlines() if line.startswith("✓ ")]
        assert steps
        assert all(line.endswith("(cached)") for line in steps if not re.match(r"✓ \S+ (ARG|FROM) ", line))

    def test_has_a_bill_of_materials_that_lists_every_distribution(self, engine: Any, built: Path) -> None:
        bill = json.loads((built / "max-object-detector_tested.cdx.json").read_text(encoding="utf-8"))
        listed = engine.containers.run(
            DETECTOR,
            entrypoint=["pip", "list", "--format", "json", "--disable-pip-version-check"],
            remove=True,
        )

        named = {(part["name"], part.get("version")) for part in bill["components"]}
        installed = {(one["name"], one["version"]) for one in json.loads(listed)}
        assert bill["bomFormat"] == "CycloneDX"
        assert len(installed) > 20
        assert installed <= named
        weights = [part for part in bill["components"] if part["type"] == "machine-learning-model"]
        assert any(
            part["hashes"][0]["content"] == "61d598093ed03ed41aa47c3a39a28ac01e960d6a810a5419b9a5016a1e9c469b"
            for part in weights
        )
        assert "pkg:deb/debian/libc6" in json.dumps(bill)


def test_nothing_that_a_card_says_is_run(engine: Any, odd: str) -> None:
    image = engine.images.get(odd)

    assert image.attrs["Config"]["User"] == "10001"
    assert image.labels["org.opencontainers.image.title"] == '" RUN touch /pwned LABEL x="'
    assert image.labels["org.opencontainers.image.description"] == NASTY["description"]
    assert image.labels["org.opencontainers.image.licenses"] == NASTY["license"]
    looks = "find / -xdev -name pwned 2>/dev/null; true"
    assert engine.containers.run(odd, entrypoint=["sh", "-c", looks], user="0", remove=True) == b""


def test_a_step_that_fails_is_one_line_below_what_it_said(
    odd: str, maxfw: Maxfw, tmp_path: Path, write_model: Callable[..., Path]
) -> None:
    folder = write_model(tmp_path / "broken")
    (folder / "Dockerfile").write_text(
        "FROM max-base:latest\nRUN echo what it said last && false\n", encoding="utf-8"
    )

    done = maxfw("build", folder, cwd=tmp_path)

    assert done.returncode == 2
    *_, said, error = done.stderr.splitlines()
    assert said.strip() == "what it said last"
    assert error.startswith("Error: max-broken:latest: the build failed in step ")
    assert "2/" in error
    assert "returned a non-zero code: 1" in error


def test_a_copy_of_the_skeleton_is_built_by_docker_alone(engine: Any, odd: str, tmp_path: Path) -> None:
    subprocess.run(["cp", "-r", str(skeleton_folder()), str(tmp_path / "mine")], check=True)
    requirements = tmp_path / "mine/requirements.txt"
    requirements.write_text(requirements.read_text(encoding="utf-8") + "wcwidth\n", encoding="utf-8")
    subprocess.run(
        ["docker", "build", "-q", "-t", "max-skeleton:tested", str(tmp_path / "mine")],
        check=True,
        capture_output=True,
    )

    with running(engine, "max-skeleton:tested") as container:
        answer = httpx.post(container.url + "/model/predict", files={"image": noise(32, 90)}, timeout=60)
        assert answer.json()["status"] == "ok"
        assert container.run("python", "-c", "import wcwidth; print('here')") == "here\n"


DOCKERFILE_OF_2019 = """\
FROM quay.io/codait/max-base:v1.4.0

ARG model_bucket=https://max-cdn.cdn.appdomain.cloud/max-animal-finder/1.0.0
ARG model_file=model.tar.gz

RUN wget -nv --show-progress --progress=bar:force:noscroll ${model_bucket}/${model_file} \\
      --output-document=assets/${model_file} && \\
    tar -x -C assets/ -f assets/${model_file} -v && rm assets/${model_file}

COPY requirements.txt .
RUN pip install -r requirements.txt

COPY . .

# check file integrity
RUN sha512sum -c sha512sums.txt

EXPOSE 5000

CMD python app.py
"""


@contextlib.contextmanager
def bucket(folder: Path, address: str) -> Iterator[str]:
    """Files over HTTP, where containers of this machine can reach them."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: Any) -> None:
            return

    with http.server.ThreadingHTTPServer((address, 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{address}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_repository_of_2019_is_built_by_its_own_dockerfile(
    engine: Any, odd: str, maxfw: Maxfw, tmp_path: Path
) -> None:
    repository = tmp_path / "MAX-Animal-Finder"
    shutil.copytree(ROOT / "tests/compat/apps/animal_finder", repository)
    (repository / "Dockerfile").write_text(DOCKERFILE_OF_2019, encoding="utf-8")
    (repository / "requirements.txt").write_text("wcwidth\n", encoding="utf-8")
    weights = b"weights of 2019"
    (tmp_path / "bucket").mkdir()
    with tarfile.open(tmp_path / "bucket/tiny.tar.gz", "w:gz") as archive:
        information = tarfile.TarInfo("weights.bin")
        information.size = len(weights)
        archive.addfile(information, io.BytesIO(weights))
    (tmp_path / "weights.bin").write_bytes(weights)
    sums = subprocess.run(
        ["sha512sum", "weights.bin"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    (repository / "sha512sums.txt").write_text(
        sums.replace("weights.bin", "assets/weights.bin"), encoding="utf-8"
    )
    subnet = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"]
    gateway = str(next(ipaddress.ip_network(subnet).hosts()))

    with bucket(tmp_path / "bucket", gateway) as url:
        arguments = ["--build-arg", f"model_bucket={url}", "--build-arg", "model_file=tiny.tar.gz"]
        done = maxfw("build", repository, "--tag", "max-animal-finder:tested", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr

    with running(engine, "max-animal-finder:tested") as container:
        answer = httpx.post(
            container.url + "/model/predict",
            files={"image": ("x.jpg", noise(32, 90), "image/jpeg")},
            timeout=60,
        )
        assert answer.json()["status"] == "ok"
        assert container.run("cat", "assets/weights.bin") == weights.decode()
        began = container.container.attrs["State"]["StartedAt"]
        container.container.kill("SIGTERM")
        assert container.container.wait(timeout=30)["StatusCode"] == 0, began


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry of our own on the loopback → its address."""
    if shutil.which("docker-registry") is None:
        pytest.skip("needs a registry: apt-get install docker-registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    (tmp_path / "registry.yml").write_text(json.dumps(settings), encoding="utf-8")
    process = subprocess.Popen(
        ["docker-registry", "serve", str(tmp_path / "registry.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/v2/").status_code == 200:
                    break
            time.sleep(0.1)
        yield f"127.0.0.1:{port}/team"
    finally:
        process.terminate()
        process.wait(20)


def test_an_image_is_pushed_and_comes_back(
    engine: Any, built: Path, maxfw: Maxfw, registry: str, tmp_path: Path
) -> None:
    done = maxfw("build", "text_sentiment_classifier", "--tag", TEXTS, "--push", registry, cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    [pushed] = re.findall(r"^pushed: (\S+@sha256:[0-9a-f]{64})$", done.stdout, re.MULTILINE)
    engine.images.remove(f"{registry}/{TEXTS}")
    again = engine.images.pull(pushed)
    assert again.id == engine.images.get(TEXTS).id
    engine.images.remove(pushed)


def test_a_registry_that_is_not_there_is_one_line(
    engine: Any, built: Path, maxfw: Maxfw, free_port: int, tmp_path: Path
) -> None:
    nowhere = f"127.0.0.1:{free_port}/team"

    done = maxfw("build", "text_sentiment_classifier", "--tag", TEXTS, "--push", nowhere, cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"Error: {nowhere}/{TEXTS} was not pushed: ")
    engine.images.remove(f"{nowhere}/{TEXTS}")
