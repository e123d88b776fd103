"""Attention's time and memory on the computer at hand, GPU or not.

`attn-course bench` prints what the functions below return. With a GPU they
compare naive attention, torch's fused ones and the course's Triton kernels,
and relate them to what the card does at most, measured on the spot. Not yet
run by us on a GPU. Without one they compare what runs on a processor, on
small sizes, one thread, each way in a process of its own.
"""

import contextlib
import functools
import importlib.util
import math
import os
import platform
import re
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention

from attn_course.flash import cards
from attn_course.flash.apart import ask_apart
from attn_course.flash.fast import flash_attention
from attn_course.flash.gpu import triton_attention, triton_status
from attn_course.masks import check_count
from attn_course.optional import need
from attn_course.provenance import machine, version_of

__all__ = [
    "WAYS",
    "Place",
    "Rates",
    "backends",
    "compare",
    "curves_of",
    "lengths_here",
    "measure",
    "naive",
    "place",
    "rates",
    "report",
    "table",
]

HEADS, D = 8, 64
# Below: on a GPU; on a processor; there with `quick`.
GPU_LENGTHS = (512, 1024, 2048, 4096, 8192, 16384)
CPU_LENGTHS = (256, 512, 1024, 2048, 4096)
QUICK_LENGTHS = (256, 512, 1024)
Say = Callable[[str], None]


class Place(NamedTuple):
    """Where things run here: see `place`."""

    device: str  # as torch names it: "cuda" or "cpu"
    name: str
    capability: cards.Capability | None  # None without a GPU
    free: int  # bytes of memory
    dtype: str  # the number format for times

    @property
    def is_gpu(self) -> bool:
        """Whether there is a GPU."""
        return self.capability is not None


class Rates(NamedTuple):
    """What a card does at most here: see `rates`."""

    copied: float  # bytes a second, read and written
    multiplied: float  # floating-point operations a second


def place() -> Place:
    """Say where attention runs here, and in which number format.

    With a GPU that is bfloat16 or float16, without one float32.
    """
    if torch.cuda.is_available():
        card = torch.cuda.get_device_capability()
        free, _ = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name()
        return Place("cuda", name, card, free, cards.best_dtype(card))
    name = f"no GPU here: {platform.machine()} processor, one thread"
    return Place("cpu", name, None, _free_memory(), "float32")


