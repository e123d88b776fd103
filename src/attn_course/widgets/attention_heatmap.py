"""`AttentionHeatmap`: any attention map, read with a cross-hair."""

import numbers
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from jaxtyping import Bool, Float

from attn_course import masks
from attn_course.arrays import (
    as_array,
    as_mask,
    as_numbers,
    fit_shape,
)
from attn_course.data import load_recording, pack_array, unpack_array
from attn_course.functional import masked_softmax
from attn_course.html import html_table
from attn_course.widgets.base import (
    CourseWidget,
    Number,
    check_d_k,
    describe_recording,
)

__all__ = ["AttentionHeatmap"]

MAX_TOKENS = 2048
MAX_LOCKED = 4
# A row that is this far from a sum of 1 is not merely rounded.
MAX_OFF = 1e-3
# A fallback table with more cells lists the strongest keys instead.
MAX_TABLE_CELLS = 1024


class AttentionHeatmap(CourseWidget):
    """A heatmap of attention: query rows, key columns.

    Give it one of three kinds of data. `n_q` and `n_k` are the numbers of
    query and key tokens; `...` are the lengths of `axes`.

    Parameters
    ----------
    tokens
        One text for each query, and for each key unless `key_tokens` is
        given.
    scores
        Dot products q·k before any scaling, `(..., n_q, n_k)`. With `d_k`
        the reader can divide them by √d_k or not.
    query, key
        `(..., n_q, d_k)` and `(..., n_k, d_k)`: the browser multiplies.
    weights
        Attention weights `(..., n_q, n_k)`. The temperature then acts on
        their logarithms, and the widget says so. With `normalise=False`
        they are shown just as given, whatever their rows sum to, and the
        temperature does nothing; a mask then hides without making up for
        it. Zeros above the diagonal of every map, and others below, are
        taken for a causal mask: masked is not zero.
    value
        `(..., n_k, d_v)`: the cross-hair also shows the output.
    mask
        `(n_q, n_k)`, True = may look, or of a shape that broadcasts to it,
        as `attention` takes masks.
    axes
        Names and sizes (or labels) of the leading axes, for the pickers:
        `{"layer": 6, "head": 12}` counts both from 1.
    words, key_words
        For each token the number of its word, None for special tokens:
        lets the reader join word pieces.
    special, key_special
        Positions of special tokens such as [CLS], which can be hidden.
    step
        Round the data to multiples of this before it travels (half the
        size); say so in `note`.
    **state
        Where to start: `selection={"layer": "6"}`, `temperature`,
        `scaled`, `causal`, `threshold`, `hide_special`, `merge_words`,
        `normalise`, `cell=[row, column]`, `locked=[row, …]`.

    Raises
    ------
    ValueError
        When shapes, tokens or numbers do not fit; the message says what
        was expected and what came.

    Examples
    --------
    >>> widget = AttentionHeatmap(["it"], key_tokens=["cat", "mat"],
    ...                           scores=[[1.0, 1.0]])
    >>> widget.weights.tolist()
    [[0.5, 0.5]]

    A row that does not sum to 1, as printed and as a softmax gives it:

    >>> printed = AttentionHeatmap(["it"], key_tokens=["cat", "mat"],
    ...                            weights=[[1.0, 0.25]], normalise=False)
    >>> printed.weights.tolist()
    [[1.0, 0.25]]
    >>> printed.normalise = True
    >>> printed.weights.round(6).tolist()
    [[0.8, 0.2]]
    """

    _tag = "attn-heatmap"
    _reader: ClassVar[tuple[str, ...]] = (
        "selection",
        "temperature",
        "scaled",
        "causal",
        "threshold",
        "hide_special",
        "merge_words",
        "normalise",
        "cell",
        "locked",
    )
    _constants = ("MAX_TOKENS", "MAX_OFF", "MAX_TABLE_CELLS")

    selection = traitlets.Dict().tag(sync=True)
    temperature = Number(1.0, min=0.1, max=10.0).tag(sync=True)
    scaled = traitlets.Bool(True).tag(sync=True)
    causal = traitlets.Bool(False).tag(sync=True)
    threshold = Number(0.0, min=0.0, max=1.0).tag(sync=True)
    hide_special = traitlets.Bool(False).tag(sync=True)
    merge_words = traitlets.Bool(False).tag(sync=True)
    normalise = traitlets.Bool(True).tag(sync=True)
    cell = traitlets.List(traitlets.Int()).tag(sync=True)
    locked = traitlets.List(traitlets.Int(), maxlen=MAX_LOCKED).tag(sync=True)

    def __init__(
        self,
        tokens: Sequence[str],
        *,
        key_tokens: Sequence[str] | None = None,
        scores: Float[Any, "... n_q n_k"] | None = None,
        d_k: int | None = None,
        query: Float[Any, "... n_q d_k"] | None = None,
        key: Float[Any, "... n_k d_k"] | None = None,
        weights: Float[Any, "... n_q n_k"] | None = None,
        value: Float[Any, "... n_k d_v"] | None = None,
        mask: Bool[Any, "n_q n_k"] | None = None,
        axes: Mapping[str, int | Sequence[str]] | None = None,
        words: Sequence[int | None] | None = None,
        key_words: Sequence[int | None] | None = None,
        special: Sequence[int] = (),
        key_special: Sequence[int] | None = None,
        title: str = "Attention weights",
        note: str = "",
        step: float | None = None,
        name: str = "heatmap",
        controls: Sequence[str] | None = None,
        **state: Any,
    ) -> None:
        own_keys = key_tokens is None
        query_tokens = _check_tokens(tokens, "tokens")
        key_tokens = _check_tokens(
            query_tokens if own_keys else key_tokens, "key_tokens"
        )
        n_q, n_k = len(query_tokens), len(key_tokens)
        labels = _axis_labels(axes or {})
        lead = tuple(len(texts) for texts in labels.values())
        _check_kind(scores=scores, query=query, key=key, weights=weights)
        arrays: dict[str, Any] = {
            "scores": _pack(scores, (*lead, n_q, n_k), "scores", step),
            "query": _pack(query, (*lead, n_q, None), "query", step),
            "key": _pack(key, (*lead, n_k, None), "key", step),
            "weights": _pack(weights, (*lead, n_q, n_k), "weights", step),
            "value": _pack(value, (*lead, n_k, None), "value", None),
            "mask": _pack_mask(mask, lead, (n_q, n_k)),
        }
        if query is not None:
            d_k = _common_d_k(arrays["query"], arrays["key"])
        if weights is not None:
            given = unpack_array(arrays["weights"])
            if given.min() < 0:
                raise ValueError(f"expected weights ≥ 0, got {given.min():g}")
            if mask is None and own_keys and _looks_causal(given):
                arrays["mask"] = pack_array(masks.causal(n_q), step=1.0)
        query_words, key_words_ = words, words if own_keys else key_words
        special_, key_special_ = special, special if own_keys else key_special
        source = {
            **arrays,
            "axes": [{"name": k, "labels": v} for k, v in labels.items()],
            "d_k": check_d_k(d_k),
            "query_tokens": query_tokens,
            "key_tokens": key_tokens,
            "query_words": _check_words(query_words, n_q, "words"),
            "key_words": _check_words(key_words_, n_k, "key_words"),
            "query_special": _check_positions(special_, n_q, "special"),
            "key_special": _check_positions(
                key_special_ or (), n_k, "key_special"
            ),
            "title": title,
            "note": note,
        }
        state.setdefault("scaled", d_k is not None)
        unknown = set(state) - set(self._reader)
        if unknown:
            raise ValueError(
                f"expected state among {list(self._reader)}, "
                f"got {sorted(unknown)}"
            )
        start = {axis: texts[0] for axis, texts in labels.items()}
        chosen = {
            axis: str(label)
            for axis, label in state.pop("selection", {}).items()
        }
        super().__init__(
            name=name,
            source=source,
            controls=None if controls is None else list(controls),
            selection={**start, **chosen},
            **state,
        )

    @classmethod
    def from_recording(
        cls, recording: str, **options: Any
    ) -> "AttentionHeatmap":
        """Show what a real model computed, every head pickable.

        `options` are those of the class; `recording` is one of
        `attn_course.data.recordings()` that holds scores or weights.
        """
        record = load_recording(recording)
        kind = "scores" if "scores" in record else "weights"
        packed = record[kind]
        n = len(record["tokens"])
        model = record["source"]["model"].rpartition("/")[2]
        defaults = {
            kind: unpack_array(packed),
            "step": packed["step"],
            "d_k": record.get("d_k"),
            "mask": masks.causal(n) if record.get("causal") else None,
            "axes": {"layer": record["layers"], "head": record["heads"]},
            "words": record["words"],
            "special": record["special"],
            "name": recording,
            "note": describe_recording(record),
            "title": f"{model} reads “{record['text']}”",
        }
        return cls(record["tokens"], **{**defaults, **options})

    @property
    def weights(self) -> np.ndarray:
        """The weights as the reader's settings make them, `(n_q, n_k)`.

        The twin of what the browser computes, token by token: hiding,
        joining and the threshold change the picture, not these numbers.
        """
        allowed = self._allowed()
        if not self.normalise:
            return np.where(allowed, self._chosen("weights"), 0.0)
        scores = self._scores()
        allowed &= np.isfinite(scores)
        scores = np.where(allowed, scores, 0.0)
        return masked_softmax(scores * self._factor(), allowed)

    @property
    def output(self) -> np.ndarray | None:
        """Weights times values, `(n_q, d_v)`; None without values."""
        if self.source["value"] is None:
            return None
        return self.weights @ self._chosen("value")

    def table(self) -> str:
        """Give the current weights as an HTML table."""
        weights, allowed = self.weights, self._allowed()
        keys = self.source["key_tokens"]
        queries = self.source["query_tokens"]
        if weights.size <= MAX_TABLE_CELLS:
            caption = "Attention weights: query rows, key columns."
            head = ["query", *keys, "row sum"]
            cells = [
                [*map(_cell_text, row, seen), self._sum_text(row)]
                for row, seen in zip(weights, allowed, strict=True)
            ]
        else:
            caption = "Attention weights: the 3 keys most looked at."
            head = ["query", "key 1", "key 2", "key 3"]
            cells = [
                _most_looked_at(row, seen, keys)
                for row, seen in zip(weights, allowed, strict=True)
            ]
        title = f"{self.source['title']}. {caption}"
        return html_table(title, head, list(zip(queries, cells, strict=True)))

    def _allowed(self) -> Bool[np.ndarray, "n_q n_k"]:
        """Say which keys each query may look at, as the reader set it."""
        n_q = len(self.source["query_tokens"])
        n_k = len(self.source["key_tokens"])
        allowed = np.ones((n_q, n_k), dtype=bool)
        if self.source["mask"]:
            allowed &= unpack_array(self.source["mask"]).astype(bool)
        if self.causal:
            allowed &= masks.causal(n_q, n_k)
        return allowed

    def _sum_text(self, row: np.ndarray) -> str:
        odd = not self.normalise and abs(row.sum() - 1.0) > MAX_OFF
        return f"{row.sum():.3f}{' (not 1)' if odd else ''}"

    def _chosen(self, name: str) -> np.ndarray:
        """Pick the array of the chosen map."""
        index = tuple(
            axis["labels"].index(self.selection[axis["name"]])
            for axis in self.source["axes"]
        )
        return unpack_array(self.source[name])[index]

    def _scores(self) -> np.ndarray:
        """Give what the softmax starts from, before √d and temperature."""
        if self.source["scores"]:
            return self._chosen("scores")
        if self.source["query"]:
            return self._chosen("query") @ self._chosen("key").T
        with np.errstate(divide="ignore"):
            return np.log(self._chosen("weights"))

    def _factor(self) -> float:
        d_k = self.source["d_k"]
        scale = d_k**-0.5 if self.scaled and d_k else 1.0
        return scale / self.temperature

    @traitlets.validate("selection")
    def _check_selection(self, proposal: Any) -> dict[str, str]:
        axes = {a["name"]: a["labels"] for a in self.source.get("axes", [])}
        chosen = {k: str(v) for k, v in proposal["value"].items()}
        for name, label in chosen.items():
            if name not in axes:
                raise ValueError(
                    f"expected an axis among {list(axes)}, got {name!r}"
                )
            if label not in axes[name]:
                raise ValueError(
                    f"expected {name} among {axes[name]}, got {label!r}"
                )
        # Naming one axis keeps the others where they are.
        return {**self.selection, **chosen}

    @traitlets.validate("normalise")
    def _check_normalise(self, proposal: Any) -> bool:
        if not proposal["value"] and not self.source.get("weights"):
            raise ValueError(
                "expected weights=... with normalise=False, got scores"
            )
        return proposal["value"]

    @traitlets.validate("cell")
    def _check_cell(self, proposal: Any) -> list[int]:
        cell = proposal["value"]
        shape = [
            len(self.source.get("query_tokens", ())),
            len(self.source.get("key_tokens", ())),
        ]
        inside = all(0 <= i < n for i, n in zip(cell, shape, strict=False))
        if len(cell) not in (0, 2) or not inside:
            raise ValueError(
                f"expected cell=[row, column] within {shape}, got {cell}"
            )
        return cell

    @traitlets.validate("locked")
    def _check_locked(self, proposal: Any) -> list[int]:
        rows = proposal["value"]
        n_q = len(self.source.get("query_tokens", ()))
        if len(set(rows)) < len(rows) or not all(0 <= i < n_q for i in rows):
            raise ValueError(
                f"expected different rows from 0 to {n_q - 1}, got {rows}"
            )
        return rows


