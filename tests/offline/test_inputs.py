"""What a word on the command line stands for, in a job."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.offline import Job, Listing, walk
from maxfw.predictor import Predictor
from maxfw.settings import Settings


@pytest.fixture
def pictures(colours: MAXModelWrapper, settings: Settings) -> Predictor:
    return Predictor(colours, settings)


@pytest.fixture
def texts(loudness: MAXModelWrapper, settings: Settings) -> Predictor:
    return Predictor(loudness, settings)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")


def names(predictor: Predictor, *words: str, skipped: tuple[Path, ...] = ()) -> list[str]:
    return [job.name for job in Listing.of(words, type(predictor.model), predictor.settings, skipped)]


def test_a_folder_is_its_files_in_order_and_those_below(pictures: Predictor) -> None:
    put("in/b.jpg", "in/a.jpg", "in/deep/er/c.jpg", "in/.hidden", "in/.git/d.jpg")

    assert names(pictures, "in") == ["in/a.jpg", "in/b.jpg", "in/deep/er/c.jpg"]


def test_what_the_job_writes_itself_is_no_input(pictures: Predictor) -> None:
    put("a.jpg", "results.jsonl", "drawn/b.png")

    assert names(pictures, ".", skipped=(Path("results.jsonl"), Path("drawn"))) == ["a.jpg"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("in/*.jpg", ["in/a.jpg"]),
        ("in/**/*.jpg", ["in/a.jpg", "in/x/b.jpg", "in/x/y/c.jpg"]),
        ("in/**", ["in/a.jpg", "in/a.png", "in/x/b.jpg", "in/x/y/c.jpg"]),
        ("in/**/**/c.*", ["in/x/y/c.jpg"]),
        ("in/*/[ab].jpg", ["in/x/b.jpg"]),
        ("*/?/b.jpg", ["in/x/b.jpg"]),
    ],
)
def test_a_pattern_is_the_files_that_match(pictures: Predictor, pattern: str, found: list[str]) -> None:
    put("in/a.jpg", "in/a.png", "in/x/b.jpg", "in/x/y/c.jpg")

    assert names(pictures, pattern) == found


def test_a_link_to_a_folder_is_that_folder(pictures: Predictor) -> None:
    put("in/b.jpg", "in/deep/c.jpg", "photos/a.jpg", "photos/more/a.jpg")
    os.symlink("../photos", "in/a")
    os.symlink("../../photos/more", "in/deep/z")

    assert names(pictures, "in") == [
        "in/b.jpg",
        "in/a/a.jpg",
        "in/a/more/a.jpg",
        "in/deep/c.jpg",
        "in/deep/z/a.jpg",
    ]


def test_a_link_that_leads_in_a_circle_is_an_error_of_its_own(pictures: Predictor) -> None:
    put("in/a.jpg", "other/b.jpg", "in/deep/c.jpg")
    os.symlink("..", "in/above")
    os.symlink(".", "in/deep/here")
    os.symlink("../other", "in/other")
    os.symlink("../in", "other/back")

    jobs = list(Listing.of(["in"], type(pictures.model), pictures.settings))

    assert [job.name for job in jobs if not job.problem] == ["in/a.jpg", "in/deep/c.jpg", "in/other/b.jpg"]
    bad = {job.name: job.problem for job in jobs if job.problem}
    assert list(bad) == ["in/above", "in/deep/here", "in/other/back"]
    assert all("in a circle" in problem for problem in bad.values())


@pytest.mark.parametrize("word", ["in", "in/**/*.jpg", "in/*/*"])
def test_a_folder_that_cannot_be_read_is_one_error_and_no_end(
    pictures: Predictor, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    put("in/a/x.jpg", "in/shut/x.jpg", "in/z/x.jpg")
    scandir = os.scandir

    def shut(folder: str) -> Iterator[os.DirEntry[str]]:
        if folder.endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(walk.os, "scandir", shut)

    jobs = list(Listing.of([word], type(pictures.model), pictures.settings))

    assert [job.name for job in jobs] == ["in/a/x.jpg", "in/shut", "in/z/x.jpg"]
    assert jobs[1].problem == "cannot read the folder 'in/shut': Permission denied"
    with pytest.raises(BadInput, match="cannot read the folder 'in/shut'"):
        Listing.of(["in/shut"], type(pictures.model), pictures.settings)


def test_a_folder_too_large_for_memory_is_sorted_in_parts(
    pictures: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "CHUNK", 7)
    put(*(f"in/{number * 7919 % 100:03d}" for number in range(100)), "in/line\nend", "in/ü")

    assert names(pictures, "in") == [*(f"in/{number:03d}" for number in range(100)), "in/line\nend", "in/ü"]


def test_a_name_that_is_no_text_is_an_input_all_the_same(pictures: Predictor) -> None:
    os.makedirs("in")
    Path(os.fsdecode(b"in/\xff.jpg")).write_bytes(b"x")

    [job] = Listing.of(["in"], type(pictures.model), pictures.settings)

    assert job.name == "in/�.jpg"
    assert job.inputs(pictures.task).files["image"].blob == b"x"


def test_lines_of_json_are_inputs_with_parameters_and_paths_from_the_list_s_folder(
    pictures: Predictor,
) -> None:
    put("lists/a.jpg")
    Path("lists/all.jsonl").write_text(
        '{"image": "a.jpg", "top": 2}\n\n"a.jpg"\n{"name": "one", "image": "a.jpg"}'
    )

    first, second, third = Listing.of(["lists/all.jsonl"], type(pictures.model), pictures.settings)

    assert first == Job("a.jpg", files={"image": "lists/a.jpg"}, values={"top": 2})
    assert second == Job("a.jpg", files={"image": "lists/a.jpg"})
    assert third.name == "one"
    assert third.inputs(pictures.task).files["image"].blob == b"x"


def test_lines_of_json_may_be_texts(texts: Predictor) -> None:
    Path("all.jsonl").write_text('{"text": "HELLO", "factor": 0.5}\n"hello"\n{"text": ["a", "b"]}\n')

    assert list(Listing.of(["all.jsonl"], type(texts.model), texts.settings)) == [
        Job("all.jsonl:1", body={"text": ["HELLO"]}, values={"factor": 0.5}),
        Job("all.jsonl:2", body={"text": ["hello"]}),
        Job("all.jsonl:3", body={"text": ["a", "b"]}),
    ]


def test_rows_are_inputs_too(texts: Predictor) -> None:
    Path("all.csv").write_bytes('\ufeffname,text,factor\na,"HEL,\nLO",0.5\nb,hé,\n'.encode())

    assert list(Listing.of(["all.csv"], type(texts.model), texts.settings)) == [
        Job("a", body={"text": ["HEL,\nLO"]}, values={"factor": "0.5"}),
        Job("b", body={"text": ["hé"]}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.jsonl", "{nonsense\n", "not JSON"),
        ("x.jsonl", '{"text": "' + "a" * 2_000_000 + '"}\n', "more than 1000000 bytes"),
        ("x.jsonl", "17\n", "neither an object nor a text"),
        ("x.jsonl", "[" * 100_000 + "\n", "not JSON"),
        ("x.csv", "text\na,b\n", "2 cells, and the head 1"),
        ("x.csv", "text\n" + "a" * 200_000 + "\n", "more than 131072 characters"),
        ("x.csv", "text\n" + "a" * 2_000_000 + "\n", "more than 1000000 bytes"),
        ("x.csv", 'text\n"a\n', "not closed"),
        ("x.jsonl", '{"name": null, "text": "a"}\n', "field 'name': None is no text"),
    ],
)
def test_a_line_that_is_none_is_a_problem_of_its_own(
    texts: Predictor, name: str, content: str, told: str
) -> None:
    good = '"good"\n' if name == "x.jsonl" else "good\n"
    Path(name).write_text(content + good)

    bad, then = Listing.of([name], type(texts.model), texts.settings)

    with pytest.raises(BadInput, match=told):
        bad.inputs(texts.task)
    assert then.inputs(texts.task).body == {"text": ["good"]}


@pytest.mark.parametrize("end", ["", '"ab, c",7\n', "a" * 2_000_000 + "\n"])
def test_a_stray_quote_costs_its_row_alone(texts: Predictor, end: str) -> None:
    rows = "".join(f"text {number},\n" for number in range(3000))
    Path("x.csv").write_text(f'text,factor\nfirst,\n"stray,0.5\n"two\nlines",\n{rows}{end}')

    first, stray, two, *others = Listing.of(["x.csv"], type(texts.model), texts.settings)

    assert first.body == {"text": ["first"]}
    assert "quote" in stray.problem or "expected" in stray.problem
    assert two.body == {"text": ["two\nlines"]}
    assert [job.body for job in others[:3000]] == [{"text": [f"text {number}"]} for number in range(3000)]
    assert len(others) == 3000 + bool(end)


def test_a_stray_quote_with_no_other_behind_it_costs_its_row_alone(texts: Predictor) -> None:
    rows = "".join(f"text {number}\n" for number in range(30_000))
    Path("x.csv").write_text(f'text\n"stray\n{rows}')

    stray, *others = Listing.of(["x.csv"], type(texts.model), texts.settings)

    assert "not closed" in stray.problem
    assert [job.body["text"] for job in others] == [[f"text {number}"] for number in range(30_000)]


@pytest.mark.parametrize(
    ("head", "told"), [("text,text", "names 'text' twice"), ('"text', "head of 'x.csv': the row cannot")]
)
def test_a_head_that_is_none_is_said_at_once(texts: Predictor, head: str, told: str) -> None:
    Path("x.csv").write_text(f"{head}\na,b\n")

    with pytest.raises(BadInput, match=told):
        Listing.of(["x.csv"], type(texts.model), texts.settings)


def test_a_list_may_begin_with_a_byte_order_mark(texts: Predictor) -> None:
    Path("x.jsonl").write_bytes('\ufeff{"text": "a"}\n'.encode())

    assert [job.body for job in Listing.of(["x.jsonl"], type(texts.model), texts.settings)] == [
        {"text": ["a"]}
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"image": null}', "field 'image': None is no path"),
        ('{"image": 7}', "field 'image': 7 is no path"),
        ('{"image": "a", "name": null}', "field 'name': None is no text"),
        ('{"image": "a\\u0000b"}', "no path has such a character"),
    ],
)
def test_a_line_with_no_path_is_a_problem_of_its_own(pictures: Predictor, line: str, told: str) -> None:
    Path("x.jsonl").write_text(line)

    [job] = Listing.of(["x.jsonl"], type(pictures.model), pictures.settings)

    with pytest.raises(BadInput, match=told):
        job.inputs(pictures.task)


def test_a_folder_of_texts_reads_texts_only(texts: Predictor) -> None:
    put("in/a.txt", "in/b.jpg")

    a, b = Listing.of(["in"], type(texts.model), texts.settings)

    assert a.inputs(texts.task).body == {"text": ["x"]}
    with pytest.raises(BadInput, match=r"neither \.txt nor \.json"):
        b.inputs(texts.task)


def test_a_text_with_wildcards_is_a_text(texts: Predictor) -> None:
    assert names(texts, "Is it *true*?") == ["Is it *true*?"]


@pytest.mark.parametrize("word", ["none.jsonl", "none/*.jpg", "none", "none.jpg", "none?", "nothing", ""])
def test_what_is_not_there_is_said_at_once(pictures: Predictor, word: str) -> None:
    os.makedirs("nothing")

    with pytest.raises(BadInput, match="no"):
        Listing.of([word], type(pictures.model), pictures.settings)


@pytest.mark.parametrize(
    "word", ["none.jsonl", "none.CSV", "none.txt", "none.json", "none/all", "none/*.txt"]
)
def test_what_looks_like_a_path_is_no_text(texts: Predictor, word: str) -> None:
    with pytest.raises(BadInput, match="none"):
        Listing.of(["Really a text.", word], type(texts.model), texts.settings)


def test_a_list_that_is_a_pipe_is_refused(texts: Predictor) -> None:
    os.mkfifo("pipe.jsonl")

    with pytest.raises(BadInput, match="it is a pipe"):
        Listing.of(["pipe.jsonl"], type(texts.model), texts.settings)


def test_a_text_may_have_a_slash_beside_a_space(texts: Predictor) -> None:
    assert names(texts, "yes and/or no", "see a.txt", "word") == ["yes and/or no", "see a.txt", "word"]


def test_one_missing_file_of_several_is_an_error_of_its_own(pictures: Predictor) -> None:
    put("a.jpg")

    assert names(pictures, "none.jpg", "a.jpg") == ["none.jpg", "a.jpg"]


def test_a_list_may_be_named_in_capitals(texts: Predictor) -> None:
    Path("A.CSV").write_text("text\na\n")
    Path("B.JSONL").write_text('"b"\n')
    Path("C.TXT").write_text("c")

    jobs = Listing.of(["A.CSV", "B.JSONL", "C.TXT"], type(texts.model), texts.settings)

    assert [job.inputs(texts.task).body for job in jobs] == [
        {"text": ["a"]},
        {"text": ["b"]},
        {"text": ["c"]},
    ]


@pytest.mark.parametrize("words", [("in/",), ("./in",), (".//in//",)])
def test_a_folder_has_one_name_however_it_is_written(pictures: Predictor, words: tuple[str, ...]) -> None:
    put("in/a.jpg")

    assert names(pictures, *words) == ["in/a.jpg"]


@pytest.mark.parametrize("word", ["out.jsonl", "out.jsonl.job", "drawn", "drawn/", "drawn/*.png", "*n/*.png"])
def test_what_the_job_writes_itself_is_refused_by_name(pictures: Predictor, word: str) -> None:
    put("out.jsonl", "out.jsonl.job", "drawn/a.png")
    own = (Path("out.jsonl"), Path("out.jsonl.job"), Path("drawn"))

    with pytest.raises(BadInput, match=r"what the job writes itself|no input"):
        Listing.of([word], type(pictures.model), pictures.settings, own)
