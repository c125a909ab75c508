"""The parts of the documentation that the code knows best.

    python docs/generate.py

rewrites them in place. They stand in the pages between `<!-- name -->` and `<!-- /name -->`, so that who reads the
repository sees them too; the tests fail when a page is not what the code says. The pages of the API reference are
made by the build of the site alone.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

import maxfw
from maxfw import errors
from maxfw.catalog import ModelFolder, card, load_class, models
from maxfw.cli import main
from maxfw.settings import describe, environment_name, fields
from maxfw.tasks import all_tasks
from maxfw.tasks.base import Task

DOCS = Path(__file__).parent
ROOT = DOCS.parent
API = DOCS / "reference" / "api"

# Modules that are doors for people on the command line, or private.
NOT_IN_THE_API = re.compile(r"maxfw\.(__main__|cli(\..*)?)$")


# What the extras of `requirements.txt` install, as people call it; others, like `ocr`, are no frameworks.
FRAMEWORKS = {
    "litert": "LiteRT",
    "onnx": "ONNX",
    "tensorflow": "TensorFlow",
    "pytorch": "PyTorch",
    "huggingface": "PyTorch",
    "speech": "PocketSphinx",
    "fasttext": "fastText",
}
EXTRAS = re.compile(r"^maxfw(?:\[([^\]]+)\])?$", re.MULTILINE)


def regions() -> dict[Path, dict[str, Callable[[], str]]]:
    """The generated regions of every page: name → the function that writes it."""
    pages: dict[Path, dict[str, Callable[[], str]]] = {
        ROOT / "README.md": {"zoo": zoo_table},
        DOCS / "reference" / "settings.md": {"settings": settings_table},
        DOCS / "reference" / "errors.md": {
            "request-errors": lambda: errors_table(errors.RequestError),
            "service-errors": lambda: errors_table(errors.ServiceError),
            "setup-errors": lambda: errors_table(errors.SetupError),
            "client-errors": lambda: errors_table(errors.AnswerError),
        },
        DOCS / "reference" / "commands.md": {"commands": commands},
        DOCS / "tasks" / "index.md": {"tasks": tasks_table},
    }
    for name, task in all_tasks().items():
        pages[DOCS / "tasks" / f"{name}.md"] = {"schema": _schema_writer(task)}
    return pages


def generated(text: str, writers: dict[str, Callable[[], str]]) -> str:
    """A page's text with its regions as the code has them now."""
    for name, write in writers.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise ValueError(f"the page needs {start} and {end}, once each")
        before, rest = text.split(start)
        text = f"{before}{start}\n{write().strip()}\n{end}{rest.split(end)[1]}"
    return text


def table(head: list[str], rows: Iterator[list[str]] | list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def zoo_table() -> str:
    """The models of the zoo, from their cards."""
    rows = []
    for folder in models():
        model_class = load_class(folder)
        description = card(model_class)
        task = model_class.task.name if model_class.task else ""
        rows.append(
            [
                f"[{folder.name}](models/{folder.name}/README.md)",
                f"[{task}](docs/tasks/{task}.md)",
                description["license"],
                framework_of(folder),
                description["description"],
            ]
        )
    return table(["model", "task", "licence", "runs on", "what it does"], rows)


def framework_of(folder: ModelFolder) -> str:
    """The frameworks that a model needs, the one it is tested with first, from its requirements.

    Not from what its file imports: a model that builds on another imports no runtime of its own.
    """
    named = EXTRAS.search((folder.path / "requirements.txt").read_text(encoding="utf-8"))
    if not named:
        raise ValueError(f"{folder.path}/requirements.txt does not begin with maxfw, or maxfw[litert]")
    extras = [extra.strip() for extra in (named[1] or "").split(",")]
    # A model without a framework does its own arithmetic.
    return ", ".join(FRAMEWORKS[extra] for extra in extras if extra in FRAMEWORKS) or "numpy"


def settings_table() -> str:
    """Every setting: variable, flag, default, what is allowed, what it is."""
    rows = []
    for field in fields():
        rows.append(
            [
                f"`{environment_name(field.name)}`",
                f"`--{field.name.replace('_', '-')}`",
                _written(field.default),
                _allowed(field.type),
                describe(field.name),
            ]
        )
    return table(["variable", "flag of `maxfw serve`", "default", "allowed", "what it is"], rows)


def _written(default: Any) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"{default:g}" if isinstance(default, float) else str(default) or "empty"


def _allowed(kind: Any) -> str:
    """The type of a setting and its range, in words."""
    plain = kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind
    word = {"IntType": "whole number", "FloatType": "number", "BoolType": "on, off", "StrType": "text"}[
        type(plain).__name__
    ]
    if pattern := getattr(plain, "pattern", None):
        return pattern.strip("^$()").replace("|", ", ")
    ends = [
        f"{said} {value:.15g}"
        for said, value in (
            ("from", getattr(plain, "ge", None)),
            ("above", getattr(plain, "gt", None)),
            ("to", getattr(plain, "le", None)),
            ("below", getattr(plain, "lt", None)),
        )
        if value is not None
    ]
    return " ".join([word, *ends])


def errors_table(base: type[errors.MaxfwError]) -> str:
    """A class of errors and those below it: status, code, meaning."""
    rows = []
    for error in family(base):
        what = " ".join((error.__doc__ or "").split("\n\n")[0].split())
        # A set-up error never leaves over HTTP, so it has no status; a client's carries the server's.
        status = "" if issubclass(error, errors.SetupError | errors.AnswerError) else str(error.status)
        rows.append([status, f"`{error.code}`", f"`{error.__name__}`", what])
    if not any(row[0] for row in rows):
        return table(["code", "class", "what happened"], [row[1:] for row in rows])
    return table(["status", "code", "class", "what happened"], sorted(rows))


def family(base: type[errors.MaxfwError]) -> list[type[errors.MaxfwError]]:
    """A class of errors and every class below it that `maxfw.errors` defines."""
    return [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, base)]


