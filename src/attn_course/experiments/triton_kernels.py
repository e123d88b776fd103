"""The Triton kernels without a GPU: compiled, interpreted, their bytes.

- `compiled`: each kernel for five generations of cards, in each number format
  and three sizes of head, causal, with the tiles that the course chooses; and
  for a T4 with tiles that are too large for it. Numbers come from machine
  code: registers and spilled bytes of a thread, shared memory of a program,
  instructions of tensor cores.
- `errors`: output and gradients in Triton's interpreter against float64, over
  drawn shapes, each with numbers of every seed.
- `requested`: bytes that the kernels ask for as tiles get higher, counted in
  the interpreter and by the formula.

Nothing ran on a GPU, and nothing here says how fast a kernel is. Linux only.
"""

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attn_course import flash
from attn_course.experiments import provenance
from attn_course.flash import cards, compiled, interpreted, requested
from attn_course.flash.cards import KERNELS, shared_memory, tiles_for
from attn_course.flash.compiled import Target
from attn_course.flash.interpreted import Case

__all__ = ["RECORDINGS", "SETTINGS", "inputs", "record", "shapes", "targets"]

RECORDINGS = ("triton-kernels",)
SETTINGS = {
    "capabilities": [[7, 5], [8, 0], [8, 9], [9, 0], [10, 0]],
    "d": [16, 64, 128],
    "too_large": [64, 64, 4, 1],  # tiles, for 7.5
    "shapes": 12,
    "requested": {"n": 128, "d": 64, "heads": 1, "block_q": [16, 32, 64, 128]},
}
CODE = (
    "experiments/triton_kernels.py",
    "flash/apart.py",
    "flash/cards.py",
    "flash/compiled.py",
    "flash/gpu.py",
    "flash/interpreted.py",
    "flash/requested.py",
    "flash/triton_kernels.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    kernels = Path(flash.__file__).with_name("triton_kernels.py")
    code = (
        cards.tiles_for,
        compiled.code_of,
        interpreted.errors,
        interpreted.requests,
        requested.requested_bytes,
    )
    return [
        list(seeds),
        kernels.read_text("utf-8"),
        *(inspect.getsource(part) for part in code),
    ]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Compile, interpret, count."""
    return {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "keys": {
            "registers": "of a thread; a card has 255 at most",
            "spilled": "bytes of a thread that registers did not hold",
            "shared": "bytes of shared memory of a program",
            "shared_limit": "the most that the card gives a program",
            "tensor_cores": "instructions of tensor cores, by name",
            "multiply_adds": "FFMA instructions, a number each",
            "errors": "relative to the largest number, or to 1",
        },
        "compiled": _compiled(targets()),
        "too_large": _compiled(
            [
                Target(kernel, (7, 5), "float16", 64, True, tiles)
                for kernel in KERNELS
                for tiles in [tuple(SETTINGS["too_large"])]
            ]
        ),
        "errors": _errors(shapes(), seeds),
        "requested": _requested(),
        "recorded": provenance(
            name,
            seeds=list(seeds),
            packages=["torch", "triton"],
            code=CODE,
        ),
    }


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


def _compiled(wanted: Sequence[Target]) -> list[dict[str, Any]]:
    """Compile a few at a time, and say how far it is."""
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
        print(f"  {len(rows)} of {len(wanted)} compiled", flush=True)
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
    print(f"  {len(asked)} cases interpreted", flush=True)
    return rows


def _requested() -> list[dict[str, Any]]:
    """Count what is asked for, at each height of a tile."""
    asked = SETTINGS["requested"]
    n, d, heads = asked["n"], asked["d"], asked["heads"]
    cases = [
        Case(1, heads, heads, n, n, d, "float16", causal, (block, 32, 4, 1))
        for causal in (False, True)
        for block in asked["block_q"]
    ]
    found = interpreted.try_cases(cases, what="requests")
    return [
        {"causal": case.causal, "block_q": case.tiles[0], **answer}
        for case, answer in zip(cases, found, strict=True)
    ]
