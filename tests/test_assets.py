"""Files of models: found, verified, downloaded. The server here is a real one, and misbehaves on request."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import random
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maxfw import assets
from maxfw.assets import Asset, fetch, located
from maxfw.errors import AssetCorrupt, AssetUnavailable, BadModel
from maxfw.settings import Settings

WEIGHTS = random.Random(1).randbytes(700_000)
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
OTHER = b"not the weights"
OTHER_SHA256 = hashlib.sha256(OTHER).hexdigest()

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class FileServer:
    """An HTTP server on a free port; `answers[path]` are used up one request at a time, the last one stays."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, str | None]] = []  # path and Range header
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.requests.append((self.path, self.headers["Range"]))
                self.close_connection = True
                left = outer.answers.get(self.path, [status(404)])
                answer = left.pop(0) if len(left) > 1 else left[0]
                answer(self)

            def end_headers(self) -> None:
                self.send_header("Connection", "close")
                super().end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://localhost:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def status(code: int, **headers: str) -> Answer:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def content(body: bytes, *, cut_after: int | None = None, ranges: bool = True, etag: str = '"1"') -> Answer:
    """Serve `body`; hang up after `cut_after` bytes of what was asked for."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        start = 0
        asked, condition = request.headers["Range"], request.headers["If-Range"]
        if ranges and asked and condition in (None, etag):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            request.send_response(200)
        request.send_header("ETag", etag)
        request.send_header("Content-Length", str(len(body) - start))
        request.end_headers()
        end = len(body) if cut_after is None else start + cut_after
        request.wfile.write(body[start:end])

    return answer


@pytest.fixture
def server() -> Iterator[FileServer]:
    running = FileServer()
    yield running
    running.close()


@pytest.fixture
def weights(server: FileServer) -> Asset:
    server.answers["/v1/weights.bin"] = [content(WEIGHTS)]
    return Asset("detector.tflite", url=f"{server.url}/v1/weights.bin", sha256=SHA256)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(assets_dir=str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "PAUSES_S", (0.0,) * len(assets.PAUSES_S))


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


# ------------------------------------------------------------------------------------------------------- the words


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "a\\b", "/a", "a\0b", "a\nb", "c:a", "é" * 101]
)
def test_a_name_that_is_no_plain_file_name_is_refused(name: str) -> None:
    with pytest.raises(BadModel, match="asset name"):
        Asset(name, url="https://example.org/a", sha256=SHA256)


@pytest.mark.parametrize("url", ["", "weights.bin", "file:///etc/passwd", "ftp://example.org/a", "https://"])
def test_only_http_and_https_addresses_are_accepted(url: str) -> None:
    with pytest.raises(BadModel, match="no http or https address"):
        Asset("a", url=url, sha256=SHA256)


@pytest.mark.parametrize("sha256", ["", SHA256[:-1], SHA256 + "0", "g" * 64, SHA256 + "\n"])
def test_a_sha256_must_be_64_hexadecimal_digits(sha256: str) -> None:
    with pytest.raises(BadModel, match="64 hexadecimal"):
        Asset("a", url="https://example.org/a", sha256=sha256)


def test_a_sha256_may_be_written_in_capitals() -> None:
    assert Asset("a", url="https://example.org/a", sha256=SHA256.upper()).sha256 == SHA256


# ------------------------------------------------------------------------------------------------- cache and download


def test_a_downloaded_file_has_its_own_name_and_bytes(weights: Asset, settings: Settings) -> None:
    path = fetch(weights, settings)

    assert path.name == "detector.tflite"
    assert path.read_bytes() == WEIGHTS


def test_a_file_is_downloaded_once(weights: Asset, settings: Settings, server: FileServer) -> None:
    assert fetch(weights, settings) == fetch(weights, settings)

    assert len(server.requests) == 1


def test_a_downloaded_file_is_readable_by_other_users(weights: Asset, settings: Settings) -> None:
    assert fetch(weights, settings).stat().st_mode & 0o777 == 0o644


def test_files_of_the_same_name_do_not_collide(settings: Settings, server: FileServer) -> None:
    server.answers |= {"/a/labels.txt": [content(b"cat")], "/b/labels.txt": [content(b"dog")]}
    paths = [
        fetch(Asset("labels.txt", server.url + url, hashlib.sha256(body).hexdigest()), settings)
        for url, body in [("/a/labels.txt", b"cat"), ("/b/labels.txt", b"dog")]
    ]

    assert [path.read_bytes() for path in paths] == [b"cat", b"dog"]


def test_without_settings_the_environment_decides(
    weights: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAXFW_ASSETS_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("MAXFW_ASSETS_MIRROR", raising=False)
    monkeypatch.delenv("MAXFW_OFFLINE", raising=False)

    assert fetch(weights).is_relative_to(tmp_path / "elsewhere")


def test_without_a_folder_the_users_cache_is_used(
    weights: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    assert fetch(weights, Settings()).is_relative_to(tmp_path)


def test_a_damaged_file_in_the_cache_is_fetched_again(
    weights: Asset, settings: Settings, server: FileServer
) -> None:
    path = fetch(weights, settings)
    path.write_bytes(WEIGHTS[:-1])

    assert fetch(weights, settings).read_bytes() == WEIGHTS
    assert len(server.requests) == 2


def test_a_damaged_file_that_cannot_be_fetched_again_is_gone(weights: Asset, settings: Settings) -> None:
    path = fetch(weights, settings)
    path.write_bytes(OTHER)

    with pytest.raises(AssetUnavailable, match="was damaged"):
        fetch(weights, Settings(assets_dir=settings.assets_dir, offline=True))
    assert not path.exists()


def test_a_wrong_hash_names_both_and_leaves_no_file(
    weights: Asset, settings: Settings, server: FileServer, tmp_path: Path
) -> None:
    server.answers["/v1/weights.bin"] = [content(OTHER)]

    with pytest.raises(AssetCorrupt) as refused:
        fetch(weights, settings)
    assert SHA256 in refused.value.message
    assert OTHER_SHA256 in refused.value.message
    assert files_below(tmp_path) == []


def test_a_cut_download_goes_on_where_it_was(weights: Asset, settings: Settings, server: FileServer) -> None:
    server.answers["/v1/weights.bin"] = [content(WEIGHTS, cut_after=300_000)]

    assert fetch(weights, settings).read_bytes() == WEIGHTS
    starts = [int((asked or "bytes=0-")[6:-1]) for _, asked in server.requests]
    assert len(starts) > 2
    assert starts == sorted(set(starts))


def test_a_cut_download_starts_again_where_the_server_knows_no_ranges(
    weights: Asset, settings: Settings, server: FileServer
) -> None:
    server.answers["/v1/weights.bin"] = [
        content(WEIGHTS, cut_after=100_000, ranges=False),
        content(WEIGHTS, ranges=False),
    ]

    assert fetch(weights, settings).read_bytes() == WEIGHTS


def test_a_download_whose_file_changed_meanwhile_starts_again(
    weights: Asset, settings: Settings, server: FileServer
) -> None:
    server.answers["/v1/weights.bin"] = [
        content(bytes(700_000), cut_after=100_000, etag='"0"'),
        content(WEIGHTS),
    ]

    assert fetch(weights, settings).read_bytes() == WEIGHTS


def test_two_ends_that_do_not_match_are_downloaded_again(
    weights: Asset, settings: Settings, server: FileServer
) -> None:
    server.answers["/v1/weights.bin"] = [content(bytes(700_000), cut_after=100_000), content(WEIGHTS)]

    assert fetch(weights, settings).read_bytes() == WEIGHTS
    assert [asked for _, asked in server.requests] == [None, "bytes=65536-", None]


def test_a_download_that_is_cut_again_and_again_gives_up(
    weights: Asset, settings: Settings, server: FileServer, tmp_path: Path
) -> None:
    server.answers["/v1/weights.bin"] = [content(WEIGHTS, cut_after=10)]

    with pytest.raises(AssetUnavailable, match="the connection was cut"):
        fetch(weights, settings)
    assert len(server.requests) == len(assets.PAUSES_S) + 1
    assert files_below(tmp_path) == []


def test_a_server_that_is_busy_for_a_moment_is_asked_again(
    weights: Asset, settings: Settings, server: FileServer
) -> None:
    server.answers["/v1/weights.bin"] = [status(503), status(429), content(WEIGHTS)]

    assert fetch(weights, settings).read_bytes() == WEIGHTS


def test_a_server_that_hangs_up_is_asked_again(
    weights: Asset, settings: Settings, server: FileServer
) -> None:
    server.answers["/v1/weights.bin"] = [lambda request: None, content(WEIGHTS)]

    assert fetch(weights, settings).read_bytes() == WEIGHTS


def test_a_server_that_falls_silent_is_left(
    weights: Asset, settings: Settings, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def silent(request: http.server.BaseHTTPRequestHandler) -> None:
        content(WEIGHTS, cut_after=100)(request)
        over.wait()

    server.answers["/v1/weights.bin"] = [silent]
    monkeypatch.setattr(assets, "STALL_S", 0.02)

    try:
        with pytest.raises(AssetUnavailable, match="timed out"):
            fetch(weights, settings)
    finally:
        over.set()


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_refusal_is_not_repeated_and_names_asset_address_and_way_out(
    code: int, weights: Asset, settings: Settings, server: FileServer
) -> None:
    server.answers["/v1/weights.bin"] = [status(code)]

    with pytest.raises(
        AssetUnavailable, match=f"detector.tflite .*/v1/weights.bin.* answered {code}"
    ) as refused:
        fetch(weights, settings)
    assert "MAXFW_ASSETS_MIRROR" in refused.value.hint
    assert len(server.requests) == 1


def test_a_server_that_is_not_there_is_named_with_the_reason(settings: Settings) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a"

        with pytest.raises(AssetUnavailable, match=f"{url}: .*[Rr]efused"):
            fetch(Asset("a", url, SHA256), settings)


def test_secrets_of_an_address_are_not_shown(settings: Settings, server: FileServer) -> None:
    url = server.url.replace("://", "://ann:hunter2@") + "/a?token=hunter3"

    with pytest.raises(AssetUnavailable) as refused:
        fetch(Asset("a", url, SHA256), settings)
    assert "hunter" not in refused.value.message


def test_a_redirect_is_followed(weights: Asset, settings: Settings, server: FileServer) -> None:
    server.answers["/moved"] = [status(302, Location="/v1/weights.bin")]

    assert fetch(Asset("a", f"{server.url}/moved", SHA256), settings).read_bytes() == WEIGHTS


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://localhost/a"])
def test_a_redirect_away_from_http_is_refused(target: str, settings: Settings, server: FileServer) -> None:
    server.answers["/moved"] = [status(302, Location=target)]

    with pytest.raises(AssetUnavailable):
        fetch(Asset("a", f"{server.url}/moved", SHA256), settings)


def test_a_redirect_from_https_to_plain_http_is_refused(
    weights: Asset, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = tmp_path / "localhost.pem"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made += [
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        str(certificate),
        "-out",
        str(tmp_path / "public"),
    ]
    try:
        subprocess.run(["openssl", *made], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    certificate.write_text(certificate.read_text() + (tmp_path / "public").read_text())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "public"))
    secure = FileServer(certificate)
    secure.answers |= {"/moved": [status(302, Location=weights.url)], "/here": [content(OTHER)]}

    try:
        assert fetch(Asset("a", f"{secure.url}/here", OTHER_SHA256), settings).read_bytes() == OTHER
        with pytest.raises(AssetUnavailable, match="plain http"):
            fetch(Asset("a", f"{secure.url}/moved", SHA256), settings)
    finally:
        secure.close()


def test_a_cache_that_cannot_be_written_is_named(weights: Asset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(AssetUnavailable, match="cannot be stored in") as refused:
        fetch(weights, Settings(assets_dir=str(tmp_path / "file")))
    assert "MAXFW_ASSETS_DIR" in refused.value.hint


def test_a_disk_without_room_leaves_no_file(weights: Asset, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    ended = subprocess.run(
        [sys.executable, "-c", FETCH_AND_TELL, weights.url, SHA256, str(tmp_path)],
        capture_output=True,
        text=True,
        preexec_fn=little_room,
        env=environment(),
    )

    assert ended.stdout.startswith("AssetUnavailable detector.tflite cannot be stored in"), ended.stderr
    assert files_below(tmp_path) == []


def test_a_user_without_a_home_is_told_to_name_a_folder(
    weights: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pytest.importorskip("pwd"), "getpwuid", nobody)

    with pytest.raises(AssetUnavailable, match="MAXFW_ASSETS_DIR"):
        fetch(weights, Settings())


FETCH_AND_TELL = """
import sys
from maxfw.assets import Asset, fetch
from maxfw.errors import MaxfwError
from maxfw.settings import Settings
try:
    print(fetch(Asset("detector.tflite", sys.argv[1], sys.argv[2]), Settings(assets_dir=sys.argv[3])))
