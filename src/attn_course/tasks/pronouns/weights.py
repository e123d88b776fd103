"""A small transformer in a file, and its arithmetic in NumPy.

The file is in the format *safetensors*: eight bytes for the length of a
header in JSON, the header, then the numbers, here as float16. A page reads
the same file.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from attn_course.data import load_asset
from attn_course.functional import attention
from attn_course.heads import merge_heads, split_heads

__all__ = [
    "ASSET",
    "Reading",
    "SmallTransformer",
    "load_reader",
    "pack_weights",
    "unpack_weights",
]

ASSET = "weights/pronouns.safetensors"
EPS = 1e-5


class Reading(NamedTuple):
    """What a model makes of n words.

    `scores` of every word of the vocabulary at each place, and every head's
    attention `weights`.
    """

    scores: Float[np.ndarray, "n n_words"]
    weights: Float[np.ndarray, "layers heads n n"]


@dataclass(frozen=True)
class SmallTransformer:
    """A trained `transformer.Transformer` without torch.

    `tensors` are its weights by name; `words` says what each number of the
    vocabulary means, `classes` names groups of them.
    """

    tensors: Mapping[str, np.ndarray]
    words: Sequence[str]
    classes: Mapping[str, Sequence[str]]
    heads: int

    @property
    def max_words(self) -> int:
        """The most words that a sentence may have."""
        return len(self.tensors["places"])

    @property
    def layers(self) -> int:
        """The number of layers."""
        return sum(name.endswith("query.weight") for name in self.tensors)

    def read(self, words: Sequence[str]) -> Reading:
        """Read a sentence.

        Raises
        ------
        ValueError
            When a word is not in the vocabulary, or there are none or too
            many.
        """
        place = {word: i for i, word in enumerate(self.words)}
        unknown = [word for word in words if word not in place]
        if unknown:
            raise ValueError(
                f"expected words among the {len(place)} that the model "
                f"knows, got {unknown[0]!r}"
            )
        if not 1 <= len(words) <= self.max_words:
            raise ValueError(
                f"expected 1 to {self.max_words} words, got {len(words)}"
            )
        numbers = [place[word] for word in words]
        x = self.tensors["embed.weight"][numbers]  # (n, d_model)
        x = x + self.tensors["places"][: len(words)]
        maps = []
        for layer in range(self.layers):
            x, weights = self._layer(f"layers.{layer}.", x)
            maps.append(weights)
        scores = self._linear("output", self._norm("norm", x))
        return Reading(scores, np.stack(maps))

    def _layer(
        self, name: str, x: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Go through one layer, which normalises first."""
        h = self._norm(f"{name}norm_1", x)
        q, k, v = (
            split_heads(self._linear(name + part, h), self.heads)
            for part in ("query", "key", "value")
        )  # (heads, n, d_head)
        read, weights = attention(q, k, v, return_weights=True)
        x = x + self._linear(f"{name}output", merge_heads(read))
        h = self._norm(f"{name}norm_2", x)
        wide = _gelu(self._linear(f"{name}widen", h))  # (n, d_ff)
        return x + self._linear(f"{name}narrow", wide), weights

    def _linear(self, name: str, x: np.ndarray) -> np.ndarray:
        t = self.tensors
        return x @ t[f"{name}.weight"].T + t[f"{name}.bias"]

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        t = self.tensors
        away = x - x.mean(axis=-1, keepdims=True)
        size = np.sqrt((away**2).mean(axis=-1, keepdims=True) + EPS)
        return away / size * t[f"{name}.weight"] + t[f"{name}.bias"]


def _gelu(x: np.ndarray) -> np.ndarray:
    """Weigh each number with the normal distribution below it."""
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


@cache
def load_reader() -> SmallTransformer:
    """Load the model of the recording `pronouns`.

    Examples
    --------
    >>> reader = load_reader()
    >>> reader.layers, reader.heads, len(reader.words)
    (2, 4, 447)
    """
    return unpack_weights(load_asset(ASSET))


def pack_weights(
    model: Any,
    words: Sequence[str],
    classes: Mapping[str, Sequence[str]] | None = None,
) -> bytes:
    """Write a `transformer.Transformer` as float16.

    Raises
    ------
    ValueError
        When the model's vocabulary is not as long as `words`.
    """
    tensors = {
        name: tensor.detach().cpu().numpy()
        for name, tensor in model.state_dict().items()
    }
    known = len(tensors["embed.weight"])
    if known != len(words):
        raise ValueError(
            f"expected a word for each of {known} numbers of the model's "
            f"vocabulary, got {len(words)}"
        )
    header: dict[str, Any] = {
        "__metadata__": {
            "words": json.dumps(list(words), ensure_ascii=False),
            "classes": json.dumps(
                {name: list(some) for name, some in (classes or {}).items()},
                ensure_ascii=False,
            ),
            "heads": str(model.layers[0].heads),
        }
    }
    body = b""
    for name, tensor in tensors.items():
        piece = tensor.astype("<f2").tobytes()
        header[name] = {
            "dtype": "F16",
            "shape": list(tensor.shape),
            "data_offsets": [len(body), len(body) + len(piece)],
        }
        body += piece
    text = json.dumps(
        header, ensure_ascii=False, separators=(",", ":")
    ).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body


def unpack_weights(data: bytes) -> SmallTransformer:
    """Read what `pack_weights` wrote."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    about = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        numbers = np.frombuffer(data[start + first : start + end], "<f2")
        tensors[name] = numbers.astype(np.float64).reshape(entry["shape"])
    return SmallTransformer(
        tensors,
        json.loads(about["words"]),
        json.loads(about["classes"]),
        int(about["heads"]),
    )
