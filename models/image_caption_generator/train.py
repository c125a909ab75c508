"""Train the caption decoder: captions and sightings of photos → `decoder.tflite`, `vocabulary.txt`, `metrics.json`.

Two LSTMs are trained one after the other and averaged. Training needs TensorFlow, measuring the finished weights
(`--evaluate`) needs `pycocoevalcap` and Java: that is COCO's own scorer.
"""

import argparse
import collections
import hashlib
import itertools
import json
import sys
import time
from pathlib import Path

import numpy as np
import photos as data
from decoder import END, KINDS, LAYOUT, LONGEST, PADDING, START, UNKNOWN, Decoder, layout
from detections import Donors, similarity

HERE = Path(__file__).parent
SEED = 1
MEMBERS = 2
EPOCHS = 8
LEAST_OFTEN = 10  # a word that the training captions have fewer times is unknown
DRAWS = 8  # sightings prepared for every photo; each time, one of them is taken
OWN = 0.6  # the share of them that are the photo's own, where it has some
FEATURE_HIDDEN = 0.15  # the share of examples without a feature, so that the layout is learnt as well
HINT_OFTEN = 20  # a word that fewer training captions with features have gives no hint
ECHO_RIDGE = 30  # the same for the map from captions to hints
RIDGE = 1e4  # how much the map from feature to hints is held back: 1,024 numbers, but about 1,000 photos
FOLDS = 5
MOST = 4.0  # standard deviations that a hint may be
FUNCTION_WORDS = frozenset(
    {
        "a", "an", "the", "of", "on", "in", "with", "and", "is", "are", "to", "at", "that", "it", "its", "their", "by",
        "for", "as", "this", "there", "'s", "up", "some", "from", "while", "has", "one", "be", "being", "very", "other",
        "each", "they", "have", "or", "was", "into", "them", "next", "two", "front", "top",
    }
)  # fmt: skip
# What an LSTM over nothing but the set of detected objects reached on nearly the same photos.
BARS = {"BLEU-4": 0.223, "CIDEr": 0.677}


