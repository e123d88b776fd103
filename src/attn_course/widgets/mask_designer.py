"""`MaskDesigner`: paint masks over tokens and layers, see what leaks."""

import numbers
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from jaxtyping import Bool

from attn_course import masks as rules
from attn_course.arrays import as_mask
from attn_course.html import html_table
from attn_course.widgets.base import CourseWidget

__all__ = ["MaskDesigner"]

MAX_TOKENS = 64
MAX_LAYERS = 4
# With more tokens a painted mask would not fit into a link.
MAX_PAINTED = 32
BYTES = {"float16": 2, "bfloat16": 2, "float32": 4}

NUMBERS = (
    "padded",
    "window",
    "dilation",
    "block",
    "n_global",
    "n_random",
    "seed",
)
PRESETS = {
    "full": lambda w, n: np.ones((n, n), dtype=bool),
    "causal": lambda w, n: rules.causal(n),
    "padding": lambda w, n: _padding(w, n),
    "causal and padding": lambda w, n: rules.causal(n) & _padding(w, n),
    "sliding window": lambda w, n: _window(w, n),
    "dilated window": lambda w, n: rules.dilated(
        n, reach=w.window, step=w.dilation
    ),
    "blocks": lambda w, n: rules.block(n, w.block),
    "global tokens": lambda w, n: rules.global_tokens(n, range(w.n_global)),
    "window and global tokens": lambda w, n: (
        _window(w, n) | rules.global_tokens(n, range(w.n_global))
    ),
    "BigBird-like": lambda w, n: rules.big_bird(
        n,
        window=w.window,
        n_global=w.n_global,
        n_random=w.n_random,
        seed=w.seed,
    ),
}