def _check_tokens(tokens: Sequence[str], name: str) -> list[str]:
    if isinstance(tokens, str):
        raise ValueError(f"expected {name} as a list of texts, got one text")
    tokens = [str(token) for token in tokens]
    if not 1 <= len(tokens) <= MAX_TOKENS:
        raise ValueError(
            f"expected 1 to {MAX_TOKENS} {name}, got {len(tokens)}"
        )
    return tokens


def _axis_labels(
    axes: Mapping[str, Any],
) -> dict[str, list[str]]:
    """Turn a size into labels counted from 1, as papers count heads."""
    for name, size in axes.items():
        if isinstance(size, numbers.Integral) and int(size) > MAX_TOKENS:
            raise ValueError(
                f"expected at most {MAX_TOKENS} {name} in axes, got {size}"
            )
    labels = {
        name: [str(i + 1) for i in range(size)]
        if isinstance(size, numbers.Integral)
        else [str(label) for label in size]
        for name, size in axes.items()
    }
    for name, texts in labels.items():
        if not texts:
            raise ValueError(f"expected at least one {name} in axes, got none")
    return labels


def _check_kind(**given: Any) -> None:
    kinds = {
        "scores": given["scores"] is not None,
        "query with key": given["query"] is not None
        and given["key"] is not None,
        "weights": given["weights"] is not None,
    }
    half = (given["query"] is None) != (given["key"] is None)
    if sum(kinds.values()) != 1 or half:
        names = [name for name, array in given.items() if array is not None]
        raise ValueError(
            f"expected one of {', '.join(kinds)}, got {names or 'none'}"
        )