def main():
    """Train and measure, or only measure; the exit code is 1 if the held-out quality is below the bars."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="example: python models/image_caption_generator/train.py --sightings FOLDER --out /tmp/captions",
    )
    parser.add_argument(
        "--sightings",
        type=Path,
        required=True,
        help="folder of features.npz and captions.json.gz, which sightings.py makes",
    )
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the weights (default: this one)")
    parser.add_argument(
        "--epochs", type=int, default=EPOCHS, help=f"passes over the captions (default: {EPOCHS})"
    )
    parser.add_argument("--members", type=int, default=MEMBERS, help=f"LSTMs (default: {MEMBERS})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"seed of the training (default: {SEED})")
    parser.add_argument("--layout-only", action="store_true", help="hide the embedder's feature, to compare")
    parser.add_argument(
        "--choose", action="store_true", help="learn without the validation photos and measure on them only"
    )
    parser.add_argument(
        "--evaluate", action="store_true", help="measure the weights in --out; needs no TensorFlow"
    )
    parser.add_argument("--said", type=Path, help="write here what is said about each measured photo")
    options = parser.parse_args()

    print("reading captions and sightings …", flush=True)
    photos = data.load(options.sightings)
    if not options.evaluate:
        options.out.mkdir(parents=True, exist_ok=True)
        train(photos, options)
    metrics = evaluate(photos, options)
    if not options.evaluate:
        told = {
            "training_seed": options.seed,
            "epochs": options.epochs,
            "members": options.members,
            **metrics,
        }
        (options.out / "metrics.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    sys.exit(any(metrics["held_out"]["as written"][name] < bar for name, bar in BARS.items()))


# What is learnt from


def write_vocabulary(photos, path):
    """The words of the training captions, the most frequent first, after the four special tokens; word → token id."""
    counts = collections.Counter(word for photo in photos for said in photo.sentences for word in said)
    listed = ["<padding>", "<start>", "<end>", "<unknown>"]
    listed += [
        word
        for word, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        if count >= LEAST_OFTEN
    ]
    path.write_text("\n".join(listed) + "\n", encoding="utf-8")
    return {word: token for token, word in enumerate(listed)}


class Hints:
    """What features suggest: for each of some words, and each kind of object, how much.

    The map is a ridge regression on the photos with features, `seen`. What their own hints are (`unseen`) comes from
    four fifths of them, without the photo itself, for the decoder must learn how often hints err. For a photo without
    a feature they are imagined: what its captions and kinds let expect, and the error of another photo.
    """

    def __init__(self, seen):
        counts = collections.Counter(
            word for photo in seen for word in set(itertools.chain(*photo.sentences))
        )
        self.told = sorted(
            w for w, count in counts.items() if count >= HINT_OFTEN and w not in FUNCTION_WORDS
        )
        features = np.stack([photo.feature for photo in seen])
        middle, spread = features.mean(axis=0), features.std(axis=0) + 0.05
        features = (features - middle) / spread
        wanted = self.wanted(seen)
        unseen = np.zeros_like(wanted)
        fold = np.random.default_rng(SEED).permutation(len(seen)) % FOLDS
        for one in range(FOLDS):
            unseen[fold == one] = features[fold == one] @ ridge(features[fold != one], wanted[fold != one])
        scale = unseen.std(axis=0) + 1e-4
        self.weights = (ridge(features, wanted) / scale / spread[:, None]).astype(np.float32)
        self.shift = -(middle @ self.weights)
        unseen /= scale
        self.unseen = np.clip(unseen, -MOST, MOST)
        self.usual_wanted, self.usual = wanted.mean(axis=0), unseen.mean(axis=0)
        centred = wanted - self.usual_wanted
        inner = centred.T @ centred + ECHO_RIDGE * np.eye(len(scale), dtype=np.float32)
        self.echo = np.linalg.solve(inner, centred.T @ (unseen - self.usual))
        self.errors = unseen - self.expected(seen)

    def wanted(self, photos):
        """What the hints should be, float32 (n, hints): the share of captions with the word, whether the kind is there."""
        table = np.zeros((len(photos), len(self.told) + KINDS), dtype=np.float32)
        for row, photo in zip(table, photos, strict=True):
            row[: len(self.told)] = [
                np.mean([word in said for said in photo.sentences]) for word in self.told
            ]
            row[[len(self.told) + kind for kind in photo.kinds]] = 1
        return table

    def expected(self, photos):
        """What the hints of such photos are on average, float32 (n, hints)."""
        return (self.wanted(photos) - self.usual_wanted) @ self.echo + self.usual


def ridge(features, wanted):
    """The linear map from centred features (n, 1024) to what is wanted (n, hints), held back by `RIDGE`."""
    inner = features @ features.T + RIDGE * np.eye(len(features), dtype=np.float32)
    return features.T @ np.linalg.solve(inner, wanted - wanted.mean(axis=0))


def sightings(photos, hints, seen, chance):
    """For each photo `DRAWS` sightings, real or borrowed: layouts (n, draws, 400), hints (n, draws, hints), float16.

    `seen` are the places in `photos` of those with features, in the order of `hints.unseen`.
    """
    row_of = {at: row for row, at in enumerate(seen)}
    lenders = [at for at in seen if photos[at].known_kinds]
    donors = Donors([photos[at].found for at in lenders], [photos[at].kinds for at in lenders])
    bags = [list(itertools.chain(*photo.sentences)) for photo in photos]
    likeness = similarity(bags, [bags[at] for at in lenders])
    likeness[lenders, np.arange(len(lenders))] = -9  # nobody borrows from himself
    expected = hints.expected(photos)
    layouts = np.zeros((len(photos), DRAWS, LAYOUT), dtype=np.float16)
    hinted = np.zeros((len(photos), DRAWS, expected.shape[1]), dtype=np.float16)
    for at, photo in enumerate(photos):
        for draw in range(DRAWS):
            if at in row_of and draw < OWN * DRAWS:
                layouts[at, draw], hinted[at, draw] = layout(*photo.found), hints.unseen[row_of[at]]
            else:
                lender, found = donors.borrow(photo.kinds, likeness[at], chance)
                imagined = expected[at] + hints.errors[row_of[lenders[lender]]]
                layouts[at, draw], hinted[at, draw] = layout(*found), np.clip(imagined, -MOST, MOST)
    return layouts, hinted


def token_rows(photos, token_of):
    """Every caption as token ids, int32 (captions, 1 + longest + 1), and the place of its photo."""
    rows, places = [], []
    for at, photo in enumerate(photos):
        for said in photo.sentences:
            row = [START, *(token_of.get(word, UNKNOWN) for word in said), END][: LONGEST + 1]
            rows.append(row + [PADDING] * (LONGEST + 1 - len(row)))
            places.append(at)
    return np.array(rows, dtype=np.int32), np.array(places)


# How it is learned


def train(photos, options):
    """Write `vocabulary.txt` and `decoder.tflite`."""
    import network

    started = time.monotonic()
    parts = ("training",) if options.choose else ("training", "validation")
    learnt = [photo for photo in photos.values() if photo.part in parts]
    token_of = write_vocabulary(learnt, options.out / "vocabulary.txt")
    seen = [at for at, photo in enumerate(learnt) if photo.found is not None]
    hints = Hints([learnt[at] for at in seen])
    layouts, hinted = sightings(learnt, hints, seen, np.random.default_rng(options.seed))
    rows, places = token_rows(learnt, token_of)
    print(
        f"{len(learnt):,} photos, {len(seen):,} of them seen; {len(rows):,} captions of {len(token_of):,} words"
    )
    print(f"{len(hints.told)} words and {KINDS} kinds that features hint at", flush=True)

    def batches(chance, size):
        order = chance.permutation(len(rows))
        for first in range(0, len(rows) - size + 1, size):
            some = order[first : first + size]
            draw = chance.integers(0, DRAWS, size)
            hidden = options.layout_only | (chance.random((size, 1)) < FEATURE_HIDDEN)
            hint = np.where(hidden, 0, hinted[places[some], draw])
            yield np.hstack([layouts[places[some], draw], hint]).astype(np.float32), rows[some]

    members = [
        network.fit(
            batches,
            len(rows),
            LAYOUT + len(hints.shift),
            len(token_of),
            options.epochs,
            options.seed + number,
        )
        for number in range(options.members)
    ]
    share = 0 if options.layout_only else 1
    network.export(
        members, (share * hints.weights, share * hints.shift), MOST, options.out / "decoder.tflite"
    )
    print(f"trained in {(time.monotonic() - started) / 60:.1f} minutes", flush=True)


# How it is measured


def evaluate(photos, options):
    """BLEU, ROUGE-L and CIDEr of the weights in --out, on photos with five captions that training never saw.

    Each answer is scored twice: against the captions as people wrote them, and against the same captions in words
    without gender, which are all that the decoder has.
    """
    decoder = Decoder(options.out / "decoder.tflite")
    part = "validation" if options.choose else "test"
    some = {
        number: photo for number, photo in photos.items() if photo.part == part and len(photo.captions) >= 5
    }
    told = {n: decoder.sentences(layout(*photo.found), photo.feature)[0][0] for n, photo in some.items()}
    if options.said:
        options.said.write_text(
            "".join(f"{number}\t{one}\n" for number, one in told.items()), encoding="utf-8"
        )
    written = {number: photo.captions for number, photo in some.items()}
    plain = {number: [" ".join(words) for words in photo.sentences] for number, photo in some.items()}
    results = {"photos": part, "number": len(some)}
    results |= {"as written": scores(told, written), "neutral": scores(told, plain)}
    print(json.dumps(results, indent=2), flush=True)
    weights = (options.out / "decoder.tflite").read_bytes()
    return {
        "held_out": results,
        "weights": {"bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()},
    }


def scores(said, references):
    """COCO's scorer, with its Penn Treebank tokenisation, over one sentence and some references for each photo."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    tokenizer = PTBTokenizer()
    wanted = tokenizer.tokenize({n: [{"caption": one} for one in some] for n, some in references.items()})
    told = tokenizer.tokenize({n: [{"caption": one}] for n, one in said.items()})
    bleu, _ = Bleu(4).compute_score(wanted, told, verbose=0)
    found = {"BLEU-1": bleu[0], "BLEU-4": bleu[3]}
    found["ROUGE-L"], _ = Rouge().compute_score(wanted, told)
    found["CIDEr"], _ = Cider().compute_score(wanted, told)
    return {name: round(float(value), 3) for name, value in found.items()}


if __name__ == "__main__":
    main()
