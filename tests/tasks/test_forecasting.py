"""Tables as people write them, and which are refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maxfw.drawing import draw
from maxfw.errors import BadInput, BadModelOutput, TooLarge
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs, Upload
from maxfw.tasks.forecasting import Forecasting, ForecastingAnswer, read_table

ROWS = [[1.0, 2.5], [3.0, -4.0]]


@pytest.mark.parametrize(
    "text",
    [
        "warm,damp\n1,2.5\n3,-4\n",
        "warm;damp\r\n1;2.5\r\n3;-4",
        "warm\tdamp\n1\t2.5\n3\t-4\n",
        "warm damp\n1   2.5\n3 -4\n",
        '\ufeff"warm","damp"\n\n1,2.5\n3,-4e0\n\n',
        "# made by numpy\nwarm,damp\n1,2.5\n3,-4\n",
    ],
)
def test_a_table_with_names_is_read(text: str) -> None:
    table = read_table(text.encode())

    assert table.names == ("warm", "damp")
    assert table.rows.tolist() == ROWS


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.floats(-1e6, 1e6)))
def test_what_numpy_writes_is_read(rows: np.ndarray) -> None:
    text = io.StringIO()
    np.savetxt(text, rows)

    table = read_table(text.getvalue().encode())

    assert table.names == ()
    assert np.array_equal(table.rows, rows)


REFUSED = {
    "nothing": (b"", "without a table"),
    "blank lines": (b"\n\n  \n", "without a table"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0", "UTF-8"),
    "zeros": (b"\0" * 50, "without a table"),
    "names alone": (b"warm,damp\n", "no rows"),
    "a word in the middle": (b"warm,damp\n1,2\n3,x\n", "'x'"),
    "an empty cell": (b"1,2\n3,\n", "row 2"),
    "rows of different lengths": (b"1,2\n3\n", "columns"),
    "more names than columns": (b"a,b,c\n1,2\n", "3 names for 2 columns"),
    "no number": (b"a,b\n1,nan\n", "row 1, column 2"),
    "too large a number": (b"1,2\n1e999,2\n", "row 2, column 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_of_numbers_is_refused_with_the_place(name: str) -> None:
    blob, reason = REFUSED[name]

    with pytest.raises(BadInput, match=reason):
        read_table(blob)


@given(st.binary(max_size=200))
def test_whatever_is_sent_is_a_table_or_refused(blob: bytes) -> None:
    try:
        table = read_table(blob)
    except (BadInput, TooLarge):
        return
    assert np.isfinite(table.rows).all()


def sent(text: str) -> Inputs:
    return Inputs(files={"file": Upload(text.encode())})


def test_declared_columns_are_taken_by_name_whatever_their_order() -> None:
    task = Forecasting(columns=["damp", "warm"])

    [table] = task.read(sent("when,WARM,damp\n0,1,2\n1,3,4\n"), Settings())

    assert table.rows.tolist() == [[2, 1], [4, 3]]
    assert table.names == ("damp", "warm")


def test_a_missing_column_is_named() -> None:
    task = Forecasting(columns=["damp", "warm"])

    with pytest.raises(BadInput, match="no column 'damp'"):
        task.read(sent("warm\n1\n"), Settings())
    with pytest.raises(BadInput, match="3 columns without names, this model needs 2"):
        task.read(sent("1 2 3\n"), Settings())


def test_a_large_table_is_refused() -> None:
    with pytest.raises(TooLarge, match=r"at most 0\.001 MB"):
        Forecasting().read(sent("1\n" * 1000), Settings(max_table_mb=0.001))


def test_forecasts_are_rows() -> None:
    assert Forecasting().write([], [np.ones((1, 2))], ()).predictions == [[1.0, 1.0]]
    with pytest.raises(BadModelOutput):
        Forecasting().write([], [np.ones(2)], ())


@pytest.mark.parametrize("rows", [[[1.0]], [[1.0, 2.0, 3.0]], [[5.0, 60.0]], [[1.0], [2.0]]], ids=str)
@pytest.mark.parametrize("table", ["warm,damp\n1,50\n2,51\n", "1 2\n3 4\n", "warm\n7\n"], ids=repr)
def test_a_forecast_is_drawn_behind_its_history(rows: list[list[float]], table: str) -> None:
    picture = draw(Forecasting(), sent(table), ForecastingAnswer(predictions=rows))

    assert (0xD5, 0x5E, 0x00) in {colour for _, colour in picture.getcolors(1 << 16) or []}
