"""Flash attention as Triton kernels: what one program on the GPU does.

A kernel is started once for each tile of the result, and each start is a
program with a number of its own. Many run at the same time, in any order,
and none waits for another. A pointer stands for the first number of an array
in the GPU's large memory. What `tl.load` brings lies in the small fast memory
beside the arithmetic, and there the scores stay: no line below stores them.

All arrays are contiguous, with heads and batches as one axis: `(heads, n, d)`.
A group of `group` query heads shares one key and value head. The names in
capitals are known when a kernel is compiled: `D`, the length of a vector,
`BLOCK_D`, the power of two that holds it, and the heights of the tiles,
`BLOCK_Q` queries and `BLOCK_K` keys. Query i stands at place i + q_offset,
which may be before the first key or after the last. Numbers are finite and may
be float16, bfloat16 or float32; sums are in float32 always.

The loops are those of FlashAttention-2 (Dao 2023, algorithms 1 and 2), but
for the gradients: queries and keys get kernels of their own, so that no two
programs add to the same numbers.

Triton is for Linux: elsewhere this file is to be read. It has been run in
Triton's interpreter and compiled for several GPUs; not yet run by us on one.
"""

import triton
import triton.language as tl

__all__ = ["forward", "gradient_of_keys", "gradient_of_queries"]


