"""The shapes in the signatures are true: beartype checks them here.

The checks run in a process of their own: they would otherwise raise before
our own errors do, in every other test.
"""

import subprocess
import sys

import numpy as np
import pytest

from attn_course import attention

HOOK = """
from jaxtyping import install_import_hook
with install_import_hook("attn_course", "beartype.beartype"):
    import attn_course.functional, attn_course.masks
    import attn_course.interpret.word_pieces, attn_course.nn.encoder
import jaxtyping
import numpy as np
import torch
from attn_course import masks
from attn_course.functional import (
    additive_weights, attention, attention_weights, masked_softmax)
from attn_course.heads import merge_heads, split_heads
from attn_course.interpret.word_pieces import merge_pieces
from attn_course.positions import rotate, sinusoidal
from attn_course.nn.encoder import CausalBlock, EncoderLayer, Transformer

q, k, v = np.ones((2, 4, 3, 8)), np.ones((2, 2, 5, 8)), np.ones((2, 2, 5, 6))
mask, bias = np.ones((3, 5), dtype=bool), np.zeros((3, 5))
"""

GOOD = """
for make in (np.asarray, torch.tensor):
    a, b, c = make(q), make(k), make(v)
    options = dict(mask=make(mask), bias=make(bias), causal=True,
                   window=(1, None), q_offset=1, scale=0.5, softcap=9.0)
    assert attention(a, b, c).shape == (2, 4, 3, 6)
    output, weights = attention(a, b, c, return_weights=True, **options)
    assert weights.shape == attention_weights(a, b, **options).shape
    network = make(np.ones((8, 7))), make(np.ones((8, 7))), make(np.ones(7))
    additive_weights(a, b[:, :1], *network, mask=make(mask))
    masked_softmax(make(bias), make(mask))
    flat = a[0, 0], b[0, 0], c[0, 0]
    assert attention(*flat).shape == (3, 6)
for dtype in (torch.float16, torch.bfloat16, torch.float32):
    attention(*(torch.tensor(x, dtype=dtype) for x in (q, k, v)))
masks.band(3, 5, left=1)
masks.band(3, 5, left=1, xp=torch, device="cpu")
masks.causal(3), masks.sliding_window(3, left=1, right=None)
masks.padding([1, 2], 3), masks.padding(np.array([1, 2]), 3)
masks.dilated(4, reach=1, step=2), masks.global_tokens(4, [0])
masks.block(4, 2)
big = masks.big_bird(9, window=1, n_global=1, n_random=1, seed=0)
masks.cost(big), masks.layers_until_connected(big)
for make in (np.asarray, torch.tensor):
    rotate(merge_heads(split_heads(make(v), 2)), base=9.0)
sinusoidal(3, 4)
merge_pieces(np.ones((2, 3, 3)), [0, 0, 1])
x, causal = torch.ones(2, 3, 8), torch.tensor(masks.causal(3))
layer = EncoderLayer(8, 2, 9)
layer(x), layer(x[0], causal), layer.weights(x, causal)
block = CausalBlock(8, 4, 2, 9)
block(x), block.queries_keys(x[0])
model = Transformer(5, seed=0)
words = torch.tensor([[0, 4, 1]])
model(words), model(words[0], causal), model.attentions(words, causal)
"""

# Each line breaks one promise of a signature.
BAD = [
    "attention(q, k[..., :7], v)",
    "attention(q, k, v[..., :4, :])",
    "attention(q.astype(int), k, v)",
    "attention(q, k, v[0, 0, 0])",
    "attention(torch.tensor(q), torch.tensor(k)[..., :7], torch.tensor(v))",
    "attention(q, k, v, mask=bias)",
    "attention(q, k, v, bias=mask)",
    "attention(q, k, v, window=3)",
    "attention(q, k, v, q_offset=0.5)",
    "attention_weights(q, k[..., :7])",
    "additive_weights(q, k, np.ones((7, 2)), np.ones((8, 2)), np.ones(2))",
    "additive_weights(q, k, np.ones((8, 2)), np.ones((8, 2)), np.ones(3))",
    "masked_softmax(bias, bias)",
    "masks.cost(mask[0])",
    "masks.layers_until_connected(mask)",
    "masks.padding(np.ones((2, 2), dtype=int), 3)",
    "merge_pieces(np.ones((2, 3), dtype=int), [0, 0, 1])",
    "EncoderLayer(8, 2, 9)(torch.ones(3, 8, dtype=int))",
    "EncoderLayer(8, 2, 9)(torch.ones(3, 8), torch.ones(3, 3))",
    "CausalBlock(8, 4, 2, 9)(torch.ones(8))",
    "Transformer(5, seed=0)(torch.ones(3))",
]


def run(code):
    return subprocess.run(
        [sys.executable, "-c", HOOK + code],
        capture_output=True,
        text=True,
        check=False,
    )


def test_good_inputs_and_what_comes_back_keep_their_shapes():
    done = run(GOOD)
    assert done.returncode == 0, done.stderr


def test_each_broken_promise_is_caught():
    attempts = "".join(
        f"""
try:
    {line}
    print("accepted:", {line!r})
except jaxtyping.TypeCheckError:
    print("caught")
"""
        for line in BAD
    )
    done = run(attempts)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["caught"] * len(BAD)


def test_without_the_hook_our_own_errors_speak():
    with pytest.raises(ValueError, match="expected key with d_k=8"):
        attention(np.ones((3, 8)), np.ones((5, 7)), np.ones((5, 6)))