def _pack(
    array: Any,
    shape: tuple[int | None, ...],
    name: str,
    step: float | None,
) -> dict[str, Any] | None:
    """Check an array's shape and pack it; None stays None."""
    if array is None:
        return None
    array = as_numbers(name, array, finite=True)
    # Of a batch of one, as transformers gives it: before the heads, which
    # stand before the last two axes.
    batch = max(len(shape) - 3, 0)
    if array.ndim == len(shape) + 1 and array.shape[batch] == 1:
        array = array.squeeze(batch)
    fit_shape(name, array, shape)
    return pack_array(array, step=step)


def _looks_causal(weights: Float[np.ndarray, "... n n"]) -> bool:
    """Tell whether queries look at earlier keys, and never at later ones."""
    later = np.triu(weights, 1).any()
    return not later and bool(np.tril(weights, -1).any())


def _pack_mask(
    mask: Any, lead: tuple[int, ...], shape: tuple[int, int]
) -> dict[str, Any] | None:
    """Check one mask for all maps as `attention` does, and pack it."""
    if mask is None:
        return None
    mask = as_array("mask", mask)
    if mask.ndim <= 2:
        return pack_array(as_mask("mask", mask, shape), step=1.0)
    each = as_mask("mask", mask, (*lead, *shape)).reshape(-1, *shape)
    if not (each == each[:1]).all():
        raise ValueError(
            f"expected one mask of shape {shape} for all maps, got different "
            f"ones in shape {mask.shape}"
        )
    return pack_array(each[0], step=1.0)


