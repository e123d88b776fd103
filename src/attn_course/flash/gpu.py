"""Call the Triton kernels on torch's tensors, forward and backward.

The kernels stand in `triton_kernels`. Here the arrays are checked, tiles are
chosen for the card, and one program is started for each tile. Not yet run by
us on a GPU: what was tested ran in Triton's interpreter, on a processor.
"""

import importlib.util
import math
import os
import platform
import sys
from typing import Any, NamedTuple

import torch
from jaxtyping import Float

from attn_course.flash.cards import (
    BFLOAT16_FROM,
    Tiles,
    tiles_for,
    triton_obstacle,
)
from attn_course.functional import check_inputs
from attn_course.masks import check_integer, within

__all__ = [
    "HEAD_SIZES",
    "Status",
    "triton_attention",
    "triton_status",
    "use_interpreter",
]

HEAD_SIZES = (16, 128)  # from, to
DTYPES = (torch.float16, torch.bfloat16, torch.float32)
# CUDA's limit on the second axis of a grid.
MOST_HEADS = 65535


class Status(NamedTuple):
    """Whether the kernels run here: see `triton_status`."""

    kind: str  # "GPU", "interpreter" or "none"
    why: str  # in a sentence

    @property
    def runs(self) -> bool:
        """Whether `triton_attention` can be called."""
        return self.kind != "none"


def triton_status() -> Status:
    """Say what would run the kernels here, or why nothing does.

    Asks for Triton, for a GPU and for the variable TRITON_INTERPRET, and
    loads no Triton.
    """
    if (missing := _missing()) is not None:
        return Status("none", missing)
    if _interprets():
        return Status(
            "interpreter",
            "Triton's interpreter runs the kernels on the processor, tile by "
            "tile: slow, and the same numbers.",
        )
    if not torch.cuda.is_available():
        return Status(
            "none",
            "no GPU here: call use_interpreter() before anything loads "
            "Triton, or set TRITON_INTERPRET=1.",
        )
    capability = torch.cuda.get_device_capability()
    if (obstacle := triton_obstacle(capability)) is not None:
        return Status("none", obstacle)
    return Status("GPU", f"{torch.cuda.get_device_name()} runs the kernels.")


def use_interpreter() -> Status:
    """Let Triton's interpreter run the kernels in this process.

    To be called before anything loads Triton, which reads the variable
    TRITON_INTERPRET once. Where there is no Triton nothing happens; the
    answer says so.

    Raises
    ------
    RuntimeError
        When Triton is loaded already and compiles: start Python again.
    """
    if _missing() is None and not _interprets():
        if "triton" in sys.modules:
            raise RuntimeError(
                "expected Triton not to be loaded yet, got a process that "
                "compiles its kernels: start Python (or the notebook's "
                "kernel) again and call use_interpreter() first"
            )
        os.environ["TRITON_INTERPRET"] = "1"
    return triton_status()


def triton_attention(
    query: Float[torch.Tensor, "... n_q d"],
    key: Float[torch.Tensor, "... n_k d"],
    value: Float[torch.Tensor, "... n_k d"],
    *,
    causal: bool = False,
    q_offset: int = 0,
    scale: float | None = None,
    tiles: Tiles | None = None,
) -> Float[torch.Tensor, "... n_q d"]:
    """Attend without ever storing the scores: FlashAttention in Triton.

    The same numbers as `attn_course.attention`, and the same gradients;
    memory grows with n, not n² (Dao et al. 2022; Dao 2023).

    Parameters
    ----------
    query, key, value
        Shapes `(..., H, n_q, d)`, `(..., H_kv, n_k, d)` twice; d from 16 to
        128. Two dimensions mean one head; axes before the heads broadcast.
        H is a multiple of H_kv: query head h reads key and value head
        h // (H / H_kv). float16, bfloat16 (compiled, never run by us) or
        float32, on a GPU, or anywhere with Triton's interpreter.
    causal
        Query i sees the keys j ≤ i + q_offset.
    q_offset
        Query i stands at position i + q_offset.
    scale
        What q·k is multiplied by; 1/√d unless told.
    tiles
        Sizes of the tiles for all three kernels; chosen for the card, the
        dtype and d unless told. On a GPU, tiles that are too large raise
        `triton.runtime.errors.OutOfResources`.

    Returns
    -------
    output
        Shape `(..., H, n_q, d)`, in the dtype of the inputs; sums run in
        float32. It can be differentiated once. A query that may look at
        nothing gets zeros. NaN and inf reach only the queries that may look
        at them.

    Raises
    ------
    ValueError
        When shapes, dtypes or devices do not fit; the message says what was
        expected and what came.
    RuntimeError
        When nothing here runs Triton: `triton_status` says why.
    """
    scale = check_inputs(query, key, value, scale=scale)
    _check_kernels(query, key, value)
    _check_place(query)
    check_integer("q_offset", q_offset)
    # Beyond the last key, or before the first, it makes no difference.
    q_offset = within(q_offset, -query.shape[-2], key.shape[-2])
    q, k, v = (x[None] if x.ndim == 2 else x for x in (query, key, value))
    batch = torch.broadcast_shapes(*(x.shape[:-3] for x in (q, k, v)))
    _check_grid(math.prod(batch) * q.shape[-3])
    flat = [
        x.expand(*batch, *x.shape[-3:]).reshape(-1, *x.shape[-2:]).contiguous()
        for x in (q, k, v)
    ]  # (batch · heads, n, d)
    reach = q_offset if causal else None
    finite = [x.isfinite() for x in flat]
    if all(bool(good.all()) for good in finite):
        output = _Flash.apply(*flat, reach, scale, tiles)
    else:
        # 0 · NaN is NaN: hidden numbers would reach who may not see them.
        cleaned = (
            torch.where(good, x, 0.0)
            for good, x in zip(finite, flat, strict=True)
        )
        output = _Flash.apply(*cleaned, reach, scale, tiles)
        output = _spoil(output, *flat, reach)  # pyright: ignore[reportCallIssue]
    one_head = max(x.ndim for x in (query, key, value)) == 2
    return output.reshape(query.shape if one_head else (*batch, *q.shape[-3:]))