class MaskDesigner(CourseWidget):
    """Masks that a reader paints, a layer at a time, and what they let by.

    On the left the mask of one layer; on the right who can have heard of
    whom after so many layers, each cell with the layer in which it first
    happened. A token that hears of a later one is marked.

    Parameters
    ----------
    tokens
        One text for each token, or how many there are (at most 64; up to
        32 can be painted).
    layers
        How many, 1 to 4.
    presets
        Those that the reader may choose, among `MaskDesigner.PRESETS`;
        None offers all.
    preset
        Where each layer starts: one name, or one for each layer.
    mask
        `(n, n)` or `(layers, n, n)`, True = may look, or what broadcasts to
        them, as `attention` takes masks: those to start with, in place of a
        preset's.
    dtype
        For the memory of the scores: float16, bfloat16 or float32.
    **state
        Where to start: `same` (layer 1's mask in every layer), `causal`
        (hide later keys as well), `layer`, `padded` (tokens at the end),
        `window` (neighbours on each side), `dilation`, `block` (size),
        `n_global` (first tokens), `n_random` (keys a query), `seed`,
        `mark_future`, `zoom`, `cell=[query, key]`.

    Raises
    ------
    ValueError
        When tokens, layers, presets, masks or state do not fit.

    Examples
    --------
    A causal mask in which the first token looks one step ahead:

    >>> from attn_course import masks
    >>> mask = masks.causal(3)
    >>> mask[0, 1] = True
    >>> designer = MaskDesigner(["the", "cat", "sat"], mask=mask)
    >>> designer.leaks
    [(0, 1)]
    >>> designer.as_mask().astype(int)
    array([[1, 1, 0],
           [1, 1, 0],
           [1, 1, 1]])
    """

    PRESETS: ClassVar[tuple[str, ...]] = tuple(PRESETS)

    _tag = "attn-mask"
    _reader: ClassVar[tuple[str, ...]] = (
        "preset",
        "painted",
        "same",
        "causal",
        "layer",
        *NUMBERS,
        "mark_future",
        "zoom",
        "cell",
    )
    _constants = ("MAX_TOKENS", "MAX_PAINTED", "BYTES", "LETTERS")

    # Layers are counted from 1, as texts: the names in a link.
    preset = traitlets.Dict().tag(sync=True)
    painted = traitlets.Dict().tag(sync=True)
    same = traitlets.Bool(True).tag(sync=True)
    causal = traitlets.Bool(False).tag(sync=True)
    layer = traitlets.Int(1, min=1, max=MAX_LAYERS).tag(sync=True)
    padded = traitlets.Int(2, min=0).tag(sync=True)
    window = traitlets.Int(1, min=0).tag(sync=True)
    dilation = traitlets.Int(2, min=1).tag(sync=True)
    block = traitlets.Int(4, min=1).tag(sync=True)
    n_global = traitlets.Int(1, min=0).tag(sync=True)
    n_random = traitlets.Int(1, min=0).tag(sync=True)
    seed = traitlets.Int(0, min=0, max=9).tag(sync=True)
    mark_future = traitlets.Bool(True).tag(sync=True)
    zoom = traitlets.Bool(False).tag(sync=True)
    cell = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(
        self,
        tokens: Sequence[str] | int,
        *,
        layers: int = 2,
        presets: Sequence[str] | None = None,
        preset: str | Sequence[str] | None = None,
        mask: Bool[Any, "*layers n n"] | None = None,
        dtype: str = "float32",
        title: str = "Who may look at whom",
        note: str = "",
        name: str = "mask",
        controls: Sequence[str] | None = None,
        **state: Any,
    ) -> None:
        tokens = _check_tokens(tokens)
        n = len(tokens)
        rules.check_count("layers", layers, least=1)
        if layers > MAX_LAYERS:
            raise ValueError(
                f"expected 1 to {MAX_LAYERS} layers, got {layers}"
            )
        offered = list(PRESETS if presets is None else presets)
        _check_names("presets", offered, PRESETS)
        if dtype not in BYTES:
            raise ValueError(
                f"expected dtype among {list(BYTES)}, got {dtype!r}"
            )
        unknown = set(state) - set(self._reader)
        if unknown:
            raise ValueError(
                f"expected state among {list(self._reader)}, "
                f"got {sorted(unknown)}"
            )
        names = [str(i + 1) for i in range(layers)]
        chosen = _each(preset or offered[0], layers, "preset")
        # Short sentences have fewer neighbours than the numbers start with.
        start = {
            number: min(getattr(type(self), number).default_value, n)
            for number in NUMBERS
        }
        start["painted"] = dict.fromkeys(names, "")
        start["same"] = len(set(chosen)) == 1
        super().__init__(
            name=name,
            source={
                "tokens": tokens,
                "layers": layers,
                "presets": offered,
                "dtype": dtype,
                "title": title,
                "note": note,
            },
            controls=None if controls is None else list(controls),
            preset=dict(zip(names, chosen, strict=True)),
            **{**start, **state},
        )
        if mask is not None:
            self._paint(mask)

    @property
    def masks(self) -> Bool[np.ndarray, "layers n n"]:
        """The mask of each layer, True = may look."""
        n = len(self.source["tokens"])
        stack = []
        for layer in range(1, self.source["layers"] + 1):
            name = "1" if self.same else str(layer)
            flips = _unpack(self.painted[name], n)
            stack.append(self._plain(name) ^ flips)
        return np.stack(stack)

    @property
    def reach(self) -> Bool[np.ndarray, "layers n n"]:
        """Who can have heard of whom after each layer."""
        return rules.reach(self.masks)

    @property
    def leaks(self) -> list[tuple[int, int]]:
        """Pairs (query, later key) that have met after the last layer."""
        return [
            (int(i), int(j))
            for i, j in np.argwhere(np.triu(self.reach[-1], k=1))
        ]

    @property
    def cost(self) -> list[rules.Cost]:
        """What each layer costs."""
        return [rules.cost(mask) for mask in self.masks]

    @property
    def connected(self) -> int | None:
        """Layers until any two tokens have met.

        With one mask in every layer as many layers as that takes; with
        different masks, the layers that there are. None: never.
        """
        stack = self.masks
        if (stack == stack[0]).all():
            return rules.layers_until_connected(stack[0])
        met = self.reach.all(axis=(1, 2))
        return int(met.argmax()) + 1 if met.any() else None

    def as_mask(self, layer: int | None = None) -> Bool[np.ndarray, "n n"]:
        """Give one layer's mask for `attention(…, mask=…)`.

        Without a number the layer that the reader looks at.
        """
        layer = self.layer if layer is None else layer
        rules.check_count("layer", layer, least=1)
        if layer > self.source["layers"]:
            raise ValueError(
                f"expected layer of at most {self.source['layers']}, "
                f"got {layer}"
            )
        return self.masks[layer - 1]

    def table(self) -> str:
        """List for each query what it may look at and has heard of."""
        tokens = self.source["tokens"]
        looks = self.as_mask()
        heard = self.reach[self.layer - 1]
        head = [
            "query",
            f"may look at (layer {self.layer})",
            f"can have heard of (after layer {self.layer})",
        ]
        rows = [
            (token, [_listed(looks[i], tokens), _listed(heard[i], tokens)])
            for i, token in enumerate(tokens)
        ]
        return html_table(self.source["title"], head, rows)

    def _plain(self, name: str) -> np.ndarray:
        """Give the mask of a layer before anything was painted."""
        n = len(self.source["tokens"])
        mask = PRESETS[self.preset[name]](self, n)
        return mask & rules.causal(n) if self.causal else mask

    def _paint(self, mask: Any) -> None:
        """Write down where masks differ from the presets'."""
        n, layers = len(self.source["tokens"]), self.source["layers"]
        stack = as_mask("mask", mask, (layers, n, n))
        with self.hold_trait_notifications():
            self.same = bool((stack == stack[0]).all())
            self.painted = {
                name: _pack(self._plain(name) ^ stack[int(name) - 1])
                for name in self.preset
            }

    @traitlets.validate("preset", "painted")
    def _check_record(self, proposal: Any) -> dict[str, str]:
        name, value = proposal["trait"].name, proposal["value"]
        n, layers = len(self.source["tokens"]), self.source["layers"]
        value = {str(layer): text for layer, text in value.items()}
        names = [str(i + 1) for i in range(layers)]
        _check_names(f"layers of {name}", value, names)
        if name == "preset":
            _check_names("preset", value.values(), self.source["presets"])
        else:
            for text in value.values():
                _check_packed(text, n)
        # Naming one layer keeps the others as they are.
        return {**getattr(self, name), **value}

    @traitlets.validate("layer", *NUMBERS)
    def _check_number(self, proposal: Any) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        most = self.source["layers" if name == "layer" else "tokens"]
        most = most if name == "layer" else len(most)
        if name != "seed" and value > most:
            raise ValueError(f"expected {name} of at most {most}, got {value}")
        return value

    @traitlets.validate("cell")
    def _check_cell(self, proposal: Any) -> list[int]:
        cell, n = proposal["value"], len(self.source["tokens"])
        if len(cell) not in (0, 2) or not all(0 <= i < n for i in cell):
            raise ValueError(
                f"expected cell=[query, key] below {n}, got {cell}"
            )
        return cell


