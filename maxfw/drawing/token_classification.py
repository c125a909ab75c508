"""The text with each entity on a colour of its kind, as a picture or as a page of HTML."""

from __future__ import annotations

import html

from PIL import Image

from maxfw.drawing.base import PALETTE, stacked
from maxfw.drawing.text import paragraph
from maxfw.tasks.base import Inputs
from maxfw.tasks.token_classification import Tagged, TokenClassificationAnswer

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Tags</title>
<style>body{{font:1.1rem/2.1 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}}
mark{{color:#fff;padding:.15rem .4rem;border-radius:.3rem}}small{{margin-left:.4rem;opacity:.85}}</style>
<p dir="auto">{text}</p></html>
"""


def draw(inputs: Inputs, answer: TokenClassificationAnswer) -> Image.Image:
    """The terms in a row, above what the colours mean."""
    found = spans(answer.prediction)
    colours = colours_of(found)
    text = paragraph([(" ".join(terms), colours.get(kind, "")) for kind, terms in found])
    legend = [pair for pair in colours.items() if pair[0]] or [("no entity was found", "")]
    return stacked([text, paragraph(legend, colour="grey")])


def page(inputs: Inputs, answer: TokenClassificationAnswer) -> str:
    """The terms in a row, each entity marked and its kind beside it, as HTML."""
    found = spans(answer.prediction)
    colours = colours_of(found)
    parts = []
    for kind, terms in found:
        text = html.escape(" ".join(terms).encode("utf-8", "replace").decode())
        mark = f'<mark style="background:{colours[kind]}">{text}<small>{html.escape(kind)}</small></mark>'
        parts.append(mark if kind else text)
    return PAGE.format(text=" ".join(parts))


def spans(tagged: Tagged) -> list[tuple[str, list[str]]]:
    """Tags in the B-, I-, O- notation → what stands together, `[(kind, terms)]`; the kind of the rest is empty."""
    found: list[tuple[str, list[str]]] = []
    for tag, term in zip(tagged.tags, tagged.terms, strict=True):
        place, _, name = tag.partition("-")
        kind = name or ("" if tag == "O" else tag)
        if found and found[-1][0] == kind and place != "B":
            found[-1][1].append(term)
        else:
            found.append((kind, [term]))
    return found


def colours_of(found: list[tuple[str, list[str]]]) -> dict[str, str]:
    """A colour for each kind; none for what is no entity, whose kind is empty."""
    kinds = sorted({kind for kind, _ in found if kind})
    return {"": "", **{kind: PALETTE[at % len(PALETTE)] for at, kind in enumerate(kinds)}}
