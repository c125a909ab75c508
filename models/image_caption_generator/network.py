"""The network while it learns: an LSTM that is told at every word what was seen. Needs TensorFlow; serving does not."""

import sys
import tempfile

import numpy as np
import tensorflow as tf
from decoder import LAYOUT, PADDING

BATCH = 128
LEARNING_RATE, WEIGHT_DECAY, LARGEST_STEP = 5e-3, 1e-3, 2.0
SEEN, WORD, HIDDEN = 176, 160, 256  # sizes of the layers
SOFTENED = 0.1  # label smoothing: there are many ways to say it
AVERAGED = 0.995  # the weights that are kept are a running mean
FEATURE = 1024


class Lstm(tf.Module):
    """One LSTM: `inputs` numbers about a photo, and the words so far, → how likely each of `words` follows."""

    def __init__(self, inputs, words):
        super().__init__()
        even = tf.keras.initializers.GlorotUniform()
        self.seen, self.seen_bias = tf.Variable(even((inputs, SEEN))), tf.Variable(tf.zeros(SEEN))
        self.words = tf.Variable(
            tf.random.normal((words, WORD)) * 0.1
        )  # words in and out share their vectors
        self.from_word = tf.Variable(even((WORD, 4 * HIDDEN)))
        self.from_seen = tf.Variable(even((SEEN, 4 * HIDDEN)))
        self.from_state, self.bias = (
            tf.Variable(even((HIDDEN, 4 * HIDDEN))),
            tf.Variable(tf.zeros(4 * HIDDEN)),
        )
        self.to_word, self.word_bias = tf.Variable(even((HIDDEN, WORD))), tf.Variable(tf.zeros(words))

    def what_is_seen(self, numbers):
        """(n, inputs) → what it means for the gates, (n, 4 × hidden), and the vector before, to be thinned."""
        return tf.nn.relu(tf.matmul(numbers, self.seen) + self.seen_bias)

    def gates(self, word_vectors, seen):
        """What the gates are told by words (…, word) and by what is seen (…, seen)."""
        return tf.matmul(word_vectors, self.from_word) + tf.matmul(seen, self.from_seen) + self.bias

    def step(self, told, hidden, cell, kept=1.0):
        """One word further → hidden, cell; `kept` thins what is remembered."""
        let_in, forget, candidate, let_out = tf.split(
            told + tf.matmul(hidden * kept, self.from_state), 4, axis=1
        )
        cell = tf.sigmoid(forget + 1.0) * cell + tf.sigmoid(let_in) * tf.tanh(candidate)
        return tf.sigmoid(let_out) * tf.tanh(cell), cell

    def log_probabilities(self, hidden):
        """(n, hidden) → (n, words)."""
        words = tf.matmul(tf.matmul(hidden, self.to_word), self.words, transpose_b=True)
        return tf.nn.log_softmax(words + self.word_bias)

    def surprise(self, numbers, tokens):
        """The mean of −log p of the tokens that follow, and the same softened, with parts left out at random."""
        seen = tf.nn.dropout(self.what_is_seen(tf.nn.dropout(numbers, 0.1)), 0.2)
        vectors = tf.nn.dropout(tf.gather(self.words, tokens[:, :-1]), 0.1)
        told = tf.unstack(self.gates(vectors, seen[:, None]), axis=1)
        hidden = cell = tf.zeros((tf.shape(tokens)[0], HIDDEN))
        kept, states = tf.nn.dropout(tf.ones_like(hidden), 0.15), []
        for one in told:
            hidden, cell = self.step(one, hidden, cell, kept)
            states.append(hidden)
        following = tf.reshape(tokens[:, 1:], (-1,))
        there = tf.where(following != PADDING)[:, 0]
        states = tf.nn.dropout(tf.gather(tf.reshape(tf.stack(states, axis=1), (-1, HIDDEN)), there), 0.35)
        odds = self.log_probabilities(states)
        surprise = -tf.reduce_mean(tf.gather(odds, tf.gather(following, there), batch_dims=1))
        return surprise, (1 - SOFTENED) * surprise - SOFTENED * tf.reduce_mean(odds)


def fit(batches, rows, inputs, words, epochs, seed):
    """A trained LSTM; `batches(chance, size)` gives an epoch of (numbers, tokens) from `rows` captions."""
    tf.keras.utils.set_random_seed(seed)
    chance = np.random.default_rng(seed)
    lstm = Lstm(inputs, words)
    steps = rows // BATCH * epochs
    rate = tf.keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps, alpha=0.02)
    optimiser = tf.keras.optimizers.AdamW(
        rate,
        weight_decay=WEIGHT_DECAY,
        clipnorm=LARGEST_STEP,
        use_ema=True,
        ema_momentum=AVERAGED,
        ema_overwrite_frequency=None,
    )
    optimiser.build(lstm.trainable_variables)

    @tf.function
    def learn(numbers, tokens):
        with tf.GradientTape() as tape:
            surprise, softened = lstm.surprise(numbers, tokens)
        slopes = tape.gradient(softened, lstm.trainable_variables)
        slopes = [tf.convert_to_tensor(slope) for slope in slopes]
        optimiser.apply_gradients(zip(slopes, lstm.trainable_variables, strict=True))
        return surprise

    for epoch in range(epochs):
        losses = [learn(*batch) for batch in batches(chance, BATCH)]
        print(f"seed {seed}, epoch {epoch + 1} of {epochs}: surprise {np.mean(losses):.3f}", flush=True)
    optimiser.finalize_variable_values(lstm.trainable_variables)  # the running mean
    return lstm


def export(members, hints, most, path):
    """Write one step of all members together as LiteRT with 8-bit weights.

    `layout` (n, 400), `feature` (n, 1024), `token` int32 (n,), `state` (n, members × 2 × hidden) →
    log probabilities of the next word and the new state, side by side.
    """
    weights, shift = (tf.constant(array) for array in hints)

    def told(layout, feature, token, state):
        hint = tf.clip_by_value(tf.matmul(feature, weights) + shift, -most, most)
        numbers = tf.concat([layout, hint], axis=1)
        odds, states = [], []
        for lstm, its in zip(members, tf.split(state, len(members), axis=1), strict=True):
            gates = lstm.gates(tf.gather(lstm.words, token), lstm.what_is_seen(numbers))
            hidden, cell = lstm.step(gates, *tf.split(its, 2, axis=1))
            odds.append(lstm.log_probabilities(hidden))
            states += [hidden, cell]
        together = tf.nn.log_softmax(tf.add_n(odds) / len(members))
        return tf.concat([together, *states], axis=1)

    shapes = {"layout": LAYOUT, "feature": FEATURE, "state": len(members) * 2 * HIDDEN}
    specs = {name: tf.TensorSpec((None, size), tf.float32, name) for name, size in shapes.items()}
    module = tf.Module()
    module.members = members
    module.told = tf.function(told).get_concrete_function(
        specs["layout"], specs["feature"], tf.TensorSpec((None,), tf.int32, "token"), specs["state"]
    )
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=module.told)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        path.write_bytes(converter.convert())
    print(f"{path.name}: {path.stat().st_size:,} bytes", file=sys.stderr)
