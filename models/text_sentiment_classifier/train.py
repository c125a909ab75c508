"""Train the sentiment model: public sentences → `sentiment.tflite`, `vocabulary.txt`, `metrics.json`.

Two small networks over words are trained side by side and averaged: a convolution whose features are taken where they
are strongest (Kim, "Convolutional Neural Networks for Sentence Classification", 2014), and a stack of dilated
convolutions with attention. Training needs TensorFlow; measuring the finished weights (`--evaluate`) does not.
"""

import argparse
import collections
import hashlib
import json
import random
import sys
import tempfile
from pathlib import Path

import corpora
import everyday_phrases
import numpy as np
from model import PADDING, UNKNOWN, WEIGHTS, WINDOW, ModelWrapper, read_vocabulary, token_ids, tokens

SEED = 1
EPOCHS = 4
BATCH = 128
LEARNING_RATE = 2e-3
WORDS = 20_000  # the most frequent; all others are unknown
FORGOTTEN = 0.1  # the share of words that training hides, so that the network copes with unknown ones
SOFTENED = 0.03  # labels are 0.03 and 0.97: some of them are wrong
NEUTRAL_WEIGHT = 0.5
PHRASES, PHRASE_WEIGHT = 8000, 1.0
SHINGLE = 8  # tokens in a row that training and held-out texts must not share
BARS = {"rt-polarity": 0.75, "UCI sentences": 0.87}