class _Flash(torch.autograd.Function):
    """Tell autograd which kernels go forward and which go back."""

    @staticmethod
    def forward(
        ctx: Any,
        q: Float[torch.Tensor, "heads n_q d"],
        k: Float[torch.Tensor, "kv_heads n_k d"],
        v: Float[torch.Tensor, "kv_heads n_k d"],
        reach: int | None,
        scale: float,
        tiles: Tiles | None,
    ) -> Float[torch.Tensor, "heads n_q d"]:
        """Keep, besides the arrays, one number a query: lse.

        Query i sees the keys up to i + reach; all, where that is None.
        """
        output = torch.empty_like(q)
        lse = _a_number_each(q)  # (heads, n_q)
        arrays = (q, k, v, output, lse)
        _start("forward", arrays, reach, scale, tiles)
        ctx.save_for_backward(*arrays)
        ctx.options = reach, scale, tiles
        return output

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Float[torch.Tensor, "heads n_q d"]) -> tuple:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Compute the weights again, tile by tile."""
        q, k, v, output, lse = ctx.saved_tensors
        grad = grad.contiguous()
        delta = _a_number_each(q)  # (heads, n_q)
        dq, dk, dv = (torch.empty_like(x) for x in (q, k, v))
        arrays = (q, k, v, output, grad, lse, delta, dq)
        _start("gradient_of_queries", arrays, *ctx.options)
        arrays = (q, k, v, grad, lse, delta, dk, dv)
        _start("gradient_of_keys", arrays, *ctx.options)
        return dq, dk, dv, None, None, None


def _spoil(
    output: Float[torch.Tensor, "heads n_q d"],
    q: Float[torch.Tensor, "heads n_q d"],
    k: Float[torch.Tensor, "kv_heads n_k d"],
    v: Float[torch.Tensor, "kv_heads n_k d"],
    reach: int | None,
) -> Float[torch.Tensor, "heads n_q d"]:
    """Let NaN and inf reach the queries that see them, and no other.

    As `attention` does, without an n_q × n_k mask: what a causal query sees
    is what was met up to its last key.
    """
    n_q, n_k = q.shape[1], k.shape[1]
    places = torch.arange(n_q, device=q.device)
    last = places.clamp(min=n_k - 1) if reach is None else places + reach
    group = q.shape[0] // k.shape[0]

    def met(marked: torch.Tensor) -> torch.Tensor:
        """Say, from (kv_heads, n_k, d), who may see a marked number."""
        so_far = marked.cumsum(dim=1) > 0  # (kv_heads, n_k, d)
        found = so_far[:, last.clamp(0, n_k - 1)]  # (kv_heads, n_q, d)
        found = found & (last >= 0)[:, None]
        return found.repeat_interleave(group, dim=0)  # (heads, n_q, d)

    odd_key = ~k.isfinite().all(dim=-1, keepdim=True)  # (kv_heads, n_k, 1)
    odd_query = ~q.isfinite().all(dim=-1, keepdim=True)  # (heads, n_q, 1)
    odd_query = odd_query & (last >= 0)[:, None]
    up, down = met(v == math.inf), met(v == -math.inf)
    odd = met(v.isnan()) | (up & down) | met(odd_key) | odd_query
    extra = torch.zeros_like(output).masked_fill(up, math.inf)
    extra = extra.masked_fill(down, -math.inf).masked_fill(odd, math.nan)
    return output + extra


def _a_number_each(
    q: Float[torch.Tensor, "heads n_q d"],
) -> Float[torch.Tensor, "heads n_q"]:
    """Make room for a float32 number for each query."""
    return torch.empty(q.shape[:2], dtype=torch.float32, device=q.device)


def _start(
    name: str,
    arrays: tuple[torch.Tensor, ...],
    reach: int | None,
    scale: float,
    tiles: Tiles | None,
) -> None:
    """Start one kernel: a program for each tile of each head."""
    from attn_course.flash import triton_kernels

    q, k = arrays[:2]
    (heads, n_q, d), (kv_heads, n_k, _) = q.shape, k.shape
    tiles = tiles or _tiles(name, q)
    if name == "gradient_of_keys":
        grid = (-(-n_k // tiles.block_k), kv_heads)
    else:
        grid = (-(-n_q // tiles.block_q), heads)
    # Programs run on the card where the arrays are.
    with torch.cuda.device_of(q):
        getattr(triton_kernels, name)[grid](
            *arrays,
            n_q,
            n_k,
            heads // kv_heads,
            scale,
            reach or 0,
            CAUSAL=reach is not None,
            D=d,
            BLOCK_D=block_d(d),
            BLOCK_Q=tiles.block_q,
            BLOCK_K=tiles.block_k,
            num_warps=tiles.warps,
            num_stages=tiles.stages,
        )


def block_d(d: int) -> int:
    """Give the power of two, at least 16, that holds d numbers.

    Examples
    --------
    >>> block_d(16), block_d(80)
    (16, 128)
    """
    return max(16, 1 << (d - 1).bit_length())


def _tiles(name: str, q: torch.Tensor) -> Tiles:
    """Choose tiles; the interpreter gets those of the smallest card."""
    card = torch.cuda.get_device_capability(q.device) if q.is_cuda else (7, 5)
    return tiles_for(card, _name(q.dtype), q.shape[-1], name)


def _name(dtype: torch.dtype) -> str:
    """Give a dtype's name as NumPy writes it."""
    return str(dtype).removeprefix("torch.")


