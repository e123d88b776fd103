"""`AttentionSteps`: the one figure of the course, attention step by step."""

import html
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from jaxtyping import Bool, Float

from attn_course.arrays import as_mask, as_numbers
from attn_course.data import load_recording, pack_array, unpack_array
from attn_course.functional import attention
from attn_course.html import html_table
from attn_course.masks import causal as causal_mask
from attn_course.widgets.base import (
    CourseWidget,
    Number,
    check_d_k,
    describe_recording,
)

__all__ = ["AttentionSteps"]

MAX_TOKENS, MAX_HEADS, MAX_DRAWN, RANGE = 16, 8, 8, 100.0

# The steps in their order, and the sentence that is spoken with each. A word
# between asterisks has the colour of its role; what stands in braces follows
# from the numbers.
NAMES = {
    "words": "words",
    "query": "query",
    "scores": "q·k",
    "scale": "÷ √d",
    "mask": "mask",
    "softmax": "softmax",
    "values": "values",
    "output": "output",
    "add": "add",
    "norm": "norm",
    "feed": "feed-forward",
    "norm2": "add, norm",
    "all": "all rows",
}
SENTENCES = {
    "words": "{asker} asks: which of these words matter to me?",
    "query": (
        "{asker} makes a *query*, a row of numbers that says what it is "
        "looking for."
    ),
    "scores": (
        "Every word offers a *key*. How far the *key* reaches along the "
        "*query*, times the length of the *query*, is its score: q·k."
    ),
    "scale": (
        "Every score is divided by √{d} = {root}, so that vectors with more "
        "numbers do not make larger scores."
    ),
    "mask": (
        "{asker} may not look at the hatched words ({hidden}): their scores "
        "do not count."
    ),
    "open": "Nothing is hidden from {asker}: it may look at every word here.",
    "softmax": (
        "Softmax turns the scores into *weights*, shares of one whole: {most}."
    ),
    "values": (
        "Every word hands over its *value*, as much of it as its *weight* "
        "says."
    ),
    "output": (
        "The parts of the *values* add up to the *output*: this is what "
        "{asker} has learned from the words."
    ),
    "add": (
        "The *output* is added to what {asker} was before, so nothing is lost."
    ),
    "norm": (
        "The sum is normalised: its numbers get mean 0 and variance 1, "
        "whatever their size was."
    ),
    "feed": (
        "A small network, the feed-forward part, works on {asker} alone and "
        "looks at no other word."
    ),
    "norm2": (
        "Its result is added and normalised again: this is what {asker} takes "
        "to the next layer."
    ),
    "all": (
        "All words ask at once: each row holds the *weights* of one *query*, "
        "and the rows together are the matrix softmax(QKᵀ / √d)."
    ),
}
# Where all rows are shown from the beginning.
SENTENCES_OF_ALL = {
    "words": "Every word asks, and every word can be looked at.",
    "query": "Every word makes a *query*: one row for each who asks.",
    "scores": (
        "Every *query* meets every *key*, one column for each word that is "
        "looked at. A cell holds their score: q·k."
    ),
    "mask": "The hatched cells may not be looked at: they do not count.",
    "open": "The hatched cells may not be looked at: they do not count.",
    "softmax": (
        "Softmax turns each row of scores into *weights*, shares of one whole."
    ),
    "output": (
        "For each row the parts of the *values* add up to an *output*: what "
        "the word has learned."
    ),
}
_ROLES = re.compile(r"\*((query|key|value|weight|output)s?)\*")


