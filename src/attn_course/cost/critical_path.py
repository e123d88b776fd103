"""How many steps of a computation have to wait for one another.

An operation can't start before its inputs are there. With as many processors
as one likes, the longest chain of such waits, the **critical path**, is what
remains of the time (Brent 1974). It is counted here from the operations that
torch carries out, not from a formula.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["CriticalPath", "critical_path"]

PRODUCTS = {"mm", "bmm", "addmm", "baddbmm"}
# One name for many steps in a row: nothing can be counted inside.
HIDING = ("rnn", "lstm", "gru", "scaled_dot_product")
REDUCTIONS = {"sum", "mean", "amax", "_softmax", "_log_softmax", "logsumexp"}


class CriticalPath(NamedTuple):
    """The longest chain, in three units."""

    products: int  # matrix products
    operations: int  # all operations that compute something
    levels: int  # the same, a sum over k numbers taken as log₂ k additions


def critical_path(compute: Callable[[], Any]) -> CriticalPath:
    """Run `compute` and measure its longest chain of operations.

    Each unit has a longest chain of its own. Whatever only moves or names
    numbers (views, copies, new arrays) is free, and so are inputs. If
    `compute` calls `backward()`, that is counted too. Two operations that
    write into parts of one array count as one after the other, so the
    numbers of operations and levels are upper bounds for code that does so.

    Raises
    ------
    ValueError
        When `compute` carries out no operation of torch, or one that hides
        many steps behind one name, as a fused kernel does.

    Examples
    --------
    Two products side by side, and one that needs both:

    >>> x = torch.ones(4, 4)
    >>> critical_path(lambda: (x @ x) @ (x @ x))
    CriticalPath(products=2, operations=2, levels=6)
    """
    with _Clock() as clock:
        compute()
    if not clock.ready:
        raise ValueError("expected operations of torch, got none")
    longest = (max(unit) for unit in zip(*clock.ready.values(), strict=True))
    return CriticalPath(*longest)


class _Clock(TorchDispatchMode):
    """Note when each piece of memory is ready, in the three units."""

    def __init__(self):
        super().__init__()
        self.ready: dict[int, tuple[int, ...]] = {}
        self.kept: list[torch.Tensor] = []  # so that no address comes twice

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = operation.overloadpacket.__name__
        if any(part in name for part in HIDING):
            raise ValueError(
                f"expected operations one by one, got {name!r}, which hides "
                "its steps"
            )
        result = operation(*args, **(kwargs or {}))
        came = _tensors((args, kwargs))
        made = _tensors(result)
        begin = [self.ready.get(_memory(x), (0, 0, 0)) for x in came]
        start = [max(unit) for unit in zip((0, 0, 0), *begin, strict=True)]
        costs = _costs(name, came, made)
        end = tuple(a + b for a, b in zip(start, costs, strict=True))
        for x in made:
            self.kept.append(x)
            before = self.ready.get(_memory(x), (0, 0, 0))
            self.ready[_memory(x)] = tuple(map(max, before, end))
        return result


def _costs(
    name: str, came: list[torch.Tensor], made: list[torch.Tensor]
) -> tuple[int, int, int]:
    """Give what one operation adds, in the three units."""
    if name in PRODUCTS:
        inner = came[-1].shape[-2]
        return 1, 1, 1 + _halvings(inner)
    if not came or not made or name in MOVES or _is_view(came, made):
        return 0, 0, 0
    if name in REDUCTIONS:
        kept = made[0].numel() if name in ("sum", "mean", "amax") else None
        k = came[0].numel() // kept if kept else came[0].shape[-1]
        return 0, 1, 1 + _halvings(k)
    return 0, 1, 1


# Numbers are moved, not computed with.
MOVES = {
    "clone", "_to_copy", "copy_", "cat", "stack", "zeros_like", "new_zeros",
    "ones_like", "empty_like", "full_like", "fill_", "zero_", "embedding",
    "slice_backward", "select_backward", "index_select", "_unsafe_view",
}  # fmt: skip


def _is_view(came: list[torch.Tensor], made: list[torch.Tensor]) -> bool:
    """Say whether the result is the memory of an input, under a new name."""
    names = {id(x) for x in came}
    memory = {_memory(x) for x in came}
    return all(_memory(x) in memory and id(x) not in names for x in made)


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [x for x in tree_leaves(tree) if isinstance(x, torch.Tensor)]


def _memory(x: torch.Tensor) -> int:
    return x.untyped_storage().data_ptr()


def _halvings(k: int) -> int:
    """Give the additions in a row that a sum of k numbers takes."""
    return math.ceil(math.log2(max(k, 1)))