def _check_kernels(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
) -> None:
    """Check what the kernels want besides what `attention` wants."""
    if not isinstance(query, torch.Tensor):
        raise ValueError(
            f"expected tensors of torch, got {type(query).__name__}"
        )
    if query.dtype not in DTYPES:
        names = [_name(x) for x in DTYPES]
        raise ValueError(f"expected one of {names}, got {_name(query.dtype)}")
    d, least, most = query.shape[-1], *HEAD_SIZES
    if not least <= d <= most:
        raise ValueError(
            f"expected d from {least} to {most}, got {d} "
            f"(query.shape={tuple(query.shape)})"
        )
    if value.shape[-1] != d:
        raise ValueError(
            f"expected value with d_v={d} to match query, got "
            f"{value.shape[-1]} (value.shape={tuple(value.shape)})"
        )
    if not (query.numel() and key.numel()):
        raise ValueError(
            "expected at least one query and one key, got "
            f"query.shape={tuple(query.shape)}, key.shape={tuple(key.shape)}"
        )


def _check_grid(heads: int) -> None:
    """Check that CUDA can count the heads of the whole batch."""
    if heads > MOST_HEADS:
        raise ValueError(
            f"expected at most {MOST_HEADS} heads in all batches together, "
            f"got {heads}"
        )


def _check_place(query: torch.Tensor) -> None:
    """Check that the kernels run where the arrays are."""
    status = triton_status()
    if not status.runs:
        raise RuntimeError(
            f"expected something that runs Triton: {status.why}"
        )
    if status.kind == "GPU" and not query.is_cuda:
        raise ValueError(f"expected tensors on a GPU, got {query.device}")
    if query.dtype != torch.bfloat16:
        return
    if status.kind == "interpreter":
        raise ValueError(
            "expected float16 or float32 in Triton's interpreter, which "
            "multiplies bfloat16 wrongly, got bfloat16"
        )
    if torch.cuda.get_device_capability(query.device) < BFLOAT16_FROM:
        raise ValueError(
            "expected float16 or float32 on a card older than 8.0, got "
            "bfloat16"
        )


def _missing() -> str | None:
    """Say why Triton can't be loaded; None when it can."""
    if sys.platform != "linux":
        system = {"darwin": "macOS", "win32": "Windows"}
        name = system.get(sys.platform, platform.system())
        return (
            f"Triton is made for Linux, and this is {name}: read the "
            "kernels here, run them on Linux (Colab, for example)."
        )
    if importlib.util.find_spec("triton") is None:
        return (
            "Triton is not installed: `pip install triton`. With a GPU, "
            "torch's own packages bring it."
        )
    return None


def _interprets() -> bool:
    """Say whether the kernels are, or would be, interpreted."""
    if "triton" in sys.modules:
        # What was decided when Triton was loaded, not the variable of today.
        sum_of_triton = sys.modules["triton"].language.sum
        return type(sum_of_triton).__name__ == "InterpretedFunction"
    return os.environ.get("TRITON_INTERPRET", "0") in ("1", "true", "on")
