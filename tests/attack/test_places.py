"""Where a server is started: it starts in places that have nothing, or says in one line why not."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from raw_http import exchange, request
from target import ROOT, start, survives

import models

PACKAGE = ROOT / "maxfw"


@pytest.mark.slow
def test_it_starts_with_nothing_to_write_to(tmp_path: Path) -> None:
    """No home, no temporary folder, a current folder that is read-only, LANG=C, a user id without a name."""
    folder = models.write(tmp_path / "model", models.PICTURE)
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    tmp_path.chmod(0o755)
    nowhere = {
        "HOME": "/nonexistent",
        "TMPDIR": "/proc",
        "XDG_CACHE_HOME": "/proc",
        "LANG": "C",
        "LC_ALL": "C",
    }
    target = start(
        folder,
        models.picture(),
        tmp_path,
        cwd=locked,
        environment={**nowhere, "USER": "", "LOGNAME": ""},
        warm=False,
    )
    try:
        with survives(target):
            body = models.picture().body.replace(b"red.png", "rötlich 🍎.png".encode())
            answer = exchange(target.port, request(body=body, media_type="multipart/form-data; boundary=b"))
            assert answer.status == 200, answer
    finally:
        assert target.end() == 0
    assert list(locked.iterdir()) == []
    assert "Traceback" not in target.said()


AS_NOBODY = """
import os, sys
import encodings.idna, flask.testing, numpy, maxfw.cli.serve, maxfw.tasks.text_classification
from maxfw.catalog import find, load_model
from maxfw.settings import load_settings
from maxfw.web.app import create_app

os.setgroups([]); os.setgid(54321); os.setuid(54321)  # the interpreter itself may be readable for root only
app = create_app(load_model(find(sys.argv[1])), load_settings({}))
print(app.test_client().post("/model/predict", json={"text": ["a"]}).status_code)
app.extensions["maxfw"].close()
"""


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_it_answers_as_a_user_without_a_name_and_a_home() -> None:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        words = [sys.executable, "-c", AS_NOBODY, str(models.write(Path(place), models.TEXT))]
        run = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env=environment)

    assert run.stdout.strip() == "200", run.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--port", "99999"], "port"),
        (["--host", "no such host"], "host"),
        (["--max-image-mb", "nan"], "max-image-mb"),
        (["../../etc/passwd"], "passwd"),
    ],
)
def test_what_cannot_be_started_is_said_in_one_line(tmp_path: Path, options: list[str], word: str) -> None:
    words = [sys.executable, "-m", "maxfw", "serve", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path, env=environment
    )

    assert run.returncode == 2, run
    assert word in run.stderr
    assert "Traceback" not in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


# ----------------------------------------------------------------------------------------------------- the source

FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
FORBIDDEN_CALLS = {
    *("eval", "exec", "__import__", "os.system", "os.popen", "tempfile.mktemp"),
    *("yaml.load", "yaml.unsafe_load", "yaml.full_load"),
}
# Keyword → the value that must not be written.
FORBIDDEN_VALUES = {"shell": True, "trust_remote_code": True, "verify": False, "allow_pickle": True}


def offences(tree: ast.AST) -> list[str]:
    """Where something is done that could run what a stranger sent."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            found += [f"{node.lineno}: {name}" for name in names if name.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.Call):
            found += [f"{node.lineno}: {what}" for what in _offences_of_call(node)]
    return found


def _offences_of_call(call: ast.Call) -> list[str]:
    called = ast.unparse(call.func)
    values = {word.arg: word.value.value for word in call.keywords if isinstance(word.value, ast.Constant)}
    found = [called] if called in FORBIDDEN_CALLS else []
    found += [f"{name}={value}" for name, value in FORBIDDEN_VALUES.items() if values.get(name) is value]
    if called == "torch.load" and values.get("weights_only") is not True:
        found.append("torch.load without weights_only=True")
    return found


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import loads",
        "eval(x)",
        "exec(x)",
        "yaml.load(x)",
        "os.system(x)",
        "subprocess.run(x, shell=True)",
        "torch.load(x)",
        "np.load(x, allow_pickle=True)",
        "f(trust_remote_code=True)",
        "httpx.get(x, verify=False)",
    ],
)
def test_the_search_finds_what_it_looks_for(line: str) -> None:
    assert offences(ast.parse(line))


def test_nothing_in_the_source_runs_what_a_stranger_sent() -> None:
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "models").rglob("*.py"), *(ROOT / "webapps").rglob("*.py")]
    found = [
        f"{file.relative_to(ROOT)}:{offence}"
        for file in files
        for offence in offences(ast.parse(file.read_text(encoding="utf-8")))
    ]

    assert len(files) > 50
    assert found == []
