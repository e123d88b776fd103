"""`QKVPlayground`: move a query, keys and values; watch the weights."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from jaxtyping import Float

from attn_course.arrays import as_numbers
from attn_course.data import load_recording, unpack_array
from attn_course.functional import attention_weights
from attn_course.html import html_table
from attn_course.widgets.base import (
    CourseWidget,
    Number,
    check_d_k,
    describe_recording,
)

__all__ = ["QKVPlayground", "plane_of_keys", "plane_of_values"]

MAX_KEYS, MAX_D, RANGE = 6, 8, 100.0
# The words of a recorded sentence that are shown.
SHOWN = ["cat", "sat", "mat", "it"]


class QKVPlayground(CourseWidget):
    """One query, a few keys and values, to move by hand.

    In two dimensions the reader drags arrows; with up to eight the reader
    edits numbers. `QKVPlayground.from_recording` shows vectors of a real
    model in a plane in which their scores stay exact.

    Parameters
    ----------
    query, key, value
        Shapes `(d,)`, `(n, d)` and `(n, d_v)`, with n ≤ 6 and d, d_v ≤ 8;
        numbers from −100 to 100.
    tokens
        A name for each key.
    query_token
        A name for the query.
    d_k
        What √d takes, where the vectors are projections; else d.

    Raises
    ------
    ValueError
        When shapes, names or numbers do not fit.

    Examples
    --------
    >>> play = QKVPlayground([1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]],
    ...                      [[1.0, 0.0], [0.0, 1.0]], tokens=["cat", "mat"])
    >>> play.weights.round(2).tolist()
    [0.67, 0.33]
    """

    _tag = "attn-qkv"
    _reader: ClassVar[tuple[str, ...]] = (
        "query",
        "key",
        "value",
        "scaled",
        "temperature",
    )
    _constants = ("MAX_KEYS", "MAX_D", "RANGE")

    query = traitlets.List(Number()).tag(sync=True)
    key = traitlets.List(traitlets.List(Number())).tag(sync=True)
    value = traitlets.List(traitlets.List(Number())).tag(sync=True)
    scaled = traitlets.Bool(True).tag(sync=True)
    temperature = Number(1.0, min=0.1, max=10.0).tag(sync=True)

    def __init__(
        self,
        query: Float[Any, " d"],
        key: Float[Any, "n d"],
        value: Float[Any, "n d_v"],
        *,
        tokens: Sequence[str],
        query_token: str = "it",
        d_k: int | None = None,
        title: str = "One query asks",
        note: str = "",
        name: str = "playground",
        **state: Any,
    ) -> None:
        query = _check("query", query, (None,))
        n, d = len(tokens), query.shape[0]
        if not 1 <= n <= MAX_KEYS:
            raise ValueError(f"expected 1 to {MAX_KEYS} tokens, got {n}")
        key = _check("key", key, (n, d))
        value = _check("value", value, (n, None))
        super().__init__(
            name=name,
            source={
                "title": title,
                "note": note,
                "query_token": query_token,
                "tokens": [str(token) for token in tokens],
                "d_k": d if d_k is None else check_d_k(d_k),
            },
            query=query.tolist(),
            key=key.tolist(),
            value=value.tolist(),
            **state,
        )

    @classmethod
    def from_recording(cls, head: int = 0, **options: Any) -> "QKVPlayground":
        """Show "it" asking cat, sat, mat and itself in a head of MiniLM.

        `head` counts the recorded heads from 0.
        """
        record = load_recording("minilm-vectors")
        words = [record["tokens"].index(word) for word in SHOWN]
        query, key, value = (
            unpack_array(record[name])[head][words]
            for name in ("query", "key", "value")
        )  # (4, d) each
        asked, offered = plane_of_keys(query[SHOWN.index("it")], key)
        layer, number = record["heads"][head]
        defaults = {
            "tokens": SHOWN,
            "query_token": "it",
            "d_k": record["d_k"],
            "name": f"vectors-{layer}-{number}",
            "title": f"all-MiniLM-L6-v2, layer {layer}, head {number}",
            "note": (
                "Axis 1 lies along the query, so every score is exact; axis 2 "
                "is the direction in which the keys differ most besides. "
                + describe_recording(record)
            ),
        }
        return cls(
            asked, offered, plane_of_values(value), **{**defaults, **options}
        )

    @property
    def weights(self) -> np.ndarray:
        """The weights as the browser computes them, `(n,)`."""
        scale = self.source["d_k"] ** -0.5 if self.scaled else 1.0
        query = np.array([self.query])
        key = np.array(self.key)
        return attention_weights(query, key, scale=scale / self.temperature)[0]

    @property
    def output(self) -> np.ndarray:
        """Weights times values, `(d_v,)`."""
        return self.weights @ np.array(self.value)

    def table(self) -> str:
        """Give scores and weights as an HTML table."""
        scores = np.array(self.key) @ np.array(self.query)
        rows = [
            (token, [f"{score:.2f}", f"{weight:.3f}"])
            for token, score, weight in zip(
                self.source["tokens"], scores, self.weights, strict=True
            )
        ]
        return html_table(self.source["title"], ["key", "q·k", "weight"], rows)

    @traitlets.validate("query", "key", "value")
    def _check_vectors(self, proposal: Any) -> Any:
        name, new = proposal["trait"].name, proposal["value"]
        old = np.shape(getattr(self, name))
        shape = old if np.size(getattr(self, name)) else (None,) * np.ndim(new)
        return _check(name, new, shape).tolist()


def plane_of_keys(
    query: Float[Any, " d"], key: Float[Any, "n d"]
) -> tuple[np.ndarray, np.ndarray]:
    """Lay a query and its keys into a plane that keeps every score.

    Axis 1 lies along the query: its product with a key's first coordinate
    is exactly q·k. Axis 2 is the first principal direction of what is left
    of the keys. Returns shapes `(2,)` and `(n, 2)`.
    """
    query = as_numbers("query", query, (None,))
    key = as_numbers("key", key, (None, None))
    length = np.linalg.norm(query)
    along = query / length  # (d,)
    first = key @ along  # (n,)
    rest = key - np.outer(first, along)  # (n, d)
    axis = np.linalg.svd(rest, full_matrices=False)[2][0]  # (d,)
    return np.array([length, 0.0]), np.stack([first, rest @ axis], axis=1)


def plane_of_values(value: Float[Any, "n d_v"]) -> Float[Any, "n 2"]:
    """Project values on their two main directions.

    A mixture of values is projected on the mixture of their projections.
    """
    value = as_numbers("value", value, (None, None))
    axes = np.linalg.svd(value, full_matrices=False)[2][:2]  # (2, d_v)
    return value @ axes.T  # (n, 2)


def _check(name: str, array: Any, shape: tuple[int | None, ...]) -> np.ndarray:
    array = as_numbers(name, array, shape)
    if not 1 <= array.shape[-1] <= MAX_D:
        raise ValueError(
            f"expected {name} with 1 to {MAX_D} numbers a vector, "
            f"got {array.shape[-1]}"
        )
    if not (np.abs(array) <= RANGE).all():
        raise ValueError(f"expected {name} within ±{RANGE:g}, got {array}")
    return array