except MaxfwError as error:
    print(type(error).__name__, error)
"""


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(assets.__file__).parents[1])}


@pytest.mark.slow
def test_a_killed_download_leaves_nothing_that_is_taken_for_the_file(
    weights: Asset, settings: Settings, server: FileServer, tmp_path: Path
) -> None:
    sent, over = threading.Event(), threading.Event()

    def stops_halfway(request: http.server.BaseHTTPRequestHandler) -> None:
        content(WEIGHTS, cut_after=600_000)(request)
        sent.set()
        over.wait()

    server.answers["/v1/weights.bin"] = [stops_halfway, content(WEIGHTS)]
    arguments = [sys.executable, "-c", FETCH_AND_TELL, weights.url, SHA256, settings.assets_dir]
    with subprocess.Popen(arguments, env=environment()) as fetching:
        assert sent.wait(30)
        fetching.kill()
    over.set()

    assert located(weights, settings) == "download"
    assert fetch(weights, settings).read_bytes() == WEIGHTS


def test_parts_left_by_killed_downloads_are_deleted_after_a_day(weights: Asset, settings: Settings) -> None:
    folder = Path(settings.assets_dir) / SHA256[:16]
    folder.mkdir(parents=True)
    for name, age_s in [("tmpold", 90_000), ("tmpyoung", 60)]:
        (folder / name).write_bytes(b"part")
        moment = (folder / name).stat().st_mtime - age_s
        os.utime(folder / name, (moment, moment))

    fetch(weights, settings)

    assert {path.name for path in folder.iterdir()} == {"tmpyoung", "detector.tflite"}


@pytest.mark.slow
def test_two_processes_may_fetch_the_same_file_at_once(
    weights: Asset, settings: Settings, server: FileServer
) -> None:
    both_are_here = threading.Barrier(2, timeout=30)

    def waits_for_the_other(request: http.server.BaseHTTPRequestHandler) -> None:
        both_are_here.wait()
        content(WEIGHTS)(request)

    server.answers["/v1/weights.bin"] = [waits_for_the_other]
    arguments = [sys.executable, "-c", FETCH_AND_TELL, weights.url, SHA256, settings.assets_dir]
    running = [
        subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    told = [process.communicate()[0].strip() for process in running]

    assert told[0] == told[1]
    assert files_below(Path(settings.assets_dir)) == [Path(told[0])]
    assert Path(told[0]).read_bytes() == WEIGHTS


# ------------------------------------------------------------------------------------------------------- the mirror


def mirrored(settings: Settings, mirror: Path | str, *, offline: bool = False) -> Settings:
    return Settings(assets_dir=settings.assets_dir, assets_mirror=str(mirror), offline=offline)


@pytest.mark.parametrize(
    "name",
    ["detector.tflite", "weights.bin", SHA256, f"{SHA256}.tflite", "deep/er/weights.bin", "other-name.bin"],
)
def test_a_file_in_the_mirror_is_used_where_it_is(
    name: str, weights: Asset, settings: Settings, server: FileServer, tmp_path: Path
) -> None:
    path = tmp_path / "mirror" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(WEIGHTS)

    assert fetch(weights, mirrored(settings, tmp_path / "mirror", offline=True)) == path
    assert server.requests == []
    assert not Path(settings.assets_dir).exists()


def test_a_namesake_in_the_mirror_is_passed_over(
    weights: Asset, settings: Settings, server: FileServer, tmp_path: Path
) -> None:
    for folder, body in [("a", OTHER), ("b", WEIGHTS), ("c", OTHER)]:
        (tmp_path / "mirror" / folder).mkdir(parents=True)
        (tmp_path / "mirror" / folder / "weights.bin").write_bytes(body)

    assert fetch(weights, mirrored(settings, tmp_path / "mirror")) == tmp_path / "mirror/b/weights.bin"


def test_a_namesake_with_another_hash_is_mentioned_where_nothing_else_is_found(
    weights: Asset, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/weights.bin").write_bytes(OTHER)

    with pytest.raises(AssetUnavailable, match=f"weights.bin has sha256 {OTHER_SHA256}"):
        fetch(weights, mirrored(settings, tmp_path / "mirror", offline=True))


def test_what_the_mirror_lacks_is_downloaded(weights: Asset, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()

    assert fetch(weights, mirrored(settings, tmp_path / "mirror")).read_bytes() == WEIGHTS


def test_a_file_in_the_mirror_that_changed_is_hashed_again(
    weights: Asset, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "mirror").mkdir()
    path = tmp_path / "mirror/weights.bin"
    path.write_bytes(WEIGHTS)
    offline = mirrored(settings, tmp_path / "mirror", offline=True)
    assert fetch(weights, offline) == path

    path.write_bytes(WEIGHTS[:-1] + b"?")
    os.utime(path, ns=(0, 0))

    with pytest.raises(AssetUnavailable):
        fetch(weights, offline)


def test_a_mirror_that_is_no_folder_is_named(weights: Asset, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(AssetUnavailable, match=r"nowhere is no folder.*MAXFW_OFFLINE is on"):
        fetch(weights, mirrored(settings, tmp_path / "nowhere", offline=True))


@pytest.mark.parametrize("name", [SHA256, "detector.tflite", "weights.bin"])
def test_a_mirror_address_is_asked_before_the_assets_own(
    name: str, weights: Asset, settings: Settings, server: FileServer
) -> None:
    server.answers[f"/mirror/{name}"] = [content(WEIGHTS)]

    fetch(weights, mirrored(settings, f"{server.url}/mirror/"))

    asked = [path for path, _ in server.requests]
    assert asked[-1] == f"/mirror/{name}"
    assert "/v1/weights.bin" not in asked


def test_a_mirror_address_that_serves_another_file_is_passed_over(
    weights: Asset, settings: Settings, server: FileServer
) -> None:
    server.answers["/mirror/weights.bin"] = [content(OTHER)]
    both = mirrored(settings, f"{server.url}/mirror")

    assert fetch(weights, both).read_bytes() == WEIGHTS


def test_offline_mode_asks_no_server(weights: Asset, settings: Settings, server: FileServer) -> None:
    with pytest.raises(AssetUnavailable, match="MAXFW_OFFLINE is on"):
        fetch(weights, mirrored(settings, f"{server.url}/mirror", offline=True))
    assert server.requests == []


def test_located_tells_where_a_file_would_come_from_and_asks_no_server(
    weights: Asset, settings: Settings, server: FileServer, tmp_path: Path
) -> None:
    assert located(weights, settings) == "download"
    assert located(weights, mirrored(settings, f"{server.url}/mirror")) == "download"
    assert server.requests == []

    fetch(weights, settings)
    assert located(weights, settings) == "cache"

    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/weights.bin").write_bytes(WEIGHTS)
    empty = Settings(assets_dir=str(tmp_path / "empty"), assets_mirror=str(tmp_path / "mirror"))
    assert located(weights, empty) == "mirror"


def test_the_real_mirror_holds_the_object_detector_under_a_name_of_its_own(settings: Settings) -> None:
    mirror = os.environ.get("MAXFW_ASSETS_MIRROR", "")
    wanted = "vision/object_detector_ssd_mobilenet_v1/labelmap.txt"
    if not (Path(mirror) / wanted).is_file() or not mirror:
        message = f"{wanted} is not in MAXFW_ASSETS_MIRROR={mirror!r}"
        assert os.environ.get("MAXFW_REQUIRE_MIRROR") != "1", message
        pytest.skip(message)
    labels = Asset(
        "coco.txt",
        url="https://example.org/labelmap.txt",
        sha256="f8803ef7900160c629d570848dfda4175e21667bf7b71f73f8ece4938c9f2bf2",
    )

    path = fetch(labels, mirrored(settings, mirror, offline=True))

    assert path.relative_to(Path(mirror).absolute()).as_posix() == wanted
    assert "person" in path.read_text().split()


# ---------------------------------------------------------------------------------------------------- while it lasts


def test_progress_is_told_in_bytes(weights: Asset, settings: Settings) -> None:
    told: list[tuple[int, int]] = []

    fetch(weights, settings, progress=lambda done, total: told.append((done, total)))

    assert told[-1] == (len(WEIGHTS), len(WEIGHTS))
    assert told == sorted(told)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_long_download_draws_a_bar_on_a_terminal(
    weights: Asset, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr(assets, "BAR_AFTER_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")

    fetch(weights, settings)

    assert "detector.tflite" in terminal.getvalue()


def test_nothing_is_printed_where_there_is_no_terminal(
    weights: Asset, settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(assets, "BAR_AFTER_S", 0.0)

    fetch(weights, settings)

    assert capfd.readouterr() == ("", "")
