"""The Triton kernels without a GPU: compiled, interpreted, their bytes.

- `compiled`: each kernel for five generations of cards, in each number format
  and three sizes of head, causal, with the tiles that the course chooses; and
  for a T4 with tiles that are too large for it. Numbers come from machine
  code: registers and spilled bytes of a thread, shared memory of a program,
  instructions of tensor cores.
- `errors`: output and gradients in Triton's interpreter against float64, over
  drawn shapes, each with numbers of three seeds.
- `requested`: bytes that the kernels ask for as tiles get higher, counted in
  the interpreter and by the formula.

Rows of `compiled` hold registers of a thread (a card has 255 at most), bytes
of a thread that registers did not hold ("spilled"), bytes of shared memory of
a program and the most that the card gives one, instructions of tensor cores by
name, and `multiply_adds`, a number each. Errors are relative to the largest
number, or to 1.

Nothing was tuned for this recording. Nothing ran on a GPU, and nothing here
says how fast a kernel is. Linux only.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from attn_course import lab
from attn_course.experiments.study import Study
from attn_course.flash import cards, compiled, interpreted
from attn_course.flash.cards import KERNELS, shared_memory, tiles_for
from attn_course.flash.compiled import Target
from attn_course.flash.interpreted import Case

__all__ = ["SETTINGS", "STUDY", "shapes", "table", "targets", "try_all"]

SETTINGS = {
    "capabilities": [[7, 5], [8, 0], [8, 9], [9, 0], [10, 0]],
    "d": [16, 64, 128],
    "too_large": [64, 64, 4, 1],  # tiles, for 7.5
    "shapes": 12,
    "requested": {"n": 128, "d": 64, "heads": 1, "block_q": [16, 32, 64, 128]},
}
SEEDS = (0, 1, 2)  # of the numbers of each shape
CARDS = {
    (7, 5): "T4 (7.5)",
    (8, 0): "A100 (8.0)",
    (8, 9): "L4 (8.9)",
    (9, 0): "H100 (9.0)",
    (10, 0): "B200 (10.0)",
}
STUDY = Study(
    "triton-kernels",
    chapter=8,
    question="Are the Triton kernels right, and what would a card do with "
    "them?",
    design=__doc__,
    seeds=0,
    settings=SETTINGS,
    # Elsewhere than on Linux there is no Triton: so it is not needed for the
    # recording to be current.
    packages=["torch", "triton"],
    # Other processes are told these by name.
    code=[
        *(compiled.code_of, interpreted.errors, interpreted.requests),
        *(("attn_course.flash.triton_kernels", kernel) for kernel in KERNELS),
    ],
    tolerance=1e-4,
)


@STUDY.run
def try_all() -> dict[str, Any]:
    """Compile, interpret, count."""
    return {
        "compiled": _compiled(targets()),
        "too_large": _compiled(_too_large()),
        "errors": _errors(shapes(), SEEDS),
        "requested": _requested(SETTINGS["requested"]["block_q"]),
    }


@STUDY.slice
def few_again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Compile a kernel for each card, interpret two shapes, count once."""
    chosen = [
        Target("forward", card, "float16", 64) for card in CARDS
    ] + _too_large()[:1]
    for again in _compiled(chosen):
        large = again["tiles"] == SETTINGS["too_large"]
        then = _row(
            recording["too_large" if large else "compiled"],
            tuple(again["capability"]),
            kernel=again["kernel"],
        )
        for key in ("registers", "spilled", "shared", "multiply_adds"):
            yield f"{again['capability']}: {key}", then[key], again[key]
        yield (
            f"{again['capability']}: tensor cores",
            *(sum(row["tensor_cores"].values()) for row in (then, again)),
        )
    for then, again in zip(
        recording["errors"], _errors(shapes()[:2], SEEDS), strict=False
    ):
        for name, errors in then["errors"].items():
            yield f"{then['dtype']}: {name}", errors, again["errors"][name]
    block = SETTINGS["requested"]["block_q"][-1]
    for again in _requested([block]):
        [then] = [
            row
            for row in recording["requested"]
            if (row["causal"], row["block_q"]) == (again["causal"], block)
        ]
        for way in ("forward", "backward"):
            yield (
                f"{way}: bytes asked for",
                *(row[way]["counted"] for row in (then, again)),
            )


def targets() -> list[Target]:
    """List what is compiled: every card, format, size and kernel."""
    return [
        Target(kernel, (major, minor), dtype, d)
        for major, minor in SETTINGS["capabilities"]
        for dtype in ("float16", "bfloat16", "float32")
        if dtype != "bfloat16" or (major, minor) >= cards.BFLOAT16_FROM
        for d in SETTINGS["d"]
        for kernel in KERNELS
    ]


