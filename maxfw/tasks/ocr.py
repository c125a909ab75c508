"""OCR: the text that a picture shows, by paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from maxfw.tasks.base import Answer, ImageTask, Label
from maxfw.tasks.values import typed

# All in heights of a typical line.
GUTTER = 1.0  # the least width of the white between two columns
COLUMN = 5.0  # the least width of most lines of a column: narrower ones are cells of a table, read row by row
APART = 2.2  # the pitch of two lines beyond which nothing holds them together
INDENT = 0.8  # how far the first line of a paragraph begins to the right of the others

CROSSING = 0.25  # the share of lines that may run across the white between two columns: headings, captions
LOOSER = 1.4  # how many times the usual pitch of its lines parts two paragraphs
LARGER = 1.35  # how many times as high a line is if it is no part of the same paragraph

Lines = Annotated[list[str], Meta(description="the lines of one paragraph, from top to bottom")]


class OcrAnswer(Answer, kw_only=True):
    """The text by paragraphs, each a list of its lines, in reading order; an empty list if there is none."""

    text: list[Lines]


class Ocr(ImageTask):
    """A picture in; the text that it shows out, paragraph by paragraph, line by line.

    `_post_process` returns a list of paragraphs, each a list of lines; `paragraphs` makes it from pieces of text and
    where they stand.
    """

    name = "ocr"
    title = "Optical Character Recognition"
    answer = OcrAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.ocr import Ocr, paragraphs"""
    template = '''\
    task = Ocr()

    def _pre_process(self, image):
        """PIL RGB image → grey, float32 (height, width), 0…1."""
        return np.asarray(image.convert("L"), dtype=np.float32) / 255

    def _predict_batch(self, batch):
        """n × float32 (height, width) → n × (boxes (k, 4, 2), k texts): one word in the middle of each picture."""
        found = []
        for grey in batch:
            height, width = grey.shape
            box = [[0, 0], [width, 0], [width, height], [0, height]]
            found.append((np.array([box]), ["bright" if grey.mean() > 0.5 else "dark"]))
        return found

    def _post_process(self, found):
        """Boxes and texts → paragraphs in reading order."""
        return paragraphs(*found)
'''

    def write(self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]) -> OcrAnswer:
        """Paragraphs of lines → the answer."""
        return OcrAnswer(text=typed(outcomes[0], list[list[str]]))


def paragraphs(boxes: np.ndarray, texts: Sequence[str]) -> list[list[str]]:
    """Pieces of text, each with its box → paragraphs of lines, in reading order.

    `boxes` is float (n, 4, 2): the corners x, y in pixels, clockwise from where the piece of text begins. A page that
    is a little askew is put straight. Columns are read one after the other, pieces beside each other make one line.
    """
    if not len(texts):
        return []
    places = _straightened(np.asarray(boxes, dtype=np.float64))
    height = float(np.median(places[:, 3] - places[:, 1]))
    found = []
    for block in _blocks(places, np.arange(len(texts)), height):
        rows = _rows(places, block)
        for part in _parted(places, rows):
            found.append([" ".join(texts[piece] for piece in row) for row in part])
    return found


def _straightened(boxes: np.ndarray) -> np.ndarray:
    """Corners, float (n, 4, 2) → left, top, right, bottom, float (n, 4), as if the page had been put straight."""
    along = boxes[:, 1] - boxes[:, 0]
    angles = np.arctan2(along[:, 1], along[:, 0])
    # Long lines know best; a word that stands upright or on its head says nothing about the page.
    order = np.argsort(angles)
    weights = np.cumsum(np.hypot(along[:, 0], along[:, 1])[order])
    askew = float(angles[order][np.searchsorted(weights, weights[-1] / 2)])
    if abs(askew) > np.pi / 6:
        askew = 0.0
    turn = np.array([[np.cos(askew), -np.sin(askew)], [np.sin(askew), np.cos(askew)]])
    corners = boxes @ turn
    return np.concatenate((corners.min(axis=1), corners.max(axis=1)), axis=1)