class AttentionSteps(CourseWidget):
    """A query meets keys, and values are mixed: one step after the other.

    The reader plays the steps, goes back, chooses who asks, and sees of every
    number how it was made. Short vectors of one head can be changed by hand.

    Parameters
    ----------
    query, key, value
        Shapes `(n_q, d)`, `(n_k, d)` and `(n_k, d_v)`, or each with a first
        axis of up to 8 heads; a single query may be `(d,)`. Arrays of NumPy
        or torch, with n ≤ 16.
    tokens
        A word for each key.
    query_tokens
        A word for each query. Without, the words of the keys ask.
    at
        Where each query stands among the words, if they are the same ones.
    mask, causal
        As `attention` takes them.
    d_k
        What √d takes, where the vectors are projections; else d.
    layer
        What follows in a layer, to show it too: `x` (n_q, m), what the words
        were before, `w_1` (m, f) and `w_2` (f, m) of the feed-forward part
        and, where there are, `b_1`, `b_2` and `w_o` (heads · d_v, m).
    autoplay
        Begin to play once it comes into view, unless the reader wants no
        motion.
    step, asks, head
        Where the reader starts: the step, the number of the query (−1 shows
        all of them) and the head.

    Raises
    ------
    ValueError
        When shapes, names or numbers do not fit.

    Examples
    --------
    >>> steps = AttentionSteps.article()
    >>> steps.weights.round(2).tolist()
    [[0.33, 0.33, 0.33]]
    >>> steps.key = [[1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    >>> steps.weights.round(2).tolist()
    [[0.45, 0.27, 0.27]]
    """

    _tag = "attn-steps"
    _reader: ClassVar[tuple[str, ...]] = (
        "step",
        "asks",
        "head",
        "query",
        "key",
        "value",
    )
    _constants = (
        "MAX_TOKENS",
        "MAX_HEADS",
        "MAX_DRAWN",
        "RANGE",
        "NAMES",
        "SENTENCES",
        "SENTENCES_OF_ALL",
    )

    step = traitlets.Int(0, min=0, max=len(NAMES) - 1).tag(sync=True)
    asks = traitlets.Int(0, min=-1, max=MAX_TOKENS - 1).tag(sync=True)
    head = traitlets.Int(0, min=0, max=MAX_HEADS - 1).tag(sync=True)
    # Short vectors of one head, which a reader may change; else empty.
    query = traitlets.List(traitlets.List(Number())).tag(sync=True)
    key = traitlets.List(traitlets.List(Number())).tag(sync=True)
    value = traitlets.List(traitlets.List(Number())).tag(sync=True)

    def __init__(
        self,
        query: Float[Any, "*heads_and_n_q d"],
        key: Float[Any, "*heads n_k d"],
        value: Float[Any, "*heads n_k d_v"],
        *,
        tokens: Sequence[str],
        query_tokens: Sequence[str] | None = None,
        at: Sequence[int] | None = None,
        mask: Bool[Any, "..."] | None = None,
        causal: bool = False,
        d_k: float | None = None,
        layer: Mapping[str, Any] | None = None,
        autoplay: bool = False,
        title: str = "Attention, step by step",
        note: str = "",
        name: str = "steps",
        **state: Any,
    ) -> None:
        words = [str(token) for token in tokens]
        query, key, value = _vectors(query, key, value, len(words))
        heads, n_q, d = query.shape
        asking, at = _asking(words, query_tokens, at, n_q)
        shape = (heads, n_q, len(words))
        self._vectors = query, key, value
        self._mask = _allowed(mask, causal, shape)
        short = heads == 1 and max(d, value.shape[-1]) <= MAX_DRAWN
        arrays = {"query": query, "key": key, "value": value}
        kept = {n: pack_array(x) for n, x in arrays.items()}
        hand = {n: x[0].tolist() for n, x in arrays.items()} if short else {}
        if short:
            for label, array in arrays.items():
                _check_range(label, array)
        super().__init__(
            name=name,
            source={
                "title": title,
                "note": note,
                "tokens": words,
                "query_tokens": asking,
                "at": at,
                "d_k": d if d_k is None else check_d_k(d_k),
                "mask": None if self._mask is None else pack_array(self._mask),
                "vectors": None if short else kept,
                "autoplay": bool(autoplay),
                "layer": _layer(layer, n_q, heads * value.shape[-1]),
            },
            **hand,
            **state,
        )

    @classmethod
    def article(cls, **options: Any) -> "AttentionSteps":
        """Show the article's example: "it" asks cat, sat and mat, a tie.

        The values are ours: each word hands over a number of its own, so the
        output shows whose share it holds, and a fourth that all have.
        """
        defaults = {
            "tokens": ["cat", "sat", "mat"],
            "query_tokens": ["it"],
            "name": "article",
            "title": "“it” asks cat, sat and mat",
        }
        return cls(
            [1, 0, 1, 0],
            [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]],
            [[3, 0, 0, 1], [0, 3, 0, 1], [0, 0, 3, 1]],
            **{**defaults, **options},
        )

    @classmethod
    def from_recording(cls, head: int = 0, **options: Any) -> "AttentionSteps":
        """Show every word of "The cat sat …" asking, in a head of MiniLM.

        `head` counts the recorded heads from 0. It opens on the word "it".
        """
        record = load_recording("minilm-vectors")
        vectors = (
            unpack_array(record[name])[head]
            for name in ("query", "key", "value")
        )
        layer, number = record["heads"][head]
        defaults = {
            "tokens": record["tokens"],
            "asks": record["tokens"].index("it"),
            "d_k": record["d_k"],
            "name": f"steps-{layer}-{number}",
            "title": f"“{record['text']}”",
            "note": (
                f"all-MiniLM-L6-v2, layer {layer}, head {number}. "
                + describe_recording(record)
            ),
        }
        return cls(*vectors, **{**defaults, **options})

    @property
    def weights(self) -> Float[np.ndarray, "*heads n_q n_k"]:
        """The weights as the browser computes them."""
        return self._attend()[1]

    @property
    def output(self) -> Float[np.ndarray, "*heads n_q d_v"]:
        """Weights times values."""
        return self._attend()[0]

    @property
    def steps(self) -> list[str]:
        """The names of the steps that this figure has, in their order."""
        absent = set()
        if self._mask is None:
            absent |= {"mask"}
        if self.source["layer"] is None:
            absent |= {"add", "norm", "feed", "norm2"}
        if len(self.source["query_tokens"]) == 1:
            absent |= {"all"}
        return [name for name in NAMES if name not in absent]

    def sentences(self, query: int = 0) -> list[str]:
        """Say what happens in each step when one query asks.

        Roles stand between asterisks.
        """
        facts = self._facts(query)
        names = [
            "open" if name == "mask" and not facts["hidden"] else name
            for name in self.steps
        ]
        return [SENTENCES[name].format(**facts) for name in names]

    def table(self) -> str:
        """Give the last step as a drawing, a table, and all in sentences."""
        query = max(self.asks, 0)
        score, weight = self._row(query)
        rows = [
            (
                token,
                [_text(s), "hidden" if h else f"{w:.3f}"],
            )
            for token, s, w, h in zip(
                self.source["tokens"], score, weight, self._hidden(query),
                strict=True,
            )
        ]  # fmt: skip
        said = "".join(
            f"<li>{_coloured(sentence)}</li>"
            for sentence in self.sentences(query)
        )
        head = ["key", "q·k", "weight"]
        return (
            f"<div>{self._drawing(query)}"
            f"{html_table(self.source['title'], head, rows)}"
            f"<ol>{said}</ol></div>"
        )

    def _now(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give the vectors as they are now, each with an axis of heads."""
        if not self.query:
            return self._vectors
        query, key, value = (
            np.array([x]) for x in (self.query, self.key, self.value)
        )
        return query, key, value

    def _attend(self) -> tuple[np.ndarray, np.ndarray]:
        output, weights = attention(
            *self._now(),
            mask=self._mask,
            scale=self.source["d_k"] ** -0.5,
            return_weights=True,
        )
        return (
            (output[0], weights[0]) if len(output) == 1 else (output, weights)
        )

    def _row(self, query: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the scores and weights of one query in the head shown."""
        queries, keys, _ = self._now()
        score = keys[self.head] @ queries[self.head, query]
        weight = self.weights.reshape(-1, *self.weights.shape[-2:])
        return score, weight[self.head, query]

    def _hidden(self, query: int) -> np.ndarray:
        if self._mask is None:
            return np.zeros(len(self.source["tokens"]), bool)
        return ~self._mask[self.head, query]

    def _facts(self, query: int) -> dict[str, str]:
        """Give what the braces of the sentences stand for."""
        tokens, d = self.source["tokens"], self.source["d_k"]
        _, weight = self._row(query)
        hidden = [
            f"“{t}”"
            for t, h in zip(tokens, self._hidden(query), strict=True)
            if h
        ]
        return {
            "asker": f"“{self.source['query_tokens'][query]}”",
            "d": _text(d),
            "root": _text(math.sqrt(d)),
            "hidden": ", ".join(hidden),
            "most": _most(tokens, weight),
        }

    def _drawing(self, query: int) -> str:
        """Draw the weights of one query: arcs from its word, and bars."""
        tokens, at = self.source["tokens"], self.source["at"]
        _, weight = self._row(query)
        width, base = 84, 190
        middle = [width * (i + 0.5) for i in range(len(tokens))]
        asker = self.source["query_tokens"][query]
        home = middle[at[query]] if at else sum(middle) / len(middle)
        parts = []
        for x, token, w, h in zip(
            middle, tokens, weight, self._hidden(query), strict=True
        ):
            bar = 70 * w / max(weight.max(), 1e-9)
            text = "hidden" if h else f"{w:.0%}".replace("%", " %")
            parts.append(
                f'<path d="M{home:g} 38C{home:g} 64 {x:g} 44 {x:g} 74" '
                'fill="none" stroke="var(--attn-weight, #603297)" '
                f'stroke-width="{12 * w:.2f}"/>'
                f'<rect x="{x - 20:g}" y="{base - bar:.1f}" width="40" '
                f'height="{bar:.1f}" fill="var(--attn-weight, #603297)"/>'
                + _label(x, 92, token)
                + _label(x, base + 16, text)
            )
        return (
            f'<svg viewBox="0 0 {width * len(tokens)} 212" role="img" '
            f'aria-label="{html.escape(self.sentences(query)[-1])}" '
            f'width="{width * len(tokens)}">'
            + "".join(parts)
            + _label(home, 32, f"{asker} asks")
            + "</svg>"
        ).replace("*", "")

    @traitlets.validate("query", "key", "value")
    def _check_vectors(self, proposal: Any) -> Any:
        name, new = proposal["trait"].name, proposal["value"]
        if new == [] == getattr(self, name):
            return new
        old = np.shape(getattr(self, name))
        if old == (0,):  # the first time, from __init__
            return new
        array = as_numbers(name, new, old)
        _check_range(name, array)
        return array.tolist()

    @traitlets.validate("step", "asks", "head")
    def _check_place(self, proposal: Any) -> int:
        name, new = proposal["trait"].name, proposal["value"]
        source = proposal["owner"].source
        if not source:
            return new
        many = {
            "step": len(self.steps),
            "asks": len(source["query_tokens"]),
            "head": len(self._vectors[0]),
        }[name]
        if new >= many:
            raise ValueError(f"expected {name} below {many}, got {new}")
        return new


def _vectors(query: Any, key: Any, value: Any, n_k: int) -> tuple[Any, ...]:
    """Check shapes; give each as (heads, n, d)."""
    if not 1 <= n_k <= MAX_TOKENS:
        raise ValueError(f"expected 1 to {MAX_TOKENS} tokens, got {n_k}")
    query = as_numbers("query", query, least_ndim=1, finite=True)
    query = query[None] if query.ndim == 1 else query
    if query.ndim not in (2, 3):
        raise ValueError(
            "expected query of shape (d,), (n_q, d) or (heads, n_q, d), got "
            f"{query.shape}"
        )
    *heads, n_q, d = query.shape
    key = as_numbers("key", key, (*heads, n_k, d), finite=True)
    value = as_numbers("value", value, (*heads, n_k, None), finite=True)
    if not 1 <= n_q <= MAX_TOKENS:
        raise ValueError(f"expected 1 to {MAX_TOKENS} queries, got {n_q}")
    if heads and not 1 <= heads[0] <= MAX_HEADS:
        raise ValueError(f"expected 1 to {MAX_HEADS} heads, got {heads[0]}")
    if d == 0 or value.shape[-1] == 0:
        raise ValueError("expected at least one number a vector, got none")
    return tuple(x if heads else x[None] for x in (query, key, value))


def _asking(
    words: list[str],
    query_tokens: Sequence[str] | None,
    at: Sequence[int] | None,
    n_q: int,
) -> tuple[list[str], list[int] | None]:
    """Say which words ask, and where they stand among the others."""
    if query_tokens is None and at is None:
        at = range(len(words))
    if at is not None:
        at = [int(i) for i in at]
        if len(at) != n_q or not all(0 <= i < len(words) for i in at):
            raise ValueError(
                f"expected at with {n_q} positions below {len(words)}, one "
                f"for each query, got {at}; where other words ask, pass "
                "query_tokens=..."
            )
    if query_tokens is None:
        return [words[i] for i in at or ()], at
    if len(query_tokens) != n_q:
        raise ValueError(
            f"expected {n_q} query_tokens, got {len(query_tokens)}"
        )
    return [str(token) for token in query_tokens], at


def _allowed(
    mask: Any, causal: bool, shape: tuple[int, int, int]
) -> np.ndarray | None:
    """Give who may look at whom, (heads, n_q, n_k); None: all at all."""
    allowed = None if mask is None else as_mask("mask", mask, shape)
    if causal:
        below = np.broadcast_to(causal_mask(shape[1], shape[2]), shape)
        allowed = below if allowed is None else allowed & below
    return allowed


def _layer(
    layer: Mapping[str, Any] | None, n_q: int, wide: int
) -> dict[str, Any] | None:
    """Check what a layer consists of, and pack it."""
    if layer is None:
        return None
    known = {"x", "w_o", "w_1", "b_1", "w_2", "b_2"}
    if not {"x", "w_1", "w_2"} <= set(layer) <= known:
        raise ValueError(
            "expected layer with x, w_1 and w_2, and perhaps b_1, b_2 and "
            f"w_o, got {', '.join(map(str, layer))}"
        )
    x = as_numbers("x", layer["x"], (n_q, None), finite=True)
    m = x.shape[1]
    w_1 = as_numbers("w_1", layer["w_1"], (m, None), finite=True)
    f = w_1.shape[1]
    shapes = {"w_o": (wide, m), "b_1": (f,), "w_2": (f, m), "b_2": (m,)}
    if "w_o" not in layer and wide != m:
        raise ValueError(
            f"expected layer with w_o of shape ({wide}, {m}), got none"
        )
    parts = {"x": x, "w_1": w_1}
    for name, shape in shapes.items():
        if name in layer:
            parts[name] = as_numbers(name, layer[name], shape, finite=True)
    return {name: pack_array(part) for name, part in parts.items()}


def _check_range(name: str, array: np.ndarray) -> None:
    if not (np.abs(array) <= RANGE).all():
        raise ValueError(f"expected {name} within ±{RANGE:g}, got {array}")


def _most(tokens: Sequence[str], weight: np.ndarray) -> str:
    """Say who gets most."""
    top = weight.max()
    if top == 0:
        return "here nobody gets anything"
    best = [t for t, w in zip(tokens, weight, strict=True) if w > top - 5e-4]
    percent = f"{100 * top:.0f} %"
    if len(best) == 1:
        return f"“{best[0]}” gets most, {percent}"
    return f"{len(best)} words get the same, {percent} each"


def _text(x: float) -> str:
    """Write a number with at most two decimals.

    >>> _text(-0.5), _text(2.0), _text(-0.001)
    ('−0.5', '2', '0')
    """
    rounded = round(float(x), 2) + 0.0
    return f"{rounded:.2f}".rstrip("0").rstrip(".").replace("-", "−")


def _coloured(sentence: str) -> str:
    return _ROLES.sub(
        r'<span class="attn-\2">\1</span>', html.escape(sentence)
    )


def _label(x: float, y: float, text: str) -> str:
    short = text if len(text) <= 10 else f"{text[:9]}…"
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-size="14" '
        f'fill="currentColor">{html.escape(short)}</text>'
    )
