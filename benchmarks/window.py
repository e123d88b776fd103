"""A window of attention, three ways, against all of it; ratios of one run.

    python benchmarks/window.py

SDPA causal (everything before), SDPA with the window as a mask, the window
block by block (`attn_course.sparse.windowed_attention`), and
`flex_attention`, where torch finds a compiler: without one it computes all
scores, like a mask does. A mask alone saves nothing; it even keeps SDPA from
skipping what lies above the diagonal.
"""

import sys
import time

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention as sdpa

from attn_course import masks
from attn_course.sparse import windowed_attention

LENGTHS, LEFT, HEADS, D, ROUNDS = [1024, 2048, 4096, 8192], 256, 4, 64, 5


def ways(n, q):
    """Give each way as a function of nothing."""
    mask = torch.as_tensor(masks.sliding_window(n, left=LEFT, right=0))
    return {
        "SDPA causal": lambda: sdpa(q, q, q, is_causal=True),
        "SDPA, mask": lambda: sdpa(q, q, q, mask),
        "blocks": lambda: windowed_attention(q, q, q, left=LEFT),
    }


def flex(n):
    """Compile flex_attention for the window; None where it can't be."""
    from torch.nn.attention.flex_attention import (
        create_block_mask,
        flex_attention,
    )

    def near(batch, head, i, j):
        return (j <= i) & (i - j <= LEFT)

    try:
        mask = create_block_mask(near, None, None, n, n, device="cpu")
        compiled = torch.compile(flex_attention)
        x = torch.randn(1, HEADS, n, D)
        compiled(x, x, x, block_mask=mask)
    except Exception as error:  # whatever the compiler says
        print(f"flex_attention: left out ({type(error).__name__})")
        return None
    return lambda q: compiled(q, q, q, block_mask=mask)


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    with_flex = "--flex" in sys.argv[1:]
    print(f"window of {LEFT}, {HEADS} heads, d = {D}, one thread")
    print("ms of SDPA causal; the others as times of it, median to median,")
    print("and in brackets the least time to the least")
    for n in LENGTHS:
        q = torch.randn(1, HEADS, n, D)
        each = ways(n, q)
        compiled = flex(n) if with_flex else None
        if compiled is not None:
            each["flex_attention"] = lambda q=q, run=compiled: run(q)
        wanted = each["SDPA, mask"]()
        times = {name: [] for name in each}
        for name, run in each.items():  # warms up, and checks
            if name != "SDPA causal":
                torch.testing.assert_close(run(), wanted)
            else:
                run()
        for _ in range(ROUNDS):  # in turns: what else runs falls on all
            for name, run in each.items():
                start = time.perf_counter()
                run()
                times[name].append(time.perf_counter() - start)
        base = np.array(times.pop("SDPA causal"))
        line = f"n = {n:5d}  {1000 * np.median(base):7.1f} ms"
        for name, found in times.items():
            ratio = np.median(found) / np.median(base)
            least = min(found) / base.min()
            line += f"  {name} {ratio:.2f} ({least:.2f})"
        print(line, flush=True)
    if not with_flex:
        print("flex_attention needs a compiler: add --flex to try it")


if __name__ == "__main__":
    main()
