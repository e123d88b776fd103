"""What a graphics card can do, from what it says of itself.

Pure functions of a card's compute capability and memory: they ask no card, so
that a table of cards tests them. NVIDIA numbers its generations by compute
capability: 7.5 is Turing (T4), 8.0 and 8.6 Ampere (A100, RTX 3090), 8.9 Ada
(L4, RTX 4090), 9.0 Hopper (H100), 10.0 and 12.0 Blackwell.

What they say comes from compiled machine code and from the sources of torch
and Triton. Not yet tried by us on a card.
"""

from typing import Any, NamedTuple

from attn_course.cost.scaling import score_bytes
from attn_course.masks import check_count

__all__ = [
    "BFLOAT16_FROM",
    "Backend",
    "Tiles",
    "best_dtype",
    "largest_n",
    "needed_bytes",
    "sdpa_backends_expected",
    "shared_memory",
    "tiles_for",
    "triton_obstacle",
]

Capability = tuple[int, int]

# torch's and Triton's tensor cores for bfloat16 begin with Ampere.
BFLOAT16_FROM = (8, 0)
# Older cards have no path in Triton that compiles.
TRITON_FROM = (7, 5)
BYTES = {"float16": 2, "bfloat16": 2, "float32": 4}
KERNELS = ("forward", "gradient_of_queries", "gradient_of_keys")


class Tiles(NamedTuple):
    """How a kernel cuts its work."""

    block_q: int  # queries in a tile
    block_k: int  # keys in a tile
    warps: int  # groups of 32 threads that share a tile
    stages: int  # tiles on their way from memory at once


class Backend(NamedTuple):
    """What to expect of one of torch's ways to attend."""

    name: str  # as in torch.nn.attention.SDPBackend
    runs: bool
    why: str  # why not; "" where it runs


def best_dtype(capability: Capability) -> str:
    """Choose the number format for times: bfloat16 from Ampere on.

    Older cards emulate it, slowly; they are fast in float16. In float32,
    tensor cores do not take part.

    Examples
    --------
    >>> best_dtype((7, 5)), best_dtype((9, 0))
    ('float16', 'bfloat16')
    """
    return "bfloat16" if capability >= BFLOAT16_FROM else "float16"


def triton_obstacle(capability: Capability) -> str | None:
    """Say why a card can't run the course's kernels; None where it can.

    Examples
    --------
    >>> triton_obstacle((6, 0))
    "Triton's kernels need compute capability 7.5 or newer, got 6.0."
    """
    if capability >= TRITON_FROM:
        return None
    return (
        "Triton's kernels need compute capability 7.5 or newer, "
        f"got {_dotted(capability)}."
    )


def shared_memory(capability: Capability) -> int:
    """Give the most shared memory, in bytes, that one program may use.

    CUDA C++ Programming Guide, table "Technical Specifications per Compute
    Capability".

    Examples
    --------
    >>> shared_memory((7, 5)) // 1024
    64
    """
    kilobytes = {
        (7, 5): 64,
        (8, 0): 163,
        (8, 7): 163,
        (9, 0): 227,
        (10, 0): 227,
        (10, 3): 227,
    }
    # 8.6, 8.9 and 12.x: the cards for games and their relatives.
    return 1024 * kilobytes.get(tuple(capability), 99)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]


def tiles_for(
    capability: Capability, dtype: str, d: int, kernel: str
) -> Tiles:
    """Choose tiles that fit: shared memory, and registers without spills.

    What was chosen was compiled for 7.5, 8.0, 8.9 and 9.0 and read: see the
    recording `triton-kernels`. Fast it need not be: that takes a card.

    Parameters
    ----------
    capability
        Before 8.0 Triton multiplies without tensor cores, number by number:
        tiles must be small.
    dtype
        float32 is multiplied without tensor cores on all cards.
    d
        Length of a vector.
    kernel
        One of KERNELS; the gradients hold more at once.

    Raises
    ------
    ValueError
        When the card is too old, or there is no such kernel or dtype.

    Examples
    --------
    >>> tiles_for((7, 5), "float16", 64, "forward")
    Tiles(block_q=32, block_k=32, warps=8, stages=1)
    >>> tiles_for((9, 0), "bfloat16", 64, "forward")
    Tiles(block_q=64, block_k=64, warps=4, stages=2)
    """
    _check_dtype(dtype)
    if kernel not in KERNELS:
        raise ValueError(f"expected one of {list(KERNELS)}, got {kernel!r}")
    if (obstacle := triton_obstacle(capability)) is not None:
        raise ValueError(obstacle)
    wide = d > 64
    if dtype != "float32" and capability >= BFLOAT16_FROM:
        stages = 1 if kernel == "gradient_of_keys" else 2
        return Tiles(64, 64, 8 if wide else 4, stages)
    if wide and kernel == "gradient_of_queries":
        return Tiles(32, 16, 8, 1)
    if wide and kernel == "gradient_of_keys":
        return Tiles(16, 32, 8, 1)
    return Tiles(32, 32, 8, 1)


