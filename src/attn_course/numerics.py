"""What goes wrong in softmax and masks, and where: tables made live.

Each function runs the libraries that are installed and returns a list of
records with the same keys, ready for a table.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Float

from attn_course.functional import attention, masked_softmax
from attn_course.optional import need

__all__ = [
    "FILLS",
    "describe",
    "mask_table",
    "overflow_table",
    "plain_softmax",
    "rows_without_keys",
]

# What is added to the scores of hidden keys; "bool" leaves that to a
# library's own boolean mask.
FILLS = ("-1e9", "finfo.min", "-inf", "bool")

# Four situations of one query and three keys: scores before the mask, which
# keys are hidden, and whether a hidden value is NaN.
CASES = {
    "last key hidden": ([0.0, 1.0, 2.0], [False, False, True], False),
    "all keys hidden": ([0.0, 1.0, 2.0], [True, True, True], False),
    "all hidden, scores below 0": ([-40.0, -30.0, -20.0], [True] * 3, False),
    "hidden value is NaN": ([0.0, 1.0, 2.0], [False, False, True], True),
}


def plain_softmax(
    scores: Float[Any, "... n_k"], *, subtract_maximum: bool = False
) -> Float[Any, "... n_k"]:
    """Compute e^s / Σ e^s as written, in the dtype of the scores.

    Subtracting each row's maximum changes nothing in exact arithmetic; in
    floating point it keeps e^s from overflowing. With a row of −inf it
    computes −inf − (−inf), NaN.

    Examples
    --------
    >>> scores = np.array([11.0, 12.0], dtype=np.float16)
    >>> with np.errstate(all="ignore"):
    ...     print(plain_softmax(scores))
    [ 0. nan]
    >>> print(plain_softmax(scores, subtract_maximum=True).round(2))
    [0.27 0.73]
    """
    if subtract_maximum:
        scores = scores - scores.max(axis=-1, keepdims=True)
    shares = np.exp(scores)  # (..., n_k)
    return shares / shares.sum(axis=-1, keepdims=True)


def overflow_table() -> list[dict[str, Any]]:
    """Find the lowest whole score at which each softmax breaks.

    Each record has `library`, `dtype`, `case`, `largest` (the largest number
    of the dtype) and `result`: the lowest whole score s for which
    softmax([0, s]) is no longer two finite weights that sum to 1, or None
    where all up to 2000 are.
    """
    records = []
    for dtype in ("float16", "float32", "float64"):
        for library, case, softmax in _softmaxes():
            broken = None
            for score in range(2001):
                with np.errstate(all="ignore"):
                    weights = softmax(np.array([0.0, score], dtype=dtype))
                if not abs(weights.sum() - 1.0) < 0.01:
                    broken = score
                    break
            records.append(
                {
                    "library": library,
                    "dtype": dtype,
                    "case": case,
                    "largest": float(np.finfo(dtype).max),
                    "result": broken,
                }
            )
    return records


def mask_table() -> list[dict[str, Any]]:
    """Hide keys in every way, in every library; say what comes back.

    Each record has `library`, `dtype`, `fill` (one of `FILLS`), `case` (one
    of those above), `result` in words and `output`, what the query read
    from values that are the rows of the identity: so the output is the
    weights. It is None, and `result` says why, where a library refuses.

    Needs torch; takes well under a second.
    """
    records = []
    for dtype in ("float16", "float32"):
        for library, fills, read in _readers():
            for fill in fills:
                for case, (scores, hidden, spoilt) in CASES.items():
                    value = np.eye(3, dtype=dtype)
                    if spoilt:
                        value[2] = math.nan
                    row = np.array([scores], dtype=dtype)  # (1, 3)
                    output, problem = _try(
                        read, row, np.array([hidden]), fill, value
                    )
                    records.append(
                        {
                            "library": library,
                            "dtype": dtype,
                            "fill": fill,
                            "case": case,
                            "result": problem or describe(output, hidden),
                            "output": output,
                        }
                    )
    return records


def rows_without_keys() -> list[dict[str, str]]:
    """Tell what a query that may look at nothing gets, in float32.

    A row for each of `FILLS`, a column for each library; "–" where it does
    not take such a mask.
    """
    found: dict[str, dict[str, str]] = {}
    for r in mask_table():
        if (r["dtype"], r["case"]) == (
            "float32",
            "all hidden, scores below 0",
        ):
            found.setdefault(r["library"], {})[r["fill"]] = r["result"]
    fills = {fill: fill for fill in FILLS} | {"bool": "a boolean mask"}
    return [
        {
            "hidden keys get": name,
            **{library: row.get(fill, "–") for library, row in found.items()},
        }
        for fill, name in fills.items()
    ]


def describe(output: list[float], hidden: list[bool]) -> str:
    """Say in words what weights are.

    Examples
    --------
    >>> describe([0.27, 0.73, 0.0], [False, False, True])
    'right'
    >>> describe([0.33, 0.33, 0.33], [True, True, True])
    'all alike'
    """
    weights = np.array(output)
    if np.isnan(weights).any():
        return "NaN"
    if not weights.any():
        return "zeros"
    if all(hidden):
        alike = np.ptp(weights) < 1e-3
        return "all alike" if alike else "hidden keys are read"
    return "right" if not weights[hidden].any() else "hidden keys are read"


Reader = Callable[[np.ndarray, np.ndarray, str, np.ndarray], np.ndarray]


def _softmaxes() -> Iterator[tuple[str, str, Callable]]:
    """List softmaxes of [0, s]."""
    torch = need("torch")

    yield "NumPy, as written", "nothing subtracted", plain_softmax
    yield (
        "NumPy, as written",
        "maximum subtracted",
        lambda x: plain_softmax(x, subtract_maximum=True),
    )
    yield (
        "torch.softmax",
        "maximum subtracted",
        lambda x: torch.softmax(torch.tensor(x), dim=-1).numpy(),
    )
    yield (
        "attn_course",
        "maximum subtracted",
        lambda x: masked_softmax(x, np.array(True)),
    )


def _readers() -> Iterator[tuple[str, tuple[str, ...], Reader]]:
    """List the ways to read three values, and the fills that each takes."""
    added = FILLS[:-1]
    yield "NumPy, as written", added, _read_numpy
    yield "torch SDPA", FILLS, _read_sdpa
    yield "nn.MultiheadAttention", FILLS, _read_multihead
    yield "attn_course", FILLS, _read_ours


def _try(
    read: Reader, scores: Any, hidden: Any, fill: str, value: Any
) -> tuple[list[float] | None, str | None]:
    """Read, or say what the library objects to."""
    try:
        with np.errstate(all="ignore"):
            output = read(scores, hidden, fill, value)
    except (RuntimeError, TypeError, ValueError) as error:
        return None, f"refused: {str(error).splitlines()[0]}"
    return [round(float(x), 4) for x in output.ravel()], None


def _bias(hidden: np.ndarray, fill: str, dtype: Any) -> np.ndarray:
    """Give what is added to the scores: the fill where a key is hidden."""
    numbers = {"-1e9": -1e9, "finfo.min": np.finfo(dtype).min}
    amount = numbers.get(fill, -math.inf)
    with np.errstate(over="ignore"):
        return np.where(hidden, amount, 0.0).astype(dtype)


def _read_numpy(
    scores: np.ndarray, hidden: np.ndarray, fill: str, value: np.ndarray
) -> np.ndarray:
    """Read as the formula is written, the maximum subtracted."""
    shown = scores + _bias(hidden, fill, scores.dtype)
    return plain_softmax(shown, subtract_maximum=True) @ value


def _read_sdpa(
    scores: np.ndarray, hidden: np.ndarray, fill: str, value: np.ndarray
) -> np.ndarray:
    """Read with torch; keys are the identity, so that q·k are the scores."""
    torch = need("torch")

    mask = ~hidden if fill == "bool" else _bias(hidden, fill, scores.dtype)
    key = np.eye(3, dtype=scores.dtype)
    # One head of a batch of one: (1, 1, n, 3).
    q, k, v = (torch.tensor(x)[None, None] for x in (scores, key, value))
    return torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=torch.tensor(mask), scale=1.0
    ).numpy()


def _read_multihead(
    scores: np.ndarray, hidden: np.ndarray, fill: str, value: np.ndarray
) -> np.ndarray:
    """Read with torch's module, its matrices set to the identity."""
    torch = need("torch")

    dtype = getattr(torch, scores.dtype.name)
    # True means "may not look" here.
    mask = hidden if fill == "bool" else _bias(hidden, fill, scores.dtype)
    # The module divides by √3.
    query = scores * np.asarray(math.sqrt(3), dtype=scores.dtype)
    key = np.eye(3, dtype=scores.dtype)
    q, k, v = (torch.tensor(x)[None] for x in (query, key, value))
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        module = torch.nn.MultiheadAttention(
            3, 1, bias=False, batch_first=True, dtype=dtype
        )
        module.in_proj_weight.copy_(torch.eye(3).repeat(3, 1))
        module.out_proj.weight.copy_(torch.eye(3))
        output, _ = module(q, k, v, attn_mask=torch.tensor(mask))
    return output.numpy()


def _read_ours(
    scores: np.ndarray, hidden: np.ndarray, fill: str, value: np.ndarray
) -> np.ndarray:
    """Read with the course's function."""
    key = np.eye(3, dtype=scores.dtype)
    if fill == "bool":
        return attention(scores, key, value, mask=~hidden, scale=1.0)
    bias = _bias(hidden, fill, scores.dtype)
    return attention(scores, key, value, bias=bias, scale=1.0)