def backends(*, n: int = 256, d: int = D) -> list[dict[str, Any]]:
    """Force each of torch's fused backends to run; say which did.

    Returns
    -------
    list of dict
        For each backend: `backend`, `expected` (whether `cards` expects it
        to run), `ran`, and `why` not, in torch's words where it says so.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel

    here = place()
    x = _arrays(n, 2, d, here.dtype, here.device)[0]
    rows = []
    for expected in cards.sdpa_backends_expected(
        here.capability, here.dtype, d
    ):
        ran, why = True, ""
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                with sdpa_kernel(getattr(SDPBackend, expected.name)):
                    scaled_dot_product_attention(x, x, x, is_causal=True)
            except RuntimeError as error:
                told = [str(w.message) for w in said] or [str(error)]
                ran, why = False, expected.why or _first_line(told[-1])
        rows.append(
            {
                "backend": expected.name,
                "expected": expected.runs,
                "ran": ran,
                "why": why,
            }
        )
    return rows


def lengths_here(*, quick: bool = False) -> tuple[int, ...]:
    """Give the lengths that `compare` tries here."""
    if torch.cuda.is_available():
        return GPU_LENGTHS[:4] if quick else GPU_LENGTHS
    return QUICK_LENGTHS if quick else CPU_LENGTHS


def compare(
    lengths: Sequence[int] | None = None,
    *,
    ways: Sequence[str] | None = None,
    causal: bool = True,
    backward: bool = False,
    quick: bool = False,
    most: Rates | None = None,
    say: Say = print,
) -> list[dict[str, Any]]:
    """Measure time and peak memory of each way at each length.

    Eight heads of width 64, batch 1. What does not fit into half of free
    memory, or does not run here, is left out and says why.

    Parameters
    ----------
    lengths
        Numbers of tokens; `lengths_here` unless told.
    ways
        Some of WAYS; all unless told. "flex" is compiled first: on a
        processor that takes from 20 seconds to minutes, so that `quick`
        leaves it out there.
    causal, backward
        Whether to mask, and whether to compute gradients as well.
    quick
        Fewer and shorter lengths.
    most
        The card's `rates`; measured unless told.
    say
        Where progress goes.

    Returns
    -------
    list of dict
        A row for each way and length: `way`, `n`, `ms` (milliseconds, the
        median), `mb` (10⁶ bytes that the peak rose by) and `why` it is
        missing, "" where it is not. `ms` and `mb` are None where they are
        missing. On a GPU also `of_multiplying` and `of_copying`: fractions
        of the card's own `rates`, for the multiplications of attention, and
        for query, key, value and output moved once.

    Raises
    ------
    ValueError
        When a way is not one of WAYS, or a length is not positive.
    """
    here = place()
    # Rising, as peaks of memory need it.
    lengths = sorted(set(lengths or lengths_here(quick=quick)))
    for n in lengths:
        check_count("n", n, least=1)
    for way in ways or ():
        if way not in WAYS:
            raise ValueError(f"expected one of {list(WAYS)}, got {way!r}")
    if most is None and here.is_gpu:
        most = rates(here)
    rows = []
    for way in ways or WAYS:
        whys = [
            _why_not(way, n, here, backward=backward, quick=quick)
            for n in lengths
        ]
        wanted = [n for n, why in zip(lengths, whys, strict=True) if not why]
        question = {
            "way": way,
            "lengths": wanted,
            "causal": causal,
            "backward": backward,
            "dtype": here.dtype,
            "device": here.device,
        }
        say(f"{way} …" if wanted else f"{way}: skipped, {whys[0]}")
        found = dict(zip(wanted, _measured(question, here), strict=True))
        for n, why in zip(lengths, whys, strict=True):
            blank = {"ms": None, "mb": None, "why": why}
            row = {"way": way, "n": n, **found.get(n, blank)}
            if most is not None:
                row |= _fractions(row, most, causal, backward)
            rows.append(row)
            if wanted:
                say(f"  {_line(row)}")
    return rows


def report(
    lengths: Sequence[int] | None = None,
    *,
    backward: bool = False,
    quick: bool = False,
    say: Say = print,
) -> dict[str, Any]:
    """Run `backends` and `compare`; give all, with machine and versions.

    Good for JSON. Arguments and errors are those of `compare`.
    """
    here = place()
    say(here.name)
    forced = backends()
    for row in forced:
        state = "runs" if row["ran"] else f"does not run: {row['why']}"
        say(f"  {row['backend']}: {state}")
    most = rates(here) if here.is_gpu else None
    rows = compare(lengths, backward=backward, quick=quick, most=most, say=say)
    return {
        "place": here._asdict(),
        "rates": None if most is None else most._asdict(),
        "machine": machine(),
        "triton": triton_status()._asdict(),
        "settings": {
            "heads": HEADS,
            "d": D,
            "causal": True,
            "backward": backward,
        },
        "backends": forced,
        "rows": rows,
        "versions": {
            package: version_of(package)
            for package in ("attn-course", "numpy", "torch", "triton")
        },
    }


def table(rows: Sequence[dict[str, Any]], key: str = "ms") -> str:
    """Write one of the numbers of `compare` as a table: ways across.

    Examples
    --------
    >>> rows = [{"way": "naive", "n": 256, "ms": 2.5},
    ...         {"way": "naive", "n": 512, "ms": 9.0},
    ...         {"way": "SDPA", "n": 256, "ms": 0.5},
    ...         {"way": "SDPA", "n": 512, "ms": None}]
    >>> print(table(rows))
          n        naive         SDPA
        256         2.50         0.50
        512         9.00            –
    """
    lines, numbers = curves_of(rows, key), sorted({row["n"] for row in rows})
    text = ["      n" + "".join(f"{way:>13s}" for way in lines)]
    for i, n in enumerate(numbers):
        cells = (
            f"{'–' if math.isnan(line[i]) else f'{line[i]:.2f}':>13s}"
            for line in lines.values()
        )
        text.append(f"{n:7d}" + "".join(cells))
    return "\n".join(text)


def curves_of(
    rows: Sequence[dict[str, Any]], key: str = "ms"
) -> dict[str, list[float]]:
    """Give one of the numbers by way, over rising n, for `figures.curves`.

    NaN stands where it is missing; a way without any number is left out.

    Examples
    --------
    >>> curves_of([{"way": "naive", "n": 256, "ms": 2.5}])
    {'naive': [2.5]}
    """
    numbers = sorted({row["n"] for row in rows})
    ways = {row["way"]: [math.nan] * len(numbers) for row in rows}
    for row in rows:
        if row[key] is not None:
            ways[row["way"]][numbers.index(row["n"])] = row[key]
    return {w: line for w, line in ways.items() if not np.isnan(line).all()}


def measure(question: dict[str, Any]) -> list[dict[str, Any]]:
    """Measure one way at several lengths, in this process.

    `question` is what `compare` asks; the answers are rows of its table. What
    a card or library refuses becomes a row that says why.
    """
    before = _first_call(question)
    rows = []
    for n in question["lengths"]:
        try:
            rows.append({**_measure_one(question, n, before), "why": ""})
        except _refusals() as error:
            why = f"{type(error).__name__}: {_first_line(str(error))}"
            rows.append({"ms": None, "mb": None, "why": why})
    return rows


def rates(here: Place) -> Rates:
    """Measure how fast the card copies, and how fast it multiplies.

    Two arrays of 256 MB; two matrices of 4096 × 4096 in the place's dtype.
    """
    source = torch.empty(2**28, dtype=torch.uint8, device=here.device)
    target = torch.empty_like(source)
    copying = _milliseconds(lambda: target.copy_(source), here.device)
    side, dtype = 4096, getattr(torch, here.dtype)
    a, b = torch.randn(2, side, side, device=here.device).to(dtype)
    multiplying = _milliseconds(lambda: a @ b, here.device)
    return Rates(
        copied=2 * source.numel() / copying * 1e3,
        multiplied=2 * side**3 / multiplying * 1e3,
    )


# The ways. Each prepares what is done once, and gives what is measured.


def naive(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    causal: bool = False,
) -> torch.Tensor:
    """Attend as the formula is written: all n × n scores are held.

    Shapes `(..., n_q, d)`, `(..., n_k, d)` and `(..., n_k, d)`.
    """
    scores = query @ key.mT / math.sqrt(query.shape[-1])  # (..., n_q, n_k)
    if causal:
        seen = torch.ones_like(scores[0, 0], dtype=torch.bool).tril()
        scores = scores.masked_fill(~seen, -math.inf)
    return scores.softmax(-1) @ value  # (..., n_q, d)


def _naive(n: int, causal: bool, device: str) -> Callable[..., Any]:
    return functools.partial(naive, causal=causal)


def _fused(n: int, causal: bool, device: str) -> Callable[..., Any]:
    return functools.partial(scaled_dot_product_attention, is_causal=causal)


def _flex(n: int, causal: bool, device: str) -> Callable[..., Any]:
    from torch.nn.attention.flex_attention import create_block_mask

    mask = None
    if causal:
        mask = create_block_mask(_past, None, None, n, n, device=device)
    return functools.partial(_compiled_flex(), block_mask=mask)


def _past(batch: Any, head: Any, query: Any, key: Any) -> Any:
    return query >= key


@functools.cache
def _compiled_flex() -> Callable[..., Any]:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention)


def _triton(n: int, causal: bool, device: str) -> Callable[..., Any]:
    return functools.partial(triton_attention, causal=causal)


def _numpy(n: int, causal: bool, device: str) -> Callable[..., Any]:
    def attend(*tensors: torch.Tensor) -> np.ndarray:
        arrays = (x.numpy() for x in tensors)
        return flash_attention(*arrays, causal=causal)

    return attend


WAYS: dict[str, Callable[[int, bool, str], Callable[..., Any]]] = {
    "naive": _naive,
    "SDPA": _fused,
    "flex": _flex,
    "Triton": _triton,
    "NumPy tiles": _numpy,
}


def _why_not(
    way: str, n: int, here: Place, *, backward: bool, quick: bool
) -> str:
    """Say why a way is not tried at a length; "" where it is."""
    if way == "NumPy tiles" and here.is_gpu:
        return "NumPy does not use the GPU"
    if way == "NumPy tiles" and backward:
        return "NumPy has no autograd: see flash_attention_backward"
    if way == "Triton" and triton_status().kind != "GPU":
        if here.is_gpu:
            return triton_status().why
        return "needs a GPU: the interpreter's time says nothing"
    if way == "flex" and not here.is_gpu:
        if quick:
            return "compiles for up to minutes on a processor: not in --quick"
        if backward:
            return "goes forward only on a processor"
    most = cards.largest_n(
        here.free,
        heads=HEADS,
        d=D,
        each=cards.BYTES[here.dtype],
        naive=way == "naive",
        backward=backward,
    )
    if n > most:
        return (
            f"might take over half of the free {here.free / 1e9:.1f} GB: "
            f"at most n = {most} here"
        )
    return ""


def _measured(question: dict[str, Any], here: Place) -> list[dict[str, Any]]:
    """Measure here on a GPU; on a processor in a process of its own."""
    if not question["lengths"]:
        return []
    if here.is_gpu:
        return measure(question)
    [rows] = ask_apart(f"{__name__}:measure", [question], interpret=False)
    return rows


def _first_call(question: dict[str, Any]) -> int | None:
    """Load what the first call loads; give the process's peak after it."""
    if question["device"] == "cuda":
        return None
    with contextlib.suppress(*_refusals()):
        _prepared(question, 16)[0]()
    return _highest()