def shapes() -> list[Case]:
    """Draw shapes: ragged, with shared heads, causal or not."""
    rng = np.random.default_rng(0)
    drawn = []
    for i in range(SETTINGS["shapes"]):
        kv_heads = int(rng.integers(1, 3))
        drawn.append(
            Case(
                batch=int(rng.integers(1, 3)),
                heads=kv_heads * int(rng.integers(1, 4)),
                kv_heads=kv_heads,
                n_q=int(rng.integers(1, 100)),
                n_k=int(rng.integers(1, 100)),
                d=int(rng.integers(16, 129)),
                dtype=("float32", "float16")[i % 2],
                causal=bool(i // 2 % 2),
            )
        )
    return drawn


def _too_large() -> list[Target]:
    """List the kernels with tiles that are too large for a T4."""
    tiles = tuple(SETTINGS["too_large"])
    return [
        Target(kernel, (7, 5), "float16", 64, True, tiles)
        for kernel in KERNELS
    ]


def _compiled(wanted: Sequence[Target]) -> list[dict[str, Any]]:
    """Compile, a few at a time in a process of their own."""
    rows = []
    for start in range(0, len(wanted), 9):
        part = wanted[start : start + 9]
        for target, code in zip(part, compiled.compile_for(part), strict=True):
            card = target.capability
            chosen = tiles_for(card, target.dtype, target.d, target.kernel)
            rows.append(
                {
                    "kernel": target.kernel,
                    "capability": list(card),
                    "dtype": target.dtype,
                    "d": target.d,
                    "tiles": list(target.tiles or chosen),
                    "shared_limit": shared_memory(card),
                    **code._asdict(),
                }
            )
    return rows


def _errors(
    cases: Sequence[Case], seeds: Sequence[int]
) -> list[dict[str, Any]]:
    """Give, for each shape, the errors of all seeds."""
    asked = [case._replace(seed=seed) for case in cases for seed in seeds]
    answers = iter(interpreted.try_cases(asked))
    rows = []
    for case in cases:
        found = [next(answers) for _ in seeds]
        shape = case._asdict()
        del shape["tiles"], shape["seed"]
        errors = {
            name: [float(f"{one[name]:.2g}") for one in found]
            for name in found[0]
        }
        rows.append({**shape, "errors": errors})
    return rows


def _requested(heights: Sequence[int]) -> list[dict[str, Any]]:
    """Count what is asked for, at each height of a tile."""
    asked = SETTINGS["requested"]
    n, d, heads = asked["n"], asked["d"], asked["heads"]
    cases = [
        Case(1, heads, heads, n, n, d, "float16", causal, (block, 32, 4, 1))
        for causal in (False, True)
        for block in heights
    ]
    found = interpreted.try_cases(cases, what="requests")
    return [
        {"causal": case.causal, "block_q": case.tiles[0], **answer}
        for case, answer in zip(cases, found, strict=True)
    ]


# What the page shows


@STUDY.claim("8.gpu")
def without_a_gpu(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Say what fits, what spills, and how exact the kernels are."""
    rows = recording["compiled"]
    half = [row for row in rows if row["dtype"] != "float32"]
    t4 = _row(rows, (7, 5))
    return {
        "compiled": len(rows),
        "fits": np.mean([r["shared"] <= r["shared_limit"] for r in rows]),
        "spilled_most": max(row["spilled"] for row in half),
        "with_cores": min(
            sum(row["tensor_cores"].values())
            for row in half
            if tuple(row["capability"]) >= (8, 0)
        ),
        "t4_cores": sum(t4["tensor_cores"].values()),
        "t4_spilled": t4["spilled"],
        "t4_large_spilled": _row(recording["too_large"], (7, 5))["spilled"],
        "interpreted": len(recording["errors"]),
        "fp32": _worst(recording, "float32"),
        "fp16": _worst(recording, "float16"),
    }


def table() -> Any:
    """Show what each card would do with the forward kernel."""
    rows = STUDY.recording["compiled"]
    return lab.table(
        [_told(text, _row(rows, card)) for card, text in CARDS.items()],
        caption="Recorded: forward kernel compiled, float16, d = 64, causal. "
        "Registers and spilled bytes of a thread; shared memory in KB; "
        "instructions of tensor cores",
        columns=[
            *("card", "tile", "registers", "spilled", "shared"),
            "tensor cores",
        ],
    )


def _told(card: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write what one card does with a kernel."""
    limit = row["shared_limit"] // 1024
    cores = [f"{count} {name}" for name, count in row["tensor_cores"].items()]
    return {
        "card": card,
        "tile": "{} × {}".format(*row["tiles"][:2]),
        "registers": row["registers"],
        "spilled": row["spilled"],
        "shared": f"{row['shared'] / 1024:.0f} of {limit}",
        "tensor cores": ", ".join(cores) or "none",
    }


def _row(
    rows: Sequence[Mapping[str, Any]],
    card: tuple[int, int],
    *,
    kernel: str = "forward",
) -> Mapping[str, Any]:
    """Find a kernel in float16, d = 64, on one card."""
    wanted = (card, "float16", 64, kernel)
    names = ("dtype", "d", "kernel")
    [row] = [
        row
        for row in rows
        if (tuple(row["capability"]), *(row[n] for n in names)) == wanted
    ]
    return row


def _worst(recording: Mapping[str, Any], dtype: str) -> float:
    """Give the largest error of any shape, array and seed."""
    return max(
        error
        for row in recording["errors"]
        if row["dtype"] == dtype
        for errors in row["errors"].values()
        for error in errors
    )