def _weight_text(weight: float) -> str:
    """Write three decimals, but two digits where those would hide it."""
    if weight == 0 or weight >= 0.01:
        return f"{weight:.3f}"
    digits, exponent = f"{weight:.1e}".split("e")
    places = 1 - int(exponent)
    # As JavaScript's toPrecision writes it: the browser's table is a twin.
    return f"{weight:.{places}f}" if places <= 7 else f"{digits}e{1 - places}"


def _cell_text(weight: float, allowed: bool) -> str:
    return _weight_text(weight) if allowed else "masked"


def _most_looked_at(
    row: np.ndarray, allowed: np.ndarray, keys: Sequence[str]
) -> list[str]:
    """Name the three strongest keys among those that may be looked at."""
    order = np.argsort(np.where(allowed, -row, np.inf), kind="stable")
    found = [j for j in order[:3] if allowed[j]]
    texts = [f"{keys[j]} {_cell_text(float(row[j]), True)}" for j in found]
    return texts + ["–"] * (3 - len(texts))


def _common_d_k(query: Any, key: Any) -> int:
    d_q, d_k = query["shape"][-1], key["shape"][-1]
    if d_q != d_k:
        raise ValueError(f"expected key with d_k={d_q}, got {d_k}")
    return d_k


def _check_words(
    words: Sequence[int | None] | None, n: int, name: str
) -> list[int | None] | None:
    if words is not None and len(words) != n:
        raise ValueError(
            f"expected {name} for each of {n} tokens, got {len(words)}"
        )
    if words is None:
        return None
    for word in words:
        if word is not None:
            masks.check_integer(name, word)
    return [None if word is None else int(word) for word in words]


def _check_positions(rows: Sequence[int], n: int, name: str) -> list[int]:
    for i in rows:
        masks.check_integer(name, i)
    rows = [int(i) for i in rows]
    if not all(0 <= i < n for i in rows):
        raise ValueError(
            f"expected {name} positions from 0 to {n - 1}, got {rows}"
        )
    return rows
