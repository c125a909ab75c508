"""`Asset(name, url, sha256)` → a verified file on this machine.

A file is looked for in this order: the cache, the mirror (`MAXFW_ASSETS_MIRROR`, a folder or a base URL), its own
URL. Whatever is found is used only if its sha256 is the stated one. The cache keeps each file as
`<cache>/<first 16 digits of its sha256>/<name>`, so two models may both call theirs `labels.txt`; files of a mirror
folder are used where they are.
"""

from __future__ import annotations

import contextlib
import hashlib
import http
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec

from maxfw import __version__
from maxfw.errors import AssetCorrupt, AssetUnavailable, BadModel
from maxfw.settings import Settings, load_settings

if TYPE_CHECKING:
    import requests

CONNECT_S = 10.0
"""Seconds to wait for a connection."""
STALL_S = 30.0
"""Seconds without a byte after which a download counts as cut."""
PAUSES_S = (0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before each new attempt at a download that was cut."""
BAR_AFTER_S = 2.0
"""Seconds after which a download shows a progress bar, where there is a terminal."""

_CHUNK = 1 << 16  # a cut loses at most one chunk
_STALE_S = 24 * 3600
_WORTH_ANOTHER_TRY = {429, 500, 502, 503, 504}

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes in all (0: unknown)."""


class Asset(msgspec.Struct, frozen=True):
    """A file that a model needs: its name, where it is published, and the sha256 that it must have.

    `size` in bytes is for people who want to know before they download it; 0 if it is not stated.
    """

    name: str
    url: str
    sha256: str
    licence: str = ""
    size: int = 0

    def __post_init__(self) -> None:
        if not self.name or self.name in {".", ".."} or re.search(r'[/\\\x00-\x1f:*?"<>|]', self.name):
            raise BadModel(
                f"asset name {self.name!r} is not a plain file name", hint='write it like "detector.tflite"'
            )
        if len(self.name.encode()) > 200:
            raise BadModel(f"asset name {self.name[:40]!r}… is longer than 200 bytes")
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise BadModel(f"asset {self.name}: url {self.url!r} is no http or https address")
        if not re.fullmatch(r"[0-9a-fA-F]{64}", self.sha256):
            raise BadModel(
                f"asset {self.name}: sha256 {self.sha256!r} is not 64 hexadecimal digits",
                hint="the output of `sha256sum FILE`",
            )
        msgspec.structs.force_setattr(self, "sha256", self.sha256.lower())


def fetch(asset: Asset, settings: Settings | None = None, *, progress: Progress | None = None) -> Path:
    """The path of the asset on this machine, its sha256 verified; downloads it where it must.

    Without `progress`, a download that takes longer than two seconds draws a bar on stderr, if that is a terminal.

    Raises:
        AssetUnavailable: it is neither in the cache nor in the mirror nor to be had from its URL.
        AssetCorrupt: its URL serves a file with another sha256.
    """
    settings = load_settings() if settings is None else settings
    in_vain: list[str] = []
    found = _from_cache(asset, settings, in_vain) or _from_mirror_folder(asset, settings, in_vain)
    if found is not None:
        return found
    if settings.offline:
        in_vain.append(f"{_shown(asset.url)} was not asked, because MAXFW_OFFLINE is on")
        raise _unavailable(asset, in_vain)
    return _download(asset, settings, progress, in_vain)


def located(asset: Asset, settings: Settings | None = None) -> str:
    """Where `fetch` would take the asset from: `"cache"`, `"mirror"` (a folder) or `"download"`; asks no network."""
    settings = load_settings() if settings is None else settings
    cached = _cached_path(asset, settings)
    if cached is not None and os.path.isfile(cached):
        return "cache"
    return "mirror" if _from_mirror_folder(asset, settings, []) else "download"


def _unavailable(asset: Asset, in_vain: list[str]) -> AssetUnavailable:
    return AssetUnavailable(
        f"{asset.name} from {_shown(asset.url)} could not be had: " + "; ".join(in_vain),
        hint=f"set MAXFW_ASSETS_MIRROR to a folder or base URL that holds the file with sha256 {asset.sha256}",
    )


# ---------------------------------------------------------------------------------------------- files that are here


def _cached_path(asset: Asset, settings: Settings) -> Path | None:
    """Where the cache keeps the asset; None for a user who has neither a home nor `MAXFW_ASSETS_DIR`."""
    if settings.assets_dir:
        cache = Path(os.path.abspath(os.path.expanduser(settings.assets_dir)))
    else:
        import pooch

        try:
            cache = Path(pooch.os_cache("maxfw"))
        except RuntimeError:
            return None
        if not cache.is_absolute():  # what older platformdirs do: a folder that is really called `~`
            return None
    return cache / asset.sha256[:16] / asset.name


def _from_cache(asset: Asset, settings: Settings, in_vain: list[str]) -> Path | None:
    path = _cached_path(asset, settings)
    if path is None or not os.path.isfile(path):
        return None
    received = _sha256(path, in_vain)
    if received == asset.sha256:
        return path
    if received is not None:
        in_vain.append(f"{path} was damaged (sha256 {received}) and deleted")
        with contextlib.suppress(OSError):  # a read-only cache: the mirror may still have it
            path.unlink()
    return None


def _from_mirror_folder(asset: Asset, settings: Settings, in_vain: list[str]) -> Path | None:
    """The file with this sha256 in the mirror folder: files of that name first, then every other file, hashed once."""
    if not settings.assets_mirror or _is_url(settings.assets_mirror):
        return None
    folder = Path(os.path.abspath(os.path.expanduser(settings.assets_mirror)))
    if not os.path.isdir(folder):
        in_vain.append(f"the mirror {folder} is no folder")
        return None
    names = {asset.name, _basename(asset.url), asset.sha256}
    files = list(_files_below(folder))
    namesakes = [path for path in files if path.name in names or path.stem == asset.sha256]
    for path in namesakes:
        if _sha256(path, in_vain) == asset.sha256:
            return path
    for path in files:  # namesakes again, but their digests are known
        if _sha256(path, []) == asset.sha256:
            return path
    in_vain.append(f"no file in the mirror {folder} has sha256 {asset.sha256}")
    in_vain += [f"{path} has sha256 {digest}" for path in namesakes[:3] if (digest := _sha256(path, []))]
    return None


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if os.path.isfile(path := os.path.join(parent, name)):
                yield Path(path)


_digests: dict[
    tuple[str, int, int], str
] = {}  # (path, bytes, mtime in ns) → sha256: a file is read once a process


def _sha256(path: Path, in_vain: list[str]) -> str | None:
    """The sha256 of a file, or None where it cannot be read."""
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            key = (str(path), status.st_size, status.st_mtime_ns)
            if key not in _digests:
                _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
            return _digests[key]
    except OSError as error:
        in_vain.append(f"{path} cannot be read ({error.strerror})")
        return None


# --------------------------------------------------------------------------------------------------------- downloads


def _download(asset: Asset, settings: Settings, progress: Progress | None, in_vain: list[str]) -> Path:
    path = _cached_path(asset, settings)
    if path is None:
        in_vain.append("this user has no home folder to keep downloads in: set MAXFW_ASSETS_DIR to a folder")
        raise _unavailable(asset, in_vain)
    for url in _mirror_urls(asset, settings):
        try:
            return _download_from(url, asset, path, progress)
        except (AssetCorrupt, AssetUnavailable) as error:
            in_vain.append(error.message)
    try:
        return _download_from(asset.url, asset, path, progress)
    except _NotReceived as error:
        raise _unavailable(asset, [*in_vain, error.message]) from error


class _NotReceived(AssetUnavailable):
    """One address did not give the file."""


def _mirror_urls(asset: Asset, settings: Settings) -> list[str]:
    if not _is_url(settings.assets_mirror):
        return []
    base = settings.assets_mirror.rstrip("/")
    names = (asset.sha256, asset.name, urlsplit(asset.url).path.rpartition("/")[2])
    return [f"{base}/{name}" for name in dict.fromkeys(names) if name]


def _download_from(url: str, asset: Asset, path: Path, progress: Progress | None) -> Path:
    """Temporary file in the same folder → sha256 → one atomic move: a reader never sees half a file."""
    import pooch

    if pooch.get_logger().level == 0:  # unless told otherwise, it prints a line for every download
        pooch.get_logger().setLevel("WARNING")

    def download(url: str, file: str, _: Any) -> None:
        os.chmod(file, 0o644)  # it was made 0600, and the cache of an image is read by another user
        with _meter(asset.name, progress) as meter, open(file, "r+b") as opened:
            _receive(url, opened, asset, meter)

    try:
        _delete_stale_parts(path)
        return Path(
            pooch.retrieve(
                url, f"sha256:{asset.sha256}", fname=path.name, path=path.parent, downloader=download
            )
        )
    except (OSError, ValueError) as error:  # ValueError: what pooch reads back is not what was written
        raise AssetUnavailable(
            f"{asset.name} cannot be stored in {path.parent}: {getattr(error, 'strerror', None) or error}",
            hint="set MAXFW_ASSETS_DIR to a folder with room that this user may write to",
        ) from error


def _delete_stale_parts(path: Path) -> None:
    """Delete what killed downloads of this file left behind; they are never taken for the file, but take room."""
    for part in path.parent.glob("tmp*"):
        with contextlib.suppress(OSError):
            if part != path and time.time() - part.stat().st_mtime > _STALE_S:
                part.unlink()


def _receive(url: str, file: IO[bytes], asset: Asset, meter: Progress) -> None:
    """Write what `url` serves into `file`; a cut download goes on where it was, a few times."""
    import requests

    etag = ""
    with requests.Session() as session:
        for pause in (*PAUSES_S, None):
            resumed, answered = file.tell() > 0, False
            try:
                with _open(session, url, file.tell(), etag) as response:
                    answered = True
                    etag = response.headers.get("ETag", "")
                    _copy(response, file, meter)
            except requests.RequestException as error:
                if pause is None or not (resumed or _may_pass(error, answered)):
                    cut = "the connection was cut: " if answered and error.response is None else ""
                    raise _NotReceived(f"{_shown(url)}: {cut}{_reason(error)}") from error
            else:
                file.flush()
                file.seek(0)
                received = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
                if received == asset.sha256:
                    return
                if not resumed or pause is None:
                    raise _corrupt(url, asset, received)
                file.seek(0)  # perhaps the two ends are of different files: once more from the start
                file.truncate()
            time.sleep(pause)


def _open(session: requests.Session, url: str, start: int, etag: str) -> requests.Response:
    headers = {"User-Agent": f"maxfw/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if etag and not etag.startswith("W/"):
            headers["If-Range"] = etag
    return session.get(
        url, headers=headers, stream=True, timeout=(CONNECT_S, STALL_S), hooks={"response": _refuse_downgrade}
    )


def _refuse_downgrade(response: requests.Response, *_: Any, **__: Any) -> None:
    target = response.headers.get("Location", "").lower()
    if response.is_redirect and response.url.startswith("https:") and target.startswith("http:"):
        raise _NotReceived(f"{_shown(response.url)} redirects from https to plain http, which is refused")


def _copy(response: requests.Response, file: IO[bytes], meter: Progress) -> None:
    continues = response.status_code == 206 and response.headers.get("Content-Range", "").startswith(
        f"bytes {file.tell()}-"
    )
    if not continues:
        file.seek(0)
        file.truncate()
    response.raise_for_status()
    start = file.tell()
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdecimal() else 0
    for chunk in response.iter_content(_CHUNK):
        file.write(chunk)
        meter(file.tell(), total)


def _may_pass(error: requests.RequestException, answered: bool) -> bool:
    """Whether the same request may fare better in a moment: the connection was cut, or the server is busy."""
    if error.response is not None:
        return error.response.status_code in _WORTH_ANOTHER_TRY
    return answered or isinstance(_cause(error), ConnectionResetError)


def _cause(error: BaseException) -> BaseException:
    """What lies at the bottom of the layers of HTTP libraries."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        status = error.response.status_code
        with contextlib.suppress(ValueError):
            return f"answered {status} {http.HTTPStatus(status).phrase}"
        return f"answered {status}"
    cause = _cause(error)
    return str(cause) or type(cause).__name__


def _corrupt(url: str, asset: Asset, received: str) -> AssetCorrupt:
    return AssetCorrupt(
        f"{asset.name}: expected sha256 {asset.sha256}, received {received} from {_shown(url)}; it was deleted",
        hint="the file was changed or tampered with: ask the author of the model, or use MAXFW_ASSETS_MIRROR",
    )


@contextlib.contextmanager
def _meter(name: str, progress: Progress | None) -> Iterator[Progress]:
    """What is told about each chunk: the caller's function, or a bar that appears when it takes long."""
    if progress is not None or not sys.stderr.isatty():
        yield progress or (lambda done, total: None)
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.DownloadColumn())
    bar = rich.Progress(*columns, rich.TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    task = bar.add_task(name, total=None)
    appears = time.monotonic() + BAR_AFTER_S

    def draw(done: int, total: int) -> None:
        if time.monotonic() >= appears:
            bar.start()
            bar.update(task, completed=done, total=total or None)

    try:
        yield draw
    finally:
        bar.stop()


# --------------------------------------------------------------------------------------------------------- addresses


def _is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def _basename(url: str) -> str:
    return unquote(urlsplit(url).path).rpartition("/")[2]


def _shown(url: str) -> str:
    """A URL without user name, password and query, which may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
