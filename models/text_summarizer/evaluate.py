"""How good the summaries are, beside the first three sentences, which are hard to beat."""

import collections
import io
import json
import re
import zipfile

from maxfw import datasets
from maxfw.assets import Asset
from maxfw.quality import Measured

SENTENCES = 3
# ACLSum (Sotaro Takeshita and others, 2024): papers with summaries that experts wrote, one for each of three aspects.
ACLSUM = Asset(
    "aclsum-0.1.2-py3-none-any.whl",
    url="https://files.pythonhosted.org/packages/py3/a/aclsum/aclsum-0.1.2-py3-none-any.whl",
    sha256="c75ffc48d3eabc5f37c68ea087943780a85950087957759e89746f21111f2213",
    licence="MIT",
    size=5_152_165,
)


def papers(part="test"):
    """`(sentences of abstract, introduction and conclusion, the summary of all three aspects)` of each paper."""
    with zipfile.ZipFile(io.BytesIO(datasets.read(ACLSUM))) as archive:
        lines = archive.read(f"aclsum/dataset/{part}.jsonl").decode().splitlines()
    for paper in map(json.loads, lines):
        texts = [
            sentence
            for name in ("abstract", "introduction", "conclusion")
            for sentence in paper["sentences"][name]
        ]
        yield texts, " ".join(paper["summary"].values())


def evaluate(model, part="test"):
    """ROUGE-1 and ROUGE-L (F1, words in small letters, no stemming) of our three sentences; the bar is that of the first three, less 0.01."""
    rows = list(papers(part))
    ours = [model._post_process(model._predict_batch([texts])[0], sentences=SENTENCES) for texts, _ in rows]
    lead = [" ".join(texts[:SENTENCES]) for texts, _ in rows]
    where = f"ACLSum {part}, {len(rows)} papers; the bar is lead-3 less 0.01"
    return [
        Measured(name, where, mean(score, ours, rows), bar=mean(score, lead, rows) - 0.01)
        for name, score in (("ROUGE-1", rouge_1), ("ROUGE-L", rouge_l))
    ]


def mean(score, summaries, rows):
    """The mean of a score over all papers."""
    return sum(score(said, wanted) for said, (_, wanted) in zip(summaries, rows, strict=True)) / len(rows)


def _f1(shared, one, other):
    return 2 * shared / (len(one) + len(other)) if one and other else 0.0


def _words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def rouge_1(said, wanted):
    """The overlap of words (Lin, 2004)."""
    one, other = _words(said), _words(wanted)
    return _f1(sum((collections.Counter(one) & collections.Counter(other)).values()), one, other)


def rouge_l(said, wanted):
    """The longest row of words, not necessarily side by side, that both have in this order (Lin, 2004)."""
    one, other = _words(said), _words(wanted)
    before = [0] * (len(other) + 1)
    for word in one:
        row = [0]
        for at, theirs in enumerate(other):
            row.append(before[at] + 1 if word == theirs else max(row[at], before[at + 1]))
        before = row
    return _f1(before[-1], one, other)
