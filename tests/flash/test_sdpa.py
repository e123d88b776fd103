"""The rung that readers use: torch's SDPA on this processor, against float64.

The same bounds as for the tiles in NumPy and the kernels in Triton, but for
gradients in float16: torch takes the sum of a row from the rounded output,
and was off by 1.4e-3 in the worst of 80 shapes.
"""

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from attn_course import attention

# By dtype: of the output, of the gradients.
BOUNDS = {torch.float32: (1e-5, 1e-5), torch.float16: (1e-3, 2e-3)}


def run(attend, inputs, grad, **options):
    """Give the output and the gradients of query, key and value."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    output = attend(*leaves, **options)
    output.backward(grad)
    return [output.detach(), *(leaf.grad for leaf in leaves)]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("dtype", BOUNDS, ids=str)
def test_sdpa_agrees_with_float64_forward_and_back(dtype, seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    batch, shared, kv_heads = (int(x) for x in rng.integers(1, 4, size=3))
    n, d = int(rng.integers(1, 150)), int(rng.integers(8, 65))
    heads, causal = kv_heads * shared, bool(seed % 2)
    q, grad = torch.randn(2, batch, heads, n, d).to(dtype)
    k, v = torch.randn(2, batch, kv_heads, n, d).to(dtype)
    theirs = run(
        scaled_dot_product_attention,
        (q, k, v),
        grad,
        is_causal=causal,
        enable_gqa=True,
    )
    wide = [x.double() for x in (q, k, v)]
    truth = run(attention, wide, grad.double(), causal=causal)
    of_output, of_gradients = BOUNDS[dtype]
    bounds = [of_output, *[of_gradients] * 3]
    for x, true, bound in zip(theirs, truth, bounds, strict=True):
        assert x.dtype == dtype
        largest = true.abs().max().clamp(min=1.0)
        assert (x - true).abs().max() / largest < bound