def _padding(widget: MaskDesigner, n: int) -> np.ndarray:
    row = rules.padding([n - widget.padded], n)[0, 0]  # (1, n)
    return np.broadcast_to(row, (n, n))


def _window(widget: MaskDesigner, n: int) -> np.ndarray:
    return rules.sliding_window(n, left=widget.window, right=widget.window)


def _check_tokens(tokens: Any) -> list[str]:
    if isinstance(tokens, str):
        raise ValueError("expected tokens as a list of texts, got one text")
    # Counted before they are written down: a size may be any number.
    if isinstance(tokens, numbers.Integral):
        count, tokens = int(tokens), range(1, int(tokens) + 1)
    else:
        tokens = list(tokens)
        count = len(tokens)
    if not 1 <= count <= MAX_TOKENS:
        raise ValueError(f"expected 1 to {MAX_TOKENS} tokens, got {count}")
    return [str(token) for token in tokens]


def _check_names(what: str, given: Any, known: Any) -> None:
    unknown = [name for name in given if name not in known]
    if unknown or not list(given):
        raise ValueError(
            f"expected {what} among {list(known)}, got {unknown or 'none'}"
        )


def _each(value: str | Sequence[str], layers: int, name: str) -> list[str]:
    """One name stands for every layer."""
    values = [value] * layers if isinstance(value, str) else list(value)
    if len(values) != layers:
        raise ValueError(
            f"expected one {name} for each of {layers} layers, "
            f"got {len(values)}"
        )
    return values


def _listed(row: np.ndarray, tokens: Sequence[str]) -> str:
    """Name the tokens of a row; many by their number."""
    if not row.any():
        return "nothing"
    if row.all():
        return "all"
    if len(tokens) > 16:
        return f"{int(row.sum())} tokens"
    return ", ".join(tokens[int(j)] for j in np.flatnonzero(row))


# Painted cells travel six to a character, row by row; zeros at the end are
# left out.
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _pack(cells: np.ndarray) -> str:
    bits = np.zeros(-(-cells.size // 6) * 6, dtype=int)
    bits[: cells.size] = cells.ravel()
    sixes = bits.reshape(-1, 6) @ (1 << np.arange(5, -1, -1))
    return "".join(LETTERS[six] for six in sixes).rstrip("A")


def _unpack(text: str, n: int) -> np.ndarray:
    sixes = np.array([LETTERS.index(letter) for letter in text], dtype=int)
    bits = (sixes[:, None] >> np.arange(5, -1, -1)) & 1
    cells = np.zeros(n * n, dtype=bool)
    flat = bits.ravel()[: n * n]
    cells[: flat.size] = flat
    return cells.reshape(n, n)


def _check_packed(text: Any, n: int) -> None:
    """Check what a link or a notebook says is painted."""
    if text == "":
        return
    if n > MAX_PAINTED:
        raise ValueError(
            f"expected at most {MAX_PAINTED} tokens to paint, got {n}"
        )
    good = isinstance(text, str) and set(text) <= set(LETTERS)
    if not good or _pack(_unpack(text, n)) != text:
        raise ValueError(
            f"expected painted cells of {n} × {n} as packed, got {text!r}"
        )