def _blocks(places: np.ndarray, pieces: np.ndarray, height: float) -> list[np.ndarray]:
    """Pieces of text → blocks that are read one after the other: the columns between what runs across them."""
    gutter = _gutter(places[pieces], height)
    if gutter is None:
        return [pieces]
    left, right = places[pieces, 0], places[pieces, 2]
    crossing = (left < gutter) & (right > gutter)
    middle = (places[pieces, 1] + places[pieces, 3]) / 2
    # How many crossing lines stand above a piece tells in which band it is.
    band = (middle[:, None] > middle[crossing][None, :]).sum(axis=1)
    found = []
    for number in range(int(crossing.sum()) + 1):
        inside = (band == number) & ~crossing
        for side in (inside & (right <= gutter), inside & (left >= gutter)):
            if side.any():
                found += _blocks(places, pieces[side], height)
        found.append(pieces[crossing & (band == number)])
    return _merged([block for block in found if len(block)], pieces[crossing])


def _merged(blocks: list[np.ndarray], crossing: np.ndarray) -> list[np.ndarray]:
    """Crossing lines that follow each other are one block."""
    merged: list[np.ndarray] = []
    for block in blocks:
        if merged and np.isin(block, crossing).all() and np.isin(merged[-1], crossing).all():
            merged[-1] = np.concatenate((merged[-1], block))
        else:
            merged.append(block)
    return merged


def _gutter(places: np.ndarray, height: float) -> float | None:
    """Where the white between two columns is, x in pixels; None if there clearly are no two columns."""
    left, _, right, _ = places.T
    edges = np.unique(np.concatenate((left, right)))
    candidates = []
    for x in (edges[1:] + edges[:-1]) / 2:
        before, after = places[right <= x], places[left >= x]
        across = len(places) - len(before) - len(after)
        if across <= CROSSING * len(places) and _are_columns(before, after, height):
            candidates.append((across, -min(len(before), len(after)), float(x)))
    return min(candidates)[2] if candidates else None


def _are_columns(one: np.ndarray, other: np.ndarray, height: float) -> bool:
    """Whether pieces are clearly two columns: some lines each, wide ones, with white between, beside each other."""
    if min(len(one), len(other)) < 3 or other[:, 0].min() - one[:, 2].max() < GUTTER * height:
        return False
    if min(np.median(side[:, 2] - side[:, 0]) for side in (one, other)) < COLUMN * height:
        return False
    shared = min(one[:, 3].max(), other[:, 3].max()) - max(one[:, 1].min(), other[:, 1].min())
    return bool(shared > 0.5 * min(np.ptp(one[:, 1]), np.ptp(other[:, 1])))


def _rows(places: np.ndarray, block: np.ndarray) -> list[list[int]]:
    """The pieces of a block → its lines from top to bottom, each from left to right."""
    rows: list[list[int]] = []
    for piece in block[np.argsort((places[block, 1] + places[block, 3]) / 2, kind="stable")]:
        if rows and all(_beside(places[piece], places[other]) for other in rows[-1]):
            rows[-1].append(int(piece))
        else:
            rows.append([int(piece)])
    return [sorted(row, key=lambda piece: float(places[piece, 0])) for row in rows]


def _beside(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two pieces stand in the same line: most of their height is shared, little or none of their width."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    narrower, lower = min(one[2] - one[0], other[2] - other[0]), min(one[3] - one[1], other[3] - other[1])
    return bool(height > 0.5 * lower and width < 0.3 * narrower)


def _parted(places: np.ndarray, rows: list[list[int]]) -> list[list[list[int]]]:
    """The lines of a block → its paragraphs."""
    left = np.array([places[row, 0].min() for row in rows])
    right = np.array([places[row, 2].max() for row in rows])
    middle = np.array([(places[row, 1] + places[row, 3]).mean() / 2 for row in rows])
    height = np.array([np.median(places[row, 3] - places[row, 1]) for row in rows])
    pitch = np.diff(middle)
    usual = float(np.quantile(pitch, 0.3)) if len(pitch) else 0.0
    into = left - np.quantile(left, 0.3)
    centred = _scatter((left + right) / 2) < 0.3 * _scatter(left)
    parts = [[rows[0]]]
    for line in range(1, len(rows)):
        lower, higher = sorted(height[line - 1 : line + 1])
        loose = pitch[line - 1] > min(LOOSER * usual, APART * higher)
        begins = into[line] > INDENT * height[line] and into[line - 1] < INDENT * lower / 2 and not centred
        if loose or begins or higher > LARGER * lower:
            parts.append([])
        parts[-1].append(rows[line])
    return parts


def _scatter(values: np.ndarray) -> float:
    """How far values typically are from the middle one."""
    return float(np.median(np.abs(values - np.median(values))))