def sdpa_backends_expected(
    capability: Capability | None, dtype: str, d: int
) -> list[Backend]:
    """Say which of torch's backends should run without a mask, and why not.

    Read from torch 2.13's `sdp_utils.cpp`; causal attention of as many
    queries as keys is no mask.

    Parameters
    ----------
    capability
        The card's; None without a GPU.
    dtype, d
        Of the arrays, whose vectors for keys and values are equally long.

    Examples
    --------
    >>> for backend in sdpa_backends_expected((7, 5), "float16", 64):
    ...     print(backend.name, backend.why or "runs")
    MATH runs
    FLASH_ATTENTION needs compute capability 8.0 or newer, this is 7.5
    EFFICIENT_ATTENTION runs
    CUDNN_ATTENTION needs compute capability 8.0 or newer, this is 7.5
    """
    _check_dtype(dtype)
    check_count("d", d, least=1)
    if capability is None:
        gpu = "is for GPUs, and there is none here"
        whys = {"FLASH_ATTENTION": "", "EFFICIENT_ATTENTION": gpu}
        whys["CUDNN_ATTENTION"] = gpu
    else:
        whys = {
            "FLASH_ATTENTION": _why_not_flash(capability, dtype, d, most=256),
            "EFFICIENT_ATTENTION": _why_not_efficient(capability, d, dtype),
            "CUDNN_ATTENTION": _why_not_cudnn(capability, dtype, d),
        }
    return [
        Backend(name, not why, why)
        for name, why in {"MATH": "", **whys}.items()
    ]


def needed_bytes(
    n: int,
    *,
    d: int = 64,
    heads: int = 8,
    each: int = 2,
    naive: bool = False,
    backward: bool = False,
) -> int:
    """Estimate the memory, in bytes, that attention over n tokens takes.

    Query, key, value and output are there in any case, and so is one float32
    number a query; going back, the gradients as well. Naive attention also
    holds n × n arrays: scores, scaled and masked ones, weights, and going
    back the gradients of two. The estimate is high rather than low.

    Raises
    ------
    ValueError
        When a count is not positive.

    Examples
    --------
    >>> needed_bytes(8192) / 1e6, needed_bytes(8192, naive=True) / 1e6
    (33.816576, 4328.783872)
    """
    counts = {"n": n, "d": d, "heads": heads, "each": each}
    for name, count in counts.items():
        check_count(name, count, least=1)
    passes = 2 if backward else 1
    linear = passes * heads * n * (4 * d * each + 4)
    if not naive:
        return linear
    copies = 6 if backward else 4
    return linear + copies * score_bytes(n, heads=heads, each=each)


def largest_n(free: int, **options: Any) -> int:
    """Give the most tokens whose estimate fits into half of free memory.

    The other half is room for what the estimate forgets.

    Parameters
    ----------
    free
        In bytes: the first number of `torch.cuda.mem_get_info()`.
    **options
        As in `needed_bytes`.

    Examples
    --------
    >>> largest_n(15 * 10**9, naive=True), largest_n(15 * 10**9)
    (10793, 1816860)
    """
    check_count("free", free)

    def fits(n: int) -> bool:
        return needed_bytes(n, **options) <= free // 2

    low, high = 0, 1
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:  # low fits, high does not
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _why_not_flash(
    capability: Capability, dtype: str, d: int, *, most: int
) -> str:
    """Say what keeps torch's flash kernel from running, if anything."""
    if capability < BFLOAT16_FROM:
        return (
            "needs compute capability 8.0 or newer, "
            f"this is {_dotted(capability)}"
        )
    if dtype == "float32":
        return "takes float16 or bfloat16, not float32"
    return f"takes vectors of at most {most}, not {d}" if d > most else ""


def _why_not_cudnn(capability: Capability, dtype: str, d: int) -> str:
    """Say what keeps cuDNN's kernel from running, if anything."""
    if why := _why_not_flash(capability, dtype, d, most=128):
        return why
    return "takes vectors of a multiple of 8" if d % 8 else ""


def _why_not_efficient(capability: Capability, d: int, dtype: str) -> str:
    """Say what keeps the memory-efficient kernel from running, if anything."""
    if dtype == "bfloat16" and capability < BFLOAT16_FROM:
        return (
            "takes bfloat16 from compute capability 8.0 on, "
            f"this is {_dotted(capability)}"
        )
    step = 4 if dtype == "float32" else 8
    return f"takes vectors of a multiple of {step}" if d % step else ""


def _check_dtype(dtype: str) -> None:
    """Check that a dtype is one that cards multiply here."""
    if dtype not in BYTES:
        raise ValueError(f"expected one of {list(BYTES)}, got {dtype!r}")


def _dotted(capability: Capability) -> str:
    """Write a compute capability as NVIDIA does."""
    return f"{capability[0]}.{capability[1]}"