def _prepared(
    question: dict[str, Any], n: int
) -> tuple[Callable[[], None], int]:
    """Give a call to be measured, and the bytes of its input."""
    device, backward = question["device"], question["backward"]
    attend = WAYS[question["way"]](n, question["causal"], device)
    q, k, v = _arrays(n, HEADS, D, question["dtype"], device)
    for x in (q, k, v):
        x.requires_grad_(backward)
    grad = torch.ones_like(q)

    def call() -> None:
        with torch.set_grad_enabled(backward):
            output = attend(q, k, v)
            if backward:
                torch.autograd.grad(output, (q, k, v), grad)

    return call, 4 * q.nbytes


def _measure_one(
    question: dict[str, Any], n: int, before: int | None
) -> dict[str, Any]:
    """Measure one call: milliseconds, and megabytes of the peak."""
    call, given = _prepared(question, n)
    device = question["device"]
    if device == "cuda":
        peak = _peak_of_card(call)
    elif before is None or question["way"] == "flex":
        peak = None  # the compiler has held more before
        call()
    else:
        call()
        # The most so far: lengths go up.
        peak = max(0, (_highest() or 0) - before - given)
    return {
        "ms": float(f"{_milliseconds(call, device):.4g}"),
        "mb": None if peak is None else round(peak / 1e6, 2),
    }


