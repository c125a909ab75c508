"""The house: a module imports from its own floor or below, in no circle, and stays small."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "maxfw"

FLOORS = [
    {"errors", "settings"},
    {"media", "pixel_gate", "assets", "datasets", "sampling", "client", "utils"},
    {"tasks", "runtimes", "drawing"},
    {"model", "catalog"},
    {"batching", "predictor", "contract", "offline", "quality", "training"},
    {"web", "core"},
    {"server", "front", "receiving", "admission", "threads", "wsgi", "workers", "deploy", "cli"},
]
FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}
# The entry points stand outside the house.
DOORS = {"__init__", "__main__"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(file: Path) -> set[str]:
    """The dotted names of maxfw's own modules that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "maxfw":
            assert node.module is not None
            for alias in node.names:
                inner = PACKAGE.joinpath(*node.module.split(".")[1:], alias.name)
                is_module = inner.is_dir() or inner.with_suffix(".py").is_file()
                found.add(f"{node.module}.{alias.name}" if is_module else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "maxfw"}
    return found


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_own_floor_or_below(file: Path) -> None:
    if room_of(file) in DOORS:
        return
    assert room_of(file) in FLOOR_OF, "a new room needs a floor"
    for name in imported_modules(file):
        parts = name.split(".")
        if len(parts) > 1:
            assert FLOOR_OF[parts[1]] <= FLOOR_OF[room_of(file)], f"{file} imports upward: {name}"


def test_there_is_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    for file in MODULES:
        name = ".".join(["maxfw", *file.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
        graph[name] = imported_modules(file) - {name, "maxfw"}

    finished: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a circle: {' → '.join([*path, name])}"
        if name not in finished:
            # A package is imported before its modules; what it imports itself is its own entry in the graph.
            for target in graph.get(name, set()):
                visit(target, (*path, name))
            finished.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_has_at_most_400_lines_and_a_function_40(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert source.count("\n") <= 400
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1:] if ast.get_docstring(node) else node.body
            length = (node.end_lineno or 0) - first[0].lineno + 1 if first else 0
            assert length <= 40, f"{node.name} has {length} lines"


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_the_environment_is_read_in_settings_only(file: Path) -> None:
    if room_of(file) in ("settings", "runtimes"):
        return  # frameworks are told by their own variables how to behave
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        # `request.environ` is another one: what WSGI says of a request.
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv"):
            raise AssertionError(f"{file}:{node.lineno} reads the environment")


def loaded_after(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    return set(
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.split()
    )


HEAVY = {
    "tensorflow",
    "keras",
    "torch",
    "onnxruntime",
    "ai_edge_litert",
    "transformers",
    "ray",
    "docker",
    "httpx",
}


@pytest.mark.parametrize(
    "statement", ["import maxfw.web.app", "import maxfw.cli", "import maxfw.server", "import maxfw.core"]
)
def test_serving_brings_no_runtime_and_no_client(statement: str) -> None:
    assert not loaded_after(statement) & HEAVY


def test_the_client_brings_no_web_framework() -> None:
    assert not loaded_after("import maxfw.client") & (
        HEAVY | {"flask", "flask_restx", "werkzeug", "PIL", "numpy"}
    )


def test_a_model_brings_no_web_framework() -> None:
    assert not loaded_after("import maxfw.model") & (HEAVY | {"flask", "flask_restx", "werkzeug"})
