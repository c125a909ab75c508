"""Train the recommender: visits → `recommender.tflite`, `users.npz`, `areas.csv`, `metrics.json`.

    python models/recommender/train.py

An autoencoder that learns to name all areas that a user visited from a part of them, after the Mult-DAE of D. Liang and
others, "Variational Autoencoders for Collaborative Filtering" (2018). Training needs TensorFlow and takes a minute or
two on one core; measuring the finished weights (`evaluate.py`) does not need it.
"""

import csv
from pathlib import Path

import numpy as np
import visits

from maxfw import training
from maxfw.catalog import ModelFolder

FOLDER = Path(__file__).resolve().parent
SEED = 1
EPOCHS = 30
BATCH = 256
HIDDEN = 128  # units between what was visited and what may be
HIDE = 0.5  # the share of visits that training hides
LEARNING_RATE = 1e-3
DECAY = 1e-5
VALIDATION = 3_000  # users that only choose the epoch


def main(options):
    """Train and write the files that serving needs."""
    areas, users = visits.load(visits.TRAINING)
    order = sorted(areas)
    network = train(users, {area: column for column, area in enumerate(order)}, options)
    (options.out / "recommender.tflite").write_bytes(converted(network))
    write_tables(areas, users, order, options.out)


def train(users, positions, options):
    """Visits → the network of the best epoch: float32 (n, areas) of 0 and 1 → float32 (n, areas), shares of 1."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(options.seed)
    names = sorted(users)
    np.random.default_rng(options.seed).shuffle(names)
    rows = rows_of([users[name] for name in names[VALIDATION:]], positions)
    pairs = visits.with_one_hidden({name: users[name] for name in names[:VALIDATION]}, options.seed)
    shown = rows_of([shown for shown, _ in pairs], positions)

    network = tf.keras.Sequential(
        [
            tf.keras.Input((len(positions),)),
            tf.keras.layers.UnitNormalization(),
            tf.keras.layers.Dropout(HIDE),
            tf.keras.layers.Dense(HIDDEN, "tanh"),
            tf.keras.layers.Dense(len(positions), "softmax"),
        ]
    )
    network.compile(
        tf.keras.optimizers.AdamW(LEARNING_RATE, weight_decay=DECAY),
        lambda wanted, given: -tf.reduce_sum(wanted * tf.math.log(given + 1e-9), axis=1),
    )
    best, weights = 0.0, network.get_weights()
    for epoch in range(options.epochs):
        loss = network.fit(rows, rows, BATCH, epochs=1, verbose=0).history["loss"][0]
        hits = visits.hit_rate(network.predict(shown, 1024, verbose=0), pairs, positions)
        print(f"epoch {epoch + 1}: loss {loss:.3f}, hit@10 on validation users {hits:.4f}", flush=True)
        if hits > best:
            best, weights = hits, network.get_weights()
    network.set_weights(weights)
    return network


def rows_of(histories, positions):
    """Lists of areas → float32 (n, areas), 1 where an area was visited."""
    rows = np.zeros((len(histories), len(positions)), np.float32)
    for row, visited in zip(rows, histories, strict=True):
        row[[positions[area] for area in visited]] = 1
    return rows


def converted(network):
    """The network → the bytes of a LiteRT file that takes any number of users."""
    import tensorflow as tf

    return tf.lite.TFLiteConverter.from_keras_model(network).convert()


def write_tables(areas, users, order, folder):
    """What serving needs beside the network: the areas in the order of its columns, and who visited which."""
    with (folder / "areas.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([area, areas[area]] for area in order)
    names = sorted(users)
    columns = {area: column for column, area in enumerate(order)}
    np.savez_compressed(
        folder / "users.npz",
        ids=np.array(names, np.uint16 if max(names) < 1 << 16 else np.uint32),
        counts=np.array([len(users[name]) for name in names], np.uint8),
        columns=np.array([columns[area] for name in names for area in users[name]], np.uint16),
    )


if __name__ == "__main__":
    epochs = (EPOCHS, "passes over the users")
    training.run(ModelFolder(FOLDER), main, what=__doc__, seed=SEED, numbers={"epochs": epochs})