def _arrays(
    n: int, heads: int, d: int, dtype: str, device: str
) -> list[torch.Tensor]:
    """Draw query, key and value: (1, heads, n, d)."""
    generator = torch.Generator(device).manual_seed(0)
    shape = (1, heads, n, d)
    return [
        torch.randn(shape, generator=generator, device=device).to(
            getattr(torch, dtype)
        )
        for _ in range(3)
    ]


def _milliseconds(call: Callable[[], Any], device: str) -> float:
    """Time a call: the median of several, after one that warms up."""
    if device == "cuda" and importlib.util.find_spec("triton"):
        return need("triton.testing").do_bench(call, return_mode="median")
    # The processor's time counts less of what else runs.
    clock = time.perf_counter if device == "cuda" else time.process_time
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    call()
    wait()
    times: list[float] = []
    while len(times) < 3 or (sum(times) < 0.2 and len(times) < 50):
        start = clock()
        call()
        wait()
        times.append(clock() - start)
    return 1e3 * float(np.median(times))


def _peak_of_card(call: Callable[[], Any]) -> int:
    """Measure how far one call raises the peak of the card's memory."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def _highest() -> int | None:
    """Read the most memory that this process ever held; None if untold."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    return 1024 * int(re.findall(r"VmHWM:\s+(\d+)", status)[0])


def _free_memory() -> int:
    """Give the bytes of free memory; 4 GB where the system does not tell."""
    try:
        pages = os.sysconf("SC_AVPHYS_PAGES")
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 4 * 10**9


def _refusals() -> tuple[type[Exception], ...]:
    """List what a card or a library raises when it can't."""
    refusals: tuple[type[Exception], ...] = (RuntimeError,)
    if triton_status().kind == "GPU":
        refusals += (need("triton.runtime.errors").OutOfResources,)
    return refusals


def _fractions(
    row: dict[str, Any], most: Rates, causal: bool, backward: bool
) -> dict[str, float | None]:
    """Relate a row's time to what the card does at most.

    Forward attention multiplies twice, 4·n²·d operations a head, and half of
    them if causal; going back, five times (Dao 2023, section 4.1). Arrays
    that must move at least: 4 forward, and 8 going back.
    """
    if row["ms"] is None:
        return {"of_multiplying": None, "of_copying": None}
    n, seconds = row["n"], row["ms"] / 1e3
    products = 7 if backward else 2
    operations = products * 2 * HEADS * n * n * D / (2 if causal else 1)
    arrays = 12 if backward else 4
    moved = arrays * HEADS * n * D * 2  # half precision
    return {
        "of_multiplying": round(operations / seconds / most.multiplied, 4),
        "of_copying": round(moved / seconds / most.copied, 4),
    }


def _line(row: dict[str, Any]) -> str:
    """Write a row of `compare` in a line."""
    start = f"n = {row['n']}: "
    if row["ms"] is None:
        return f"{start}skipped, {row['why']}"
    memory = "" if row["mb"] is None else f", {row['mb']:.1f} MB"
    return f"{start}{row['ms']:.2f} ms{memory}"


def _first_line(text: str) -> str:
    """Give the first line of an error, without a full stop."""
    return text.strip().partition("\n")[0].rstrip(".")