def tasks_table() -> str:
    """Every task: its page, its input and the first lines of its answer."""
    rows = []
    for name, task in all_tasks().items():
        files = ", ".join(f"file `{field.name}`" for field in task.files)
        body = (
            ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(task.body)) if task.body else ""
        )
        keys = ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(task.answer))
        rows.append([f"[{name}]({name}.md)", files or f"JSON {body}", f"{keys}", f"`{task.__name__}`"])
    return table(["task", "input", "fields of the answer", "class"], rows)


def _schema_writer(task: type[Task]) -> Callable[[], str]:
    def write() -> str:
        schema = msgspec.json.format(msgspec.json.encode(msgspec.json.schema(task.answer)), indent=2).decode()
        return f"```json\n{schema}\n```"

    return write


def commands() -> str:
    """Every command of the command line: usage, what it does, examples, options."""
    context = click.Context(main)
    parts = [_command(main.get_command(context, name)) for name in main.list_commands(context)]
    return "\n\n".join(parts)


def _command(command: click.Command | None) -> str:
    assert command is not None
    # \b is how click is told to leave a paragraph's lines alone.
    said, _, examples = inspect.cleandoc((command.help or "").replace("\b", "")).partition("Examples:\n")
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    usage = " ".join([f"maxfw {command.name}", *map(_usage, arguments), "[OPTIONS]"])
    parts = [f"## maxfw {command.name}", f"```text\n{usage}\n```", _one_line_per_sentence(said)]
    if examples:
        lines = [line.strip() for line in examples.strip().split("\n")]
        parts.append("```sh\n" + "\n".join(lines) + "\n```")
    own = {field.name for field in fields()}
    options = [p for p in command.params if isinstance(p, click.Option) and p.name not in own]
    if options:
        rows = [[", ".join(f"`{opt}`" for opt in option.opts), option.help or ""] for option in options]
        parts.append(table(["option", "what it does"], rows))
    if any(parameter.name in own for parameter in command.params):
        parts.append("Its options are [the settings](settings.md), each under its flag.")
    return "\n\n".join(parts)


def _usage(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _one_line_per_sentence(text: str) -> str:
    """Paragraphs with each sentence on a line of its own."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")]
    return "\n\n".join(re.sub(r"(?<=[.!?]) (?=[A-Z])", "\n", paragraph) for paragraph in paragraphs)


def write_api_pages() -> None:
    """One page for every public module, and an index of them; the folder is not kept in the repository."""
    API.mkdir(parents=True, exist_ok=True)
    names = sorted(
        module.name
        for module in pkgutil.walk_packages(maxfw.__path__, "maxfw.")
        if not NOT_IN_THE_API.match(module.name)
    )
    wanted = {"index.md": _api_index(names), **{f"{name}.md": _api_page(name) for name in names}}
    for old in API.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        page = API / name
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def _api_index(names: list[str]) -> str:
    listed = "\n".join(names)
    return (
        "# Python API\n\n*For model authors and for those who work on maxfw itself.*\n\n"
        "Every module, from its docstrings.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n\n"
        "Next: [the design](../../design.md)\n"
    )


def _api_page(name: str) -> str:
    return f"# {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n```\n"


def write_regions() -> None:
    """Rewrite the generated regions of every page."""
    for page, writers in regions().items():
        before = page.read_text(encoding="utf-8")
        after = generated(before, writers)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"rewrote {page.relative_to(ROOT)}")


if __name__ == "__main__":
    write_regions()
