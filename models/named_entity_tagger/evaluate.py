"""How good the tagger is, on the held-out sentences."""

from maxfw.quality import Measured

from . import data


def evaluate(model):
    """Entity F1 on the held-out sentences of the Groningen Meaning Bank."""
    _, _, held_out = data.load()
    return [
        Measured(
            "entity F1", f"GMB, {len(held_out):,} sentences held out", entity_f1(model, held_out), bar=0.80
        )
    ]


def entity_f1(model, rows, *, batch=64):
    """F1 of whole entities, kind and both ends right, as seqeval counts them, over `(terms, tags)`."""
    right = said = wanted = 0
    for at in range(0, len(rows), batch):
        some = rows[at : at + batch]
        found = model.tagged([terms for terms, _ in some])
        for (_, tags), ours in zip(some, found, strict=True):
            one, other = entities(tags), entities(ours)
            right += len(one & other)
            wanted += len(one)
            said += len(other)
    return 2 * right / max(said + wanted, 1)


def entities(tags):
    """Tags → `{(kind, start, end)}`; an I- that continues nothing begins an entity."""
    found, start, kind = set(), 0, ""
    for at, tag in enumerate([*tags, "O"]):
        place, _, name = tag.partition("-")
        if kind and (place != "I" or name != kind):
            found.add((kind, start, at))
            kind = ""
        if name and not kind:
            start, kind = at, name
    return found
