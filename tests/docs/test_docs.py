"""What exists is documented, what is documented exists, and every page leads on."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import click
import msgspec
import pytest

from maxfw import errors
from maxfw.cli import main
from maxfw.settings import environment_name, fields
from maxfw.tasks import all_tasks
from maxfw.tasks.base import Task

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MADE_BY_THE_BUILD = (DOCS / "reference" / "api", DOCS / "_build")
PAGES = sorted(
    page for page in DOCS.rglob("*.md") if not any(folder in page.parents for folder in MADE_BY_THE_BUILD)
)
WITH_LINKS = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]

AUDIENCE = re.compile(r"\*For .+\*")
NEXT = re.compile(r"Next: \[.+\]\(.+\)")
LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
QUOTED_PATH = re.compile(r"`((?:docs|tests|models|maxfw|skeleton|benchmarks|webapps|\.ci)/[\w./-]*)`")

# Named in the pages, and not in a checkout: what builds make.
YET_TO_BE_MADE = ("docs/_build", "maxfw/zoo")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """docs/generate.py, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("field", fields(), ids=lambda field: field.name)
def test_every_setting_is_in_the_reference(field: msgspec.inspect.Field) -> None:
    page = text_of(DOCS / "reference" / "settings.md")

    assert f"`{environment_name(field.name)}`" in page
    assert f"`--{field.name.replace('_', '-')}`" in page


@pytest.mark.parametrize(
    "error",
    [value for value in vars(errors).values() if isinstance(value, type) and value is not errors.MaxfwError],
    ids=lambda error: error.__name__,
)
def test_every_error_is_in_the_reference(error: type[errors.MaxfwError]) -> None:
    assert f"`{error.code}`" in text_of(DOCS / "reference" / "errors.md")


@pytest.mark.parametrize("name", main.list_commands(click.Context(main)))
def test_every_command_is_in_the_reference(name: str) -> None:
    assert f"\n## maxfw {name}\n" in text_of(DOCS / "reference" / "commands.md")


@pytest.mark.parametrize(("name", "task"), all_tasks().items())
class TestEveryTask:
    def test_has_a_page_that_the_list_of_tasks_leads_to(self, name: str, task: type[Task]) -> None:
        assert text_of(DOCS / "tasks" / f"{name}.md").startswith(f"# {name}\n")
        assert f"({name}.md)" in text_of(DOCS / "tasks" / "index.md")

    def test_says_what_is_sent_and_what_the_author_returns(self, name: str, task: type[Task]) -> None:
        page = text_of(DOCS / "tasks" / f"{name}.md")
        sent = [field.name for field in task.files] + (
            [field.name for field in msgspec.structs.fields(task.body)] if task.body else []
        )

        headings = re.findall(r"^## (.+)$", page, re.MULTILINE)

        assert headings == ["Request", "Answer", "Parameters", "For model authors", "JSON Schema"]
        assert all(f"| `{field}` |" in page for field in [*sent, *task.standard_parameters])
        assert "curl " in page
        assert "from maxfw.client import Client" in page
        assert "_post_process" in page

    def test_shows_an_answer_of_its_type_and_explains_each_field(self, name: str, task: type[Task]) -> None:
        page = text_of(DOCS / "tasks" / f"{name}.md")
        shown = re.search(r"<!-- answer -->\n```json\n(.*?)```", page, re.DOTALL)
        assert shown

        answer = msgspec.json.decode(shown[1], type=task.answer)

        assert msgspec.json.decode(shown[1]).keys() == set(task.answer.__struct_fields__)
        assert answer.status == "ok"
        assert all(f"`{field}" in page for field in task.answer.__struct_fields__)


def test_what_the_code_writes_into_the_pages_is_current(generate: ModuleType) -> None:
    outdated = [
        name_of(page)
        for page, writers in generate.regions().items()
        if generate.generated(text_of(page), writers) != text_of(page)
    ]

    assert not outdated, "run: python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_page_opens_with_who_it_is_for_and_ends_with_the_next(page: Path) -> None:
    lines = [line for line in text_of(page).splitlines() if line.strip()]

    assert lines[0].startswith("# ")
    assert AUDIENCE.fullmatch(lines[1])
    assert NEXT.fullmatch(lines[-1])


@pytest.mark.parametrize("page", WITH_LINKS, ids=name_of)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    prose = FENCED.sub("", text_of(page))
    targets = [link for link in LINK.findall(prose) if "://" not in link]

    missing = [
        target
        for target in targets
        if not (page.parent / target.partition("#")[0]).exists()
        and not (page.parent / target).resolve().is_relative_to(MADE_BY_THE_BUILD[0])
    ]

    assert not missing


@pytest.mark.parametrize("page", WITH_LINKS, ids=name_of)
def test_every_path_that_is_named_exists(page: Path) -> None:
    named = {path for path in QUOTED_PATH.findall(text_of(page)) if not path.startswith(YET_TO_BE_MADE)}

    assert not [path for path in named if not (ROOT / path).exists()]


def test_every_page_can_be_reached_by_going_to_the_next() -> None:
    reached: list[Path] = []
    page = DOCS / "index.md"
    while page not in reached:
        reached.append(page)
        [target] = re.findall(r"\((.+)\)", text_of(page).strip().splitlines()[-1])
        page = (page.parent / target).resolve()

    assert set(reached) == set(PAGES)


def test_the_readme_shows_an_answer_before_line_40() -> None:
    beginning = text_of(ROOT / "README.md").splitlines()[:39]

    assert "make serve" in beginning
    assert any(line.startswith("curl ") for line in beginning)
    assert any(line.startswith('{"status":"ok","predictions":') for line in beginning)


@pytest.mark.parametrize("page", WITH_LINKS, ids=name_of)
def test_a_sentence_is_a_line(page: Path) -> None:
    prose = FENCED.sub("", text_of(page))
    lines = [line for line in prose.splitlines() if not line.startswith("|")]

    two_sentences = [line for line in lines if re.search(r"[a-z)`]\. [A-Z`][a-z]", line)]

    assert not two_sentences
