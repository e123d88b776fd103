"""Try the Triton kernels in Triton's interpreter, against float64."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from attn_course.flash.apart import ask_apart
from attn_course.flash.cards import KERNELS, Tiles
from attn_course.optional import need

__all__ = ["Case", "errors", "requests", "try_cases"]


class Case(NamedTuple):
    """One shape to try: query (batch, heads, n_q, d)."""

    batch: int
    heads: int
    kv_heads: int
    n_q: int
    n_k: int
    d: int
    dtype: str = "float32"
    causal: bool = False
    tiles: tuple[int, ...] | None = None  # as in `Tiles`; None: the default
    seed: int = 0  # of the numbers
    q_offset: int = 0


def try_cases(
    cases: Sequence[Case], *, what: str = "errors"
) -> list[dict[str, Any]]:
    """Call `errors` or `requests` on each case, in a process that interprets.

    Raises
    ------
    RuntimeError
        When that process fails; with what it said.
    """
    return ask_apart(f"{__name__}:{what}", cases, interpret=True)


def errors(case: Sequence[Any]) -> dict[str, float]:
    """Run forward and back; give the error of the output and each gradient.

    An error is the largest difference from float64 anywhere, relative to the
    largest number there, or to 1 where all are smaller. float64 starts from
    the same numbers, already rounded to the case's dtype.

    Needs a process that interprets: see `try_cases`.
    """
    torch = need("torch")

    from attn_course.flash.gpu import triton_attention
    from attn_course.functional import attention

    case = Case(*case)
    *inputs, grad = _arrays(case)
    tiles = Tiles(*case.tiles) if case.tiles else None
    ours = _run(triton_attention, inputs, grad, case, tiles=tiles)
    wide = [x.to(torch.float64) for x in (*inputs, grad)]
    truth = _run(attention, wide[:3], wide[3], case)
    return {
        name: float((x - y).abs().max() / y.abs().max().clamp(min=1.0))
        for name, x, y in zip(
            ("output", "dq", "dk", "dv"), ours, truth, strict=True
        )
    }


def requests(case: Sequence[Any]) -> dict[str, dict[str, list[int]]]:
    """Count what each kernel asks for: [loaded, stored], and the formula's.

    Needs a process that interprets, and a case that names its tiles.
    """
    from attn_course.flash.gpu import triton_attention
    from attn_course.flash.requested import count_requests, requested_bytes

    case = Case(*case)
    if case.tiles is None:
        raise ValueError(f"expected a case that names its tiles, got {case}")
    tiles, (*inputs, grad) = Tiles(*case.tiles), _arrays(case)
    for x in inputs:
        x.requires_grad_()
    with count_requests() as forward:
        output = triton_attention(*inputs, causal=case.causal, tiles=tiles)
    with count_requests() as backward:
        output.backward(grad)
    formula = [
        requested_bytes(
            kernel,
            case.n_q,
            case.n_k,
            case.d,
            tiles=tiles,
            heads=case.batch * case.heads,
            kv_heads=case.batch * case.kv_heads,
            dtype=case.dtype,
            causal=case.causal,
        )
        for kernel in KERNELS
    ]
    loaded = [x.loaded for x in formula]
    stored = [x.stored for x in formula]
    return {
        "forward": {
            "counted": [forward.loaded, forward.stored],
            "formula": [loaded[0], stored[0]],
        },
        "backward": {
            "counted": [backward.loaded, backward.stored],
            "formula": [sum(loaded[1:]), sum(stored[1:])],
        },
    }


def _arrays(case: Case) -> list[Any]:
    """Draw query, key, value and the gradient that comes in."""
    torch = need("torch")

    generator = torch.Generator().manual_seed(case.seed)
    dtype = getattr(torch, case.dtype)
    query = (case.batch, case.heads, case.n_q, case.d)
    key = (case.batch, case.kv_heads, case.n_k, case.d)
    return [
        torch.randn(shape, generator=generator).to(dtype)
        for shape in (query, key, key, query)
    ]


def _run(
    attend: Any, inputs: list[Any], grad: Any, case: Case, **options: Any
) -> list[Any]:
    """Give output, dq, dk and dv."""
    inputs = [x.clone().requires_grad_() for x in inputs]
    where = {"causal": case.causal, "q_offset": case.q_offset}
    output = attend(*inputs, **where, **options)
    output.backward(grad)
    return [output.detach(), *(x.grad for x in inputs)]