def main():
    """Train and measure, or only measure; the exit code is 1 if the held-out accuracy is below the bars."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="example: python models/text_sentiment_classifier/train.py --out /tmp/sentiment",
    )
    parser.add_argument(
        "--out", type=Path, default=WEIGHTS.parent, help="folder of the weights (default: this one)"
    )
    parser.add_argument(
        "--epochs", type=int, default=EPOCHS, help=f"passes over the sentences (default: {EPOCHS})"
    )
    parser.add_argument("--seed", type=int, default=SEED, help=f"seed of the training (default: {SEED})")
    parser.add_argument(
        "--evaluate", action="store_true", help="measure the weights in --out; needs no TensorFlow"
    )
    options = parser.parse_args()

    print("reading the sentences …", flush=True)
    divided, movies = corpora.load(), corpora.load_movie_reviews()
    if not options.evaluate:
        options.out.mkdir(parents=True, exist_ok=True)
        train(divided, movies, options)
    metrics = evaluate(divided, movies, options.out)
    if not options.evaluate:
        metrics = {"training_seed": options.seed, "epochs": options.epochs, **metrics}
        (options.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    sys.exit(any(metrics["held_out"][name]["accuracy"] < bar for name, bar in BARS.items()))


# What is learned from


def training_rows(divided, movies, seed):
    """`(tokens, label, weight)` of every training row that has nothing in common with a measured text."""
    rows = [
        (tokens(text), label, corpus.weight * (NEUTRAL_WEIGHT if label == 0.5 else 1))
        for corpus in divided.values()
        for text, label in corpus.training
    ]
    for sentences, label in movies.training:  # two sentences at a time: they are as short as other texts here
        pairs = (" ".join(sentences[at : at + 2]) for at in range(0, len(sentences), 2))
        rows += [(tokens(pair), label, movies.weight) for pair in pairs]
    phrases = everyday_phrases.sentences(PHRASES, seed=seed)
    rows += [(tokens(phrase), label, PHRASE_WEIGHT) for phrase, label in phrases]
    measured = [text for corpus in divided.values() for text, _ in corpus.validation + corpus.held_out]
    measured += [" ".join(sentences) for sentences, _ in movies.held_out]
    kept = without_overlap([row for row in rows if row[0]], [tokens(text) for text in measured])
    print(
        f"{len(kept):,} training rows; {len(rows) - len(kept):,} left out: empty, or too like a measured text"
    )
    return kept


def without_overlap(rows, measured):
    """The rows that neither equal a measured text (as tokens) nor share eight tokens in a row with one."""
    same = {tuple(text) for text in measured}
    shingles = {shingle for text in measured for shingle in _shingles(text)}
    return [row for row in rows if tuple(row[0]) not in same and shingles.isdisjoint(_shingles(row[0]))]


def _shingles(text):
    return {tuple(text[at : at + SHINGLE]) for at in range(len(text) - SHINGLE + 1)}


def write_vocabulary(rows, path):
    """The words of the training rows, the most frequent first."""
    counts = collections.Counter(token for text, _, _ in rows for token in text)
    words = [word for word, _ in counts.most_common(WORDS)]
    path.write_text("\n".join(words) + "\n", encoding="utf-8")
    return read_vocabulary(path)


# How it is learned


def build(vocabulary_size):
    """A Keras model: int32 token ids (n, length), 0 where there is none → two logits (n, 2) of "positive"."""
    import keras
    from keras import layers, ops

    ids = keras.Input((None,), dtype="int32")
    there = layers.Lambda(lambda x: ops.cast(ops.expand_dims(ops.not_equal(x, PADDING), -1), "float32"))(ids)

    def embedded():
        start = keras.initializers.RandomNormal(stddev=0.1)
        words = layers.Embedding(vocabulary_size, 48, embeddings_initializer=start)(ids)
        return layers.SpatialDropout1D(0.3)(words) * there

    def strongest(features):  # the features are not negative, so that zero stands for "no word"
        return ops.max(features * there, axis=1)

    def convolved():
        words = embedded()
        found = [ops.sum(words, axis=1) / ops.sqrt(ops.maximum(ops.sum(there, axis=1), 1.0))]
        for width in (2, 3, 4):
            found.append(strongest(layers.Conv1D(96, width, padding="same", activation="relu")(words)))
        hidden = layers.Dense(64, activation="relu")(layers.Dropout(0.5)(layers.Concatenate()(found)))
        return layers.Dense(1)(layers.Dropout(0.3)(hidden))

    def attended():
        hidden = layers.Dense(96)(embedded())
        for reach in (1, 2, 4):
            seen = layers.Dropout(0.2)(hidden * there)
            hidden = hidden + layers.Conv1D(96, 3, padding="same", dilation_rate=reach, activation="relu")(
                seen
            )
        hidden = hidden * there
        attention = ops.softmax(layers.Dense(1)(hidden) - (1 - there) * 1e4, axis=1)
        both = [ops.sum(hidden * attention, axis=1), strongest(ops.relu(hidden))]
        return layers.Dense(1)(layers.Dropout(0.5)(layers.Concatenate()(both)))

    return keras.Model(ids, layers.Concatenate()([convolved(), attended()]))


def batches(rows, ids_of, seed):
    """Without end: `(ids (n, length), labels (n, 2), weights (n,))`, texts of like length together."""
    chance, hiding = random.Random(seed), np.random.default_rng(seed)
    rows = [
        ([ids_of.get(token, UNKNOWN) for token in text[:WINDOW]], label, weight)
        for text, label, weight in rows
    ]
    while True:
        chance.shuffle(rows)
        epoch = []
        for at in range(0, len(rows), BATCH * 50):
            alike = sorted(rows[at : at + BATCH * 50], key=lambda row: len(row[0]))
            epoch += [alike[first : first + BATCH] for first in range(0, len(alike), BATCH)]
        chance.shuffle(epoch)
        for batch in epoch:
            ids = np.full((len(batch), max(len(row[0]) for row in batch)), PADDING, dtype=np.int32)
            for line, (text, _, _) in zip(ids, batch, strict=True):
                line[: len(text)] = text
            ids[(hiding.random(ids.shape) < FORGOTTEN) & (ids != PADDING)] = UNKNOWN
            labels = np.array([[label, label] for _, label, _ in batch], dtype=np.float32)
            weights = np.array([weight for _, _, weight in batch], dtype=np.float32)
            yield ids, labels * (1 - 2 * SOFTENED) + SOFTENED, weights


def train(divided, movies, options):
    """Write `vocabulary.txt` and `sentiment.tflite`."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(options.seed)
    tf.config.experimental.enable_op_determinism()
    rows = training_rows(divided, movies, options.seed)
    ids_of = write_vocabulary(rows, options.out / "vocabulary.txt")
    network = build(len(ids_of) + UNKNOWN + 1)
    print(f"{len(ids_of):,} words, {network.count_params():,} parameters", flush=True)
    shapes = (
        tf.TensorSpec((None, None), tf.int32),
        tf.TensorSpec((None, 2), tf.float32),
        tf.TensorSpec((None,), tf.float32),
    )
    data = tf.data.Dataset.from_generator(
        lambda: batches(rows, ids_of, options.seed), output_signature=shapes
    )
    # The last batch of every fifty may be short, so an epoch is counted as `batches` cuts it.
    steps = sum(-(-len(rows[at : at + BATCH * 50]) // BATCH) for at in range(0, len(rows), BATCH * 50))
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps * options.epochs, alpha=0.02)
    network.compile(keras.optimizers.Adam(rate), keras.losses.BinaryCrossentropy(from_logits=True))
    verbose = 1 if sys.stdout.isatty() else 2
    network.fit(
        data.prefetch(4), epochs=options.epochs, steps_per_epoch=steps, shuffle=False, verbose=verbose
    )
    temperature = best_temperature(network, divided, ids_of)
    export(network, temperature, options.out / WEIGHTS.name)


def best_temperature(network, divided, ids_of):
    """What the logits must be divided by to be honest about the validation rows, every corpus counting the same.

    Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    scored = []
    for corpus in divided.values():
        rows = [(text, label) for text, label in corpus.validation if label != 0.5]
        ids = np.concatenate([token_ids(text, ids_of)[:1] for text, _ in rows])
        logits = network.predict(ids, batch_size=256, verbose=0).mean(axis=1)
        scored.append((logits, np.array([label for _, label in rows])))

    def surprise(temperature):
        return np.mean([np.logaddexp(0, (1 - 2 * y) * z / temperature).mean() for z, y in scored])

    temperature = float(min(np.arange(0.4, 3, 0.02), key=surprise))
    print(
        f"temperature {temperature:.2f}: log loss {surprise(1):.4f} → {surprise(temperature):.4f} on validation rows"
    )
    return temperature


def export(network, temperature, path):
    """Write the network as LiteRT with 8 bit weights: int32 (n, 64) → float32 (n,), how probably it is positive."""
    import keras
    import tensorflow as tf
    from keras import ops

    ids = keras.Input((WINDOW,), dtype="int32", name="ids")
    positive = ops.sigmoid(ops.mean(network(ids), axis=1) / temperature)
    with tempfile.TemporaryDirectory() as folder:
        # A Keras 3 model must pass through a SavedModel, or the converter leaves its weights out.
        keras.Model(ids, positive).export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        path.write_bytes(converter.convert())


# How it is measured


def evaluate(divided, movies, folder):
    """Accuracy and calibration of the weights in `folder` on the held-out rows, by the path that serving takes."""
    model = ModelWrapper(folder)
    measured = {name: corpus.held_out for name, corpus in divided.items()}
    measured["movie reviews (long)"] = [(" ".join(sentences), label) for sentences, label in movies.held_out]
    results = {}
    print(f"{'held out':22} {'texts':>6} {'accuracy':>9} {'log loss':>9} {'calibration error':>18}")
    for name, rows in measured.items():
        positive = np.array(predict(model, [text for text, _ in rows]))
        results[name] = quality(positive, np.array([label for _, label in rows]))
        print(
            f"{name:22} {{texts:6}} {{accuracy:9.3f}} {{log_loss:9.3f}} {{calibration_error:18.3f}}".format(
                **results[name]
            )
        )
    weights = (folder / WEIGHTS.name).read_bytes()
    return {
        "split_seed": corpora.SPLIT_SEED,
        "held_out": results,
        "weights": {"bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()},
    }


def predict(model, texts):
    """The probability that each text is positive, 0…1."""
    answers = []
    for at in range(0, len(texts), model.max_batch_size):
        batch = [model._pre_process(text) for text in texts[at : at + model.max_batch_size]]
        answers += [model._post_process(one)["positive"] for one in model._predict_batch(batch)]
    return answers


def quality(positive, label):
    """Accuracy, log loss, and expected calibration error over ten bins of confidence, all of n texts."""
    right = (positive > 0.5) == (label > 0.5)
    likely = np.clip(np.where(label > 0.5, positive, 1 - positive), 1e-7, 1)
    confidence = np.maximum(positive, 1 - positive)
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [
        abs(right[bins == one].mean() - confidence[bins == one].mean()) * np.mean(bins == one)
        for one in set(bins)
    ]
    found = {"accuracy": right.mean(), "log_loss": -np.log(likely).mean(), "calibration_error": sum(gaps)}
    return {"texts": len(label), **{name: round(float(value), 4) for name, value in found.items()}}


if __name__ == "__main__":
    main()