@triton.jit
def forward(
    q_ptr,  # (heads, n_q, D)
    k_ptr,  # (heads / group, n_k, D)
    v_ptr,  # (heads / group, n_k, D)
    o_ptr,  # (heads, n_q, D), written
    lse_ptr,  # (heads, n_q), float32, written: log of each query's sum
    n_q,
    n_k,
    group,
    scale,
    q_offset,
    CAUSAL: tl.constexpr,
    D: tl.constexpr,
    BLOCK_D: tl.constexpr,
    BLOCK_Q: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    """Attend with one block of queries to all keys that it may see."""
    start = tl.program_id(0) * BLOCK_Q
    # 64 bits: head · n · D can pass 2³¹.
    head = tl.program_id(1).to(tl.int64)
    q_ptr += head * n_q * D
    o_ptr += head * n_q * D
    lse_ptr += head * n_q
    k_ptr += head // group * n_k * D
    v_ptr += head // group * n_k * D

    queries = start + tl.arange(0, BLOCK_Q)  # (BLOCK_Q,)
    places = queries + q_offset  # (BLOCK_Q,)
    q = load_tile(q_ptr, queries, n_q, D, BLOCK_D)  # (BLOCK_Q, BLOCK_D)

    # The state of the online softmax, a number or a row for each query.
    largest = tl.full((BLOCK_Q,), float("-inf"), tl.float32)  # (BLOCK_Q,)
    total = tl.zeros((BLOCK_Q,), tl.float32)  # (BLOCK_Q,)
    mixed = tl.zeros((BLOCK_Q, BLOCK_D), tl.float32)  # (BLOCK_Q, BLOCK_D)

    stop = n_k
    if CAUSAL:  # tiles to the right of the diagonal are never loaded
        stop = tl.minimum(n_k, start + BLOCK_Q + q_offset)
    for first in range(0, stop, BLOCK_K):
        keys = first + tl.arange(0, BLOCK_K)  # (BLOCK_K,)
        k = load_tile(k_ptr, keys, n_k, D, BLOCK_D)  # (BLOCK_K, BLOCK_D)
        v = load_tile(v_ptr, keys, n_k, D, BLOCK_D)  # (BLOCK_K, BLOCK_D)
        scores = scores_of(q, k, places, keys, n_k, scale, CAUSAL)

        new_largest = tl.maximum(largest, tl.max(scores, 1))  # (BLOCK_Q,)
        # Of a query without a key yet −inf − (−inf) would be NaN.
        safe = tl.where(new_largest == float("-inf"), 0.0, new_largest)
        shrink = tl.exp(largest - safe)  # (BLOCK_Q,)
        shares = tl.exp(scores - safe[:, None])  # (BLOCK_Q, BLOCK_K)
        total = total * shrink + tl.sum(shares, 1)
        mixed = mixed * shrink[:, None] + product(shares, v)
        largest = new_largest

    # A query that sees nothing: its output is 0, and so is what stands for
    # its lse, below which its scores of −inf weigh nothing.
    seen = total > 0.0  # (BLOCK_Q,)
    total = tl.where(seen, total, 1.0)
    lse = tl.where(seen, largest + tl.log(total), 0.0)
    store_tile(o_ptr, mixed / total[:, None], queries, n_q, D, BLOCK_D)
    tl.store(lse_ptr + queries, lse, queries < n_q)


@triton.jit
def gradient_of_queries(
    q_ptr,  # (heads, n_q, D)
    k_ptr,  # (heads / group, n_k, D)
    v_ptr,  # (heads / group, n_k, D)
    o_ptr,  # (heads, n_q, D)
    do_ptr,  # (heads, n_q, D), the gradient that comes in
    lse_ptr,  # (heads, n_q)
    delta_ptr,  # (heads, n_q), float32, written: for the other kernel
    dq_ptr,  # (heads, n_q, D), written
    n_q,
    n_k,
    group,
    scale,
    q_offset,
    CAUSAL: tl.constexpr,
    D: tl.constexpr,
    BLOCK_D: tl.constexpr,
    BLOCK_Q: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    """Compute the gradient of one block of queries.

    The weights are not there any more: exp(score − lse) brings them back.
    """
    start = tl.program_id(0) * BLOCK_Q
    head = tl.program_id(1).to(tl.int64)
    q_ptr += head * n_q * D
    o_ptr += head * n_q * D
    do_ptr += head * n_q * D
    dq_ptr += head * n_q * D
    lse_ptr += head * n_q
    delta_ptr += head * n_q
    k_ptr += head // group * n_k * D
    v_ptr += head // group * n_k * D

    queries = start + tl.arange(0, BLOCK_Q)  # (BLOCK_Q,)
    places = queries + q_offset  # (BLOCK_Q,)
    o = load_tile(o_ptr, queries, n_q, D, BLOCK_D)  # (BLOCK_Q, BLOCK_D)
    do = load_tile(do_ptr, queries, n_q, D, BLOCK_D)  # (BLOCK_Q, BLOCK_D)
    # Σ weight · dweight over all keys, without a weight: Dao 2022, eq. 4.
    delta = tl.sum(o.to(tl.float32) * do.to(tl.float32), 1)  # (BLOCK_Q,)
    tl.store(delta_ptr + queries, delta, queries < n_q)

    q = load_tile(q_ptr, queries, n_q, D, BLOCK_D)  # (BLOCK_Q, BLOCK_D)
    lse = tl.load(lse_ptr + queries, queries < n_q, 0.0)  # (BLOCK_Q,)
    dq = tl.zeros((BLOCK_Q, BLOCK_D), tl.float32)  # (BLOCK_Q, BLOCK_D)

    stop = n_k
    if CAUSAL:
        stop = tl.minimum(n_k, start + BLOCK_Q + q_offset)
    for first in range(0, stop, BLOCK_K):
        keys = first + tl.arange(0, BLOCK_K)  # (BLOCK_K,)
        k = load_tile(k_ptr, keys, n_k, D, BLOCK_D)  # (BLOCK_K, BLOCK_D)
        v = load_tile(v_ptr, keys, n_k, D, BLOCK_D)  # (BLOCK_K, BLOCK_D)
        scores = scores_of(q, k, places, keys, n_k, scale, CAUSAL)
        weights = tl.exp(scores - lse[:, None])  # (BLOCK_Q, BLOCK_K)
        dweights = product(do, tl.trans(v))  # (BLOCK_Q, BLOCK_K)
        dscores = weights * (dweights - delta[:, None])  # (BLOCK_Q, BLOCK_K)
        dq += product(dscores, k)

    store_tile(dq_ptr, dq * scale, queries, n_q, D, BLOCK_D)


@triton.jit
def gradient_of_keys(
    q_ptr,  # (heads, n_q, D)
    k_ptr,  # (heads / group, n_k, D)
    v_ptr,  # (heads / group, n_k, D)
    do_ptr,  # (heads, n_q, D), the gradient that comes in
    lse_ptr,  # (heads, n_q)
    delta_ptr,  # (heads, n_q), from `gradient_of_queries`
    dk_ptr,  # (heads / group, n_k, D), written
    dv_ptr,  # (heads / group, n_k, D), written
    n_q,
    n_k,
    group,
    scale,
    q_offset,
    CAUSAL: tl.constexpr,
    D: tl.constexpr,
    BLOCK_D: tl.constexpr,
    BLOCK_Q: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    """Compute the gradients of one block of keys and their values."""
    start = tl.program_id(0) * BLOCK_K
    kv_head = tl.program_id(1).to(tl.int64)
    k_ptr += kv_head * n_k * D
    v_ptr += kv_head * n_k * D
    dk_ptr += kv_head * n_k * D
    dv_ptr += kv_head * n_k * D

    keys = start + tl.arange(0, BLOCK_K)  # (BLOCK_K,)
    k = load_tile(k_ptr, keys, n_k, D, BLOCK_D)  # (BLOCK_K, BLOCK_D)
    v = load_tile(v_ptr, keys, n_k, D, BLOCK_D)  # (BLOCK_K, BLOCK_D)
    dk = tl.zeros((BLOCK_K, BLOCK_D), tl.float32)  # (BLOCK_K, BLOCK_D)
    dv = tl.zeros((BLOCK_K, BLOCK_D), tl.float32)  # (BLOCK_K, BLOCK_D)

    begin = 0
    if CAUSAL:  # queries before these keys do not see them
        begin = tl.maximum(start - q_offset, 0) // BLOCK_Q * BLOCK_Q
    for member in range(0, group):  # all query heads that share these keys
        head = kv_head * group + member
        for first in range(begin, n_q, BLOCK_Q):
            queries = first + tl.arange(0, BLOCK_Q)  # (BLOCK_Q,)
            there = queries < n_q
            rows = head * n_q + queries  # (BLOCK_Q,)
            q = load_tile(q_ptr + head * n_q * D, queries, n_q, D, BLOCK_D)
            do = load_tile(do_ptr + head * n_q * D, queries, n_q, D, BLOCK_D)
            lse = tl.load(lse_ptr + rows, there, 0.0)  # (BLOCK_Q,)
            delta = tl.load(delta_ptr + rows, there, 0.0)  # (BLOCK_Q,)

            places = queries + q_offset  # (BLOCK_Q,)
            scores = scores_of(q, k, places, keys, n_k, scale, CAUSAL)
            weights = tl.exp(scores - lse[:, None])  # (BLOCK_Q, BLOCK_K)
            dweights = product(do, tl.trans(v))  # (BLOCK_Q, BLOCK_K)
            dscores = weights * (dweights - delta[:, None])
            dv += product(tl.trans(weights), do)
            dk += product(tl.trans(dscores), q)

    store_tile(dk_ptr, dk * scale, keys, n_k, D, BLOCK_D)
    store_tile(dv_ptr, dv, keys, n_k, D, BLOCK_D)


@triton.jit
def scores_of(q, k, places, keys, n_k, scale, CAUSAL: tl.constexpr):
    """Compare one block of queries with one of keys: (BLOCK_Q, BLOCK_K).

    −inf stands where a query may not look, past its own place, or where the
    keys end. Rows past the last query hold zeros, so that they add nothing to
    any gradient.
    """
    scores = product(q, tl.trans(k)) * scale  # (BLOCK_Q, BLOCK_K)
    seen = (keys < n_k)[None, :]  # (1, BLOCK_K)
    if CAUSAL:
        seen = seen & (keys[None, :] <= places[:, None])
    return tl.where(seen, scores, float("-inf"))


@triton.jit
def product(a, b):
    """Multiply two tiles, in b's number format; the sums are in float32.

    Tensor cores do this where the GPU has them for that format. "ieee" keeps
    float32 whole: NVIDIA's GPUs would otherwise cut it to 10 bits (TF32).
    """
    return tl.dot(a.to(b.dtype), b, input_precision="ieee")


@triton.jit
def load_tile(ptr, rows, n, D: tl.constexpr, BLOCK_D: tl.constexpr):
    """Load rows of an array (n, D): (rows, BLOCK_D), zeros beyond its end."""
    cols = tl.arange(0, BLOCK_D)  # (BLOCK_D,)
    inside = (rows < n)[:, None] & (cols < D)[None, :]
    return tl.load(ptr + rows[:, None] * D + cols[None, :], inside, 0.0)


@triton.jit
def store_tile(ptr, tile, rows, n, D: tl.constexpr, BLOCK_D: tl.constexpr):
    """Store a tile as rows of an array (n, D), in the array's format."""
    cols = tl.arange(0, BLOCK_D)  # (BLOCK_D,)
    inside = (rows < n)[:, None] & (cols < D)[None, :]
    at = ptr + rows[:, None] * D + cols[None, :]
    tl.store(at, tile.to(ptr.dtype.element_ty), inside)
