"""all-MiniLM-L6-v2 on PyTorch: texts → vectors; four models of the zoo share it.

A BERT of 6 layers (Devlin and others, 2019), distilled (Wang and others, "MiniLM", 2020) and trained to embed sentences
(Reimers and Gurevych, "Sentence-BERT", 2019).
"""

import json
import math

import numpy as np

from maxfw.assets import Asset
from maxfw.runtimes.base import existing, import_framework, loading

LAYERS, HEADS, WIDTH = 6, 12, 384
WINDOW = 256  # tokens that the network reads at a time, its two edges included
BUDGET = 8192  # tokens in one call of the network, padding included
OFFICIAL = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main"
ASSETS = [
    Asset(
        "model.safetensors",
        url=f"{OFFICIAL}/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
        size=90_868_376,
    ),
    Asset(
        "tokenizer.json",
        url=f"{OFFICIAL}/tokenizer.json",
        sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        licence="Apache-2.0",
        size=466_247,
    ),
]


def read_safetensors(path):
    """A `.safetensors` file → `{name: array}`: a header of JSON and the numbers one after the other."""
    with loading(existing(path, "safetensors"), "safetensors"):
        blob = np.fromfile(path, dtype=np.uint8)
        start = 8 + int(blob[:8].view("<u8")[0])
        header = json.loads(blob[8:start].tobytes())
        header.pop("__metadata__", None)
        kinds = {"F32": "<f4", "I64": "<i8"}
        return {
            name: blob[start + place[0] : start + place[1]]
            .view(kinds[entry["dtype"]])
            .reshape(entry["shape"])
            for name, entry in header.items()
            for place in [entry["data_offsets"]]
        }


def adapted(weights, adapter):
    """The encoder's weights with a low-rank adapter merged in (Hu and others, "LoRA", 2021).

    `NAME.A` (in, r) and `NAME.B` (r, out) add `2 A B` to a linear layer; `…LayerNorm.…` replaces the encoder's own.
    """
    merged = dict(weights)
    for name, values in adapter.items():
        values = values.astype(np.float32)
        if name.endswith(".A"):
            layer = name.removesuffix(".A")
            change = 2.0 * (values @ adapter[f"{layer}.B"].astype(np.float32)).T
            merged[f"{layer}.weight"] = merged[f"{layer}.weight"] + change
        elif "LayerNorm" in name:
            merged[name] = values
    return merged


class Encoder:
    """The tokenizer and the network; both are loaded once."""

    def __init__(self, model, tokenizer, adapter=None):
        """The paths of `model.safetensors` and `tokenizer.json`; `adapter` holds the arrays of one."""
        self.torch = import_framework("torch", extra="pytorch", needs="torch")
        tokenizers = import_framework("tokenizers", extra="tokenizers", needs="tokenizers")
        with loading(existing(tokenizer, "tokenizers"), "tokenizers"):
            self.tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        weights = adapted(read_safetensors(model), adapter or {})
        self.weights = {
            name: self.torch.from_numpy(np.array(values))
            for name, values in weights.items()
            if not name.startswith("pooler.") and not name.endswith("position_ids")  # nothing here uses them
        }
        self.start, self.end = (self.tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))

    def windows(self, text, most=WINDOW):
        """One text → lists of token ids with their edges, as many as it takes; one without words is its edges only."""
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        room = most - 2
        return [[self.start, *ids[at : at + room], self.end] for at in range(0, max(len(ids), 1), room)]

    def run(self, rows, kinds=None):
        """n lists of token ids → n × float32 (length, 384), the vectors of the tokens; those of like length together.

        `kinds` are lists of 0 and 1 of the same lengths, where a row is a pair of texts.
        """
        found = [None] * len(rows)
        order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
        while order:
            longest = len(rows[order[-1]])
            some = order[-max(1, BUDGET // longest) :]
            del order[-len(some) :]
            there = np.zeros((len(some), longest), dtype=bool)
            ids, types = np.zeros(there.shape, dtype=np.int64), np.zeros(there.shape, dtype=np.int64)
            for at, place in enumerate(some):
                there[at, : len(rows[place])] = True
                ids[at, : len(rows[place])] = rows[place]
                if kinds is not None:
                    types[at, : len(rows[place])] = kinds[place]
            with self.torch.inference_mode():
                hidden = self.hidden(*map(self.torch.from_numpy, (ids, types, there))).numpy()
            for at, place in enumerate(some):
                found[place] = hidden[at, : len(rows[place])]
        return found

    def hidden(self, ids, types, there, *, low_rank=None, drop=0.0):
        """Tensors of token ids, kinds and whether there is one, (n, length) → the vectors of the tokens, (n, length, 384).

        `low_rank` maps names of layers to pairs (A, B) that are learned, and `drop` is the share that training forgets.
        """
        functional, weights = self.torch.nn.functional, self.weights
        low_rank = low_rank or {}

        def linear(name, x):
            y = functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])
            return y + 2.0 * (x @ low_rank[name][0]) @ low_rank[name][1] if name in low_rank else y

        def norm(name, x):
            return functional.layer_norm(
                x, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-12
            )

        n, length = ids.shape
        places = weights["embeddings.position_embeddings.weight"][:length]
        words = weights["embeddings.word_embeddings.weight"][ids]
        x = norm(
            "embeddings.LayerNorm", words + places + weights["embeddings.token_type_embeddings.weight"][types]
        )
        mask = there[:, None, None, :]
        for number in range(LAYERS):
            layer = f"encoder.layer.{number}"
            query, key, value = (
                linear(f"{layer}.attention.self.{part}", x).view(n, length, HEADS, -1).transpose(1, 2)
                for part in ("query", "key", "value")
            )
            seen = functional.scaled_dot_product_attention(
                query, key, value, attn_mask=mask, scale=1 / math.sqrt(32)
            )
            out = linear(f"{layer}.attention.output.dense", seen.transpose(1, 2).reshape(n, length, WIDTH))
            x = norm(f"{layer}.attention.output.LayerNorm", x + functional.dropout(out, drop, drop > 0))
            out = linear(f"{layer}.output.dense", functional.gelu(linear(f"{layer}.intermediate.dense", x)))
            x = norm(f"{layer}.output.LayerNorm", x + functional.dropout(out, drop, drop > 0))
        return x

    def embed(self, texts):
        """n lists of windows → float32 (n, 384), each of length 1: the mean over all tokens of all windows."""
        rows = [window for windows in texts for window in windows]
        sums = iter([(tokens.sum(axis=0), len(tokens)) for tokens in self.run(rows)])
        vectors = []
        for windows in texts:
            parts = [next(sums) for _ in windows]
            vectors.append(sum(part for part, _ in parts) / sum(count for _, count in parts))
        vectors = np.stack(vectors)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
