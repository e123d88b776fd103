"""Attention: laws that hold for all inputs, then oracles."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attn_course import additive_weights, attention, attention_weights, masks
from attn_course.functional import masked_softmax

NUMBERS = st.floats(-5, 5, allow_nan=False, width=32)


def arrays(shape):
    return hnp.arrays(np.float64, shape, elements=NUMBERS)


@st.composite
def triples(draw):
    """Query, key and value of one size, at most two batches of four heads."""
    batch, heads, n_q, n_k, d_k, d_v = (
        draw(st.integers(1, most)) for most in (2, 4, 5, 6, 4, 4)
    )
    return (
        draw(arrays((batch, heads, n_q, d_k))),
        draw(arrays((batch, heads, n_k, d_k))),
        draw(arrays((batch, heads, n_k, d_v))),
    )


def random_inputs(seed=0, *, heads=4, kv_heads=2, n_q=5, n_k=7, d_k=8, d_v=3):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(2, heads, n_q, d_k)),
        rng.normal(size=(2, kv_heads, n_k, d_k)),
        rng.normal(size=(2, kv_heads, n_k, d_v)),
    )


def as_torch(*arrays, dtype=torch.float64, grad=False):
    return [torch.tensor(x, dtype=dtype, requires_grad=grad) for x in arrays]


# Laws


@given(triples())
def test_rows_of_weights_sum_to_one(qkv):
    weights = attention_weights(*qkv[:2])
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(-1), 1)


@given(triples(), st.randoms(use_true_random=False))
def test_the_order_of_keys_and_values_does_not_matter(qkv, random):
    query, key, value = qkv
    order = list(range(key.shape[-2]))
    random.shuffle(order)
    shuffled = attention(query, key[..., order, :], value[..., order, :])
    np.testing.assert_allclose(shuffled, attention(*qkv), atol=1e-12)


@given(triples())
def test_output_lies_between_the_values(qkv):
    output, value = attention(*qkv), qkv[2]
    assert (output <= value.max(-2, keepdims=True) + 1e-9).all()
    assert (output >= value.min(-2, keepdims=True) - 1e-9).all()


@given(triples(), st.data())
def test_causal_output_ignores_later_tokens(qkv, data):
    query, key, value = qkv
    place = data.draw(st.integers(0, query.shape[-2] - 1))
    before = attention(query, key, value, causal=True)
    key, value = key.copy(), value.copy()
    key[..., place + 1 :, :] = data.draw(NUMBERS)
    value[..., place + 1 :, :] = data.draw(NUMBERS)
    after = attention(query, key, value, causal=True)
    np.testing.assert_array_equal(
        after[..., : place + 1, :], before[..., : place + 1, :]
    )


@given(triples())
def test_one_head_equals_no_head_axis(qkv):
    query, key, value = (x[0, 0] for x in qkv)
    flat = attention(query, key, value)
    assert flat.ndim == 2
    with_head = attention(query[None], key[None], value[None])
    np.testing.assert_array_equal(with_head[0], flat)
    shared = attention(qkv[0], key, value)
    np.testing.assert_allclose(shared[0, 0], flat, atol=1e-12)


@given(triples())
def test_as_many_groups_as_heads_equals_multi_head(qkv):
    together = attention(*qkv)
    for head in range(qkv[0].shape[1]):
        alone = attention(*(x[:, head] for x in qkv))
        np.testing.assert_allclose(together[:, head], alone, atol=1e-12)


@pytest.mark.parametrize("kv_heads", [1, 2, 3, 6])
def test_grouped_query_equals_repeated_keys_and_values(kv_heads):
    query, key, value = random_inputs(heads=6, kv_heads=kv_heads)
    repeated = [np.repeat(x, 6 // kv_heads, axis=1) for x in (key, value)]
    grouped, weights = attention(query, key, value, return_weights=True)
    np.testing.assert_allclose(grouped, attention(query, *repeated))
    np.testing.assert_allclose(weights, attention_weights(query, key))


@given(triples())
def test_numpy_equals_torch(qkv):
    options = {"causal": True, "window": (2, None), "softcap": 3.0}
    ours = attention(*qkv, **options)
    theirs = attention(*as_torch(*qkv), **options)
    np.testing.assert_allclose(theirs.numpy(), ours, atol=1e-12)


@given(triples(), st.floats(-50, 50))
def test_a_bias_that_is_the_same_everywhere_changes_nothing(qkv, constant):
    shifted = attention(*qkv, bias=np.array(constant))
    np.testing.assert_allclose(shifted, attention(*qkv), atol=1e-9)


@given(triples())
def test_the_weights_returned_make_the_output(qkv):
    output, weights = attention(*qkv, return_weights=True)
    np.testing.assert_allclose(output, weights @ qkv[2], atol=1e-12)
    np.testing.assert_array_equal(weights, attention_weights(*qkv[:2]))


@given(triples(), st.data())
def test_hiding_keys_equals_leaving_them_out(qkv, data):
    query, key, value = qkv
    shown = data.draw(
        hnp.arrays(bool, key.shape[-2]).filter(lambda mask: mask.any())
    )
    left_out = attention(query, key[..., shown, :], value[..., shown, :])
    masked = attention(query, key, value, mask=shown)
    biased = attention(query, key, value, bias=np.where(shown, 0.0, -np.inf))
    np.testing.assert_allclose(masked, left_out, atol=1e-12)
    np.testing.assert_array_equal(biased, masked)


def test_one_query_after_a_cache_equals_the_last_row():
    query, key, value = random_inputs(n_q=7, n_k=7)
    whole = attention(query, key, value, causal=True, window=(3, 0))
    step = attention(
        query[..., -1:, :],
        key,
        value,
        causal=True,
        window=(3, 0),
        q_offset=6,
    )
    np.testing.assert_allclose(step, whole[..., -1:, :], atol=1e-12)


def test_equal_scores_give_the_mean():
    _, key, value = random_inputs()
    query = np.zeros((2, 2, 5, 8))
    np.testing.assert_allclose(
        attention(query, key, value),
        np.broadcast_to(value.mean(-2, keepdims=True), (2, 2, 5, 3)),
    )


# Oracles


def looped(
    query, key, value, *, mask, bias, causal, window, q_offset, scale, softcap
):
    """Attention in plain float64 loops, for (batch, heads, n, d)."""
    batch, heads, n_q, d_k = query.shape
    kv_heads, n_k, d_v = key.shape[1], key.shape[2], value.shape[3]
    shape = (batch, heads, n_q, n_k)
    mask = np.broadcast_to(True if mask is None else mask, shape)
    bias = np.broadcast_to(0.0 if bias is None else bias, shape)
    left, right = window or (None, None)
    scale = 1 / math.sqrt(d_k) if scale is None else scale
    output, weights = np.zeros((*shape[:3], d_v)), np.zeros(shape)
    for b, h, i in np.ndindex(batch, heads, n_q):
        k, v = (x[b % len(x), h * kv_heads // heads] for x in (key, value))
        place, exps = i + q_offset, {}
        for j in range(n_k):
            score = sum(query[b, h, i, c] * k[j, c] for c in range(d_k))
            score *= scale
            if softcap is not None:
                score = softcap * math.tanh(score / softcap)
            hidden = (
                not mask[b, h, i, j]
                or bias[b, h, i, j] == -math.inf
                or (causal and j > place)
                or (left is not None and j < place - left)
                or (right is not None and j > place + right)
            )
            if not hidden:
                exps[j] = math.exp(score + bias[b, h, i, j])
        for j, share in exps.items():
            weights[b, h, i, j] = share / sum(exps.values())
            output[b, h, i] += weights[b, h, i, j] * v[j]
    return output, weights


PLAIN = {
    "mask": None,
    "bias": None,
    "causal": False,
    "window": None,
    "q_offset": 0,
    "scale": None,
    "softcap": None,
}
RNG = np.random.default_rng(1)
SOME = RNG.random((2, 4, 5, 7)) < 0.6
SLOPE = RNG.normal(size=(4, 1, 7))
OPTIONS = {
    "plain": {},
    "mask": {"mask": SOME},
    "padding mask": {"mask": masks.padding([3, 6], 7)},
    "bias": {"bias": SLOPE},
    "bias with -inf": {"bias": np.where(SOME, 0.5, -np.inf)},
    "causal": {"causal": True},
    "causal after a cache": {"causal": True, "q_offset": 2},
    "causal before the keys": {"causal": True, "q_offset": -3},
    "window": {"window": (1, 2)},
    "window open to the left": {"window": (None, 0), "q_offset": 1},
    "window open to the right": {"window": (0, None)},
    "window and causal": {"window": (2, 2), "causal": True},
    "scale": {"scale": 0.7},
    "softcap": {"softcap": 0.5},
    "all": {
        "mask": SOME,
        "bias": SLOPE,
        "causal": True,
        "window": (3, 1),
        "q_offset": 2,
        "scale": 1.3,
        "softcap": 2.0,
    },
}


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_equals_loops_in_float64(options, library):
    inputs = random_inputs()
    expected, expected_weights = looped(*inputs, **{**PLAIN, **options})
    if library == "torch":
        inputs = as_torch(*inputs)
    output, weights = attention(*inputs, **options, return_weights=True)
    np.testing.assert_allclose(output, expected, atol=1e-12)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-12)


def test_batch_axes_broadcast():
    query, key, value = random_inputs()
    expected, _ = looped(query, key[:1], value[:1], **PLAIN)
    np.testing.assert_allclose(attention(query, key[0], value[0]), expected)
    np.testing.assert_allclose(attention(query, key[:1], value[0]), expected)
    more = attention(query[:, None], key[None], value[None])
    assert more.shape == (2, 2, 4, 5, 3)
    np.testing.assert_allclose(
        more[1, 0], attention(query[1], key[0], value[0])
    )


SDPA = {
    "plain": ({}, {}),
    "causal": ({"causal": True}, {"is_causal": True}),
    "mask": (
        {"mask": SOME | np.eye(5, 7, dtype=bool)},
        {"attn_mask": torch.tensor(SOME | np.eye(5, 7, dtype=bool))},
    ),
    "bias": (
        {"bias": SLOPE},
        {"attn_mask": torch.tensor(SLOPE).float().expand(2, 4, 5, 7)},
    ),
    "scale": ({"scale": 0.3}, {"scale": 0.3}),
}


@pytest.mark.parametrize("ours, theirs", SDPA.values(), ids=SDPA)
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_equals_torch_sdpa(kv_heads, ours, theirs):
    inputs = as_torch(*random_inputs(kv_heads=kv_heads), dtype=torch.float32)
    expected = torch.nn.functional.scaled_dot_product_attention(
        *inputs, **theirs, enable_gqa=True
    )
    torch.testing.assert_close(
        attention(*inputs, **ours), expected, atol=1e-5, rtol=1e-5
    )


def test_gradients_equal_those_of_torch_sdpa():
    inputs = as_torch(*random_inputs(), dtype=torch.float64, grad=True)
    bias = torch.tensor(SLOPE, requires_grad=True)
    ours = attention(*inputs, bias=bias)
    theirs = torch.nn.functional.scaled_dot_product_attention(
        *inputs, attn_mask=bias.expand(2, 4, 5, 7), enable_gqa=True
    )
    mine = torch.autograd.grad(ours.square().sum(), [*inputs, bias])
    reference = torch.autograd.grad(theirs.square().sum(), [*inputs, bias])
    for gradient, expected in zip(mine, reference, strict=True):
        torch.testing.assert_close(gradient, expected)


def test_gradients_equal_finite_differences():
    inputs = as_torch(*random_inputs(n_q=2, n_k=3, d_k=2, d_v=2), grad=True)
    assert torch.autograd.gradcheck(
        lambda q, k, v: attention(q, k, v, causal=True, softcap=2.0), inputs
    )


def test_equals_multihead_attention_with_its_own_weights():
    torch.manual_seed(0)
    module = torch.nn.MultiheadAttention(12, 3, batch_first=True)
    x, memory = torch.randn(2, 5, 12), torch.randn(2, 7, 12)
    padded = torch.tensor([[False] * 7, [False] * 4 + [True] * 3])
    expected, expected_weights = module(
        x, memory, memory, key_padding_mask=padded, average_attn_weights=False
    )
    projections = zip(
        (x, memory, memory),
        module.in_proj_weight.chunk(3),
        module.in_proj_bias.chunk(3),
        strict=True,
    )
    heads = [
        (y @ weight.T + bias).unflatten(-1, (3, 4)).transpose(1, 2)
        for y, weight, bias in projections
    ]
    output, weights = attention(
        *heads, mask=~padded[:, None, None], return_weights=True
    )
    merged = module.out_proj(output.transpose(1, 2).flatten(-2))
    torch.testing.assert_close(merged, expected)
    torch.testing.assert_close(weights, expected_weights)


# Empty rows, NaN and inf


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_a_query_that_may_look_at_nothing_gets_zeros(library):
    inputs = random_inputs()
    if library == "torch":
        inputs = as_torch(*inputs)
    mask = np.ones((5, 7), dtype=bool)
    mask[2] = False
    output, weights = attention(*inputs, mask=mask, return_weights=True)
    assert (output[:, :, 2] == 0).all()
    assert (weights[:, :, 2] == 0).all()
    np.testing.assert_allclose(weights.sum(-1)[:, :, [0, 1, 3, 4]], 1)


HIDE = {
    "mask": {"mask": np.zeros((5, 7), dtype=bool)},
    "bias": {"bias": np.full((5, 7), -np.inf)},
    "causal": {"causal": True, "q_offset": -9},
    "window": {"window": (0, 0), "q_offset": 9},
}


@pytest.mark.parametrize("options", HIDE.values(), ids=HIDE)
def test_gradients_of_empty_rows_are_zero(options):
    inputs = as_torch(*random_inputs(), grad=True)
    output = attention(*inputs, **options)
    output.sum().backward()
    assert (output == 0).all()
    for x in inputs:
        assert (x.grad == 0).all()


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("softcap", [None, 2.0])
def test_hidden_nan_and_inf_do_not_reach_the_output(bad, library, softcap):
    query, key, value = random_inputs()
    mask = masks.padding([4, 7], 7)
    expected = attention(query, key, value, mask=mask, softcap=softcap)
    key[0, :, 4:, 0] = bad
    value[0, :, 4:] = bad
    inputs = query, key, value
    if library == "torch":
        inputs = as_torch(*inputs)
    output = attention(*inputs, mask=mask, softcap=softcap)
    np.testing.assert_allclose(output, expected, atol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_hidden_nan_and_inf_do_not_reach_the_gradients(bad):
    query, key, value = random_inputs()
    mask = masks.padding([4, 7], 7)
    clean = as_torch(query, key, value, grad=True)
    attention(*clean, mask=mask).square().sum().backward()
    key[0, :, 4:] = bad
    value[0, :, 4:] = bad
    inputs = as_torch(query, key, value, grad=True)
    attention(*inputs, mask=mask).square().sum().backward()
    for x, same in zip(inputs, clean, strict=True):
        torch.testing.assert_close(x.grad, same.grad)


def test_a_last_nan_token_leaves_earlier_queries_and_gradients_alone():
    query, key, value = random_inputs(n_q=7)
    key[..., -1, :] = value[..., -1, :] = query[..., -1, :] = np.nan
    inputs = as_torch(query, key, value, grad=True)
    output, weights = attention(*inputs, causal=True, return_weights=True)
    assert torch.isfinite(output[..., :-1, :]).all()
    assert torch.isfinite(weights[..., :-1, :]).all()
    assert torch.isnan(output[..., -1, :]).all()
    output[..., :-1, :].sum().backward()
    for x in inputs:
        assert torch.isfinite(x.grad).all()


def test_a_nan_query_that_sees_nothing_gives_zeros():
    query, key, value = random_inputs()
    query[:, :, 1] = np.nan
    mask = np.ones((5, 1), dtype=bool)
    mask[1] = False
    inputs = as_torch(query, key, value, grad=True)
    output = attention(*inputs, mask=mask)
    output.sum().backward()
    assert (output[:, :, 1] == 0).all()
    for x in inputs:
        assert torch.isfinite(x.grad).all()


def test_visible_nan_and_inf_reach_exactly_who_may_look():
    query, key, value = random_inputs(heads=2, n_q=3, n_k=3, d_v=2)
    value[0, 0, 1] = [np.inf, np.nan]
    value[0, 0, 2] = [-np.inf, 0.0]
    key[1, 1, 2, 0] = np.nan
    output, weights = attention(
        query, key, value, causal=True, return_weights=True
    )
    assert np.isfinite(output[0, 0, 0]).all()
    np.testing.assert_array_equal(output[0, 0, 1], [np.inf, np.nan])
    np.testing.assert_array_equal(output[0, 0, 2], [np.nan, np.nan])
    assert np.isfinite(output[0, 1]).all()
    assert np.isfinite(output[1, 0]).all()
    assert np.isfinite(output[1, 1, :2]).all()
    assert np.isnan(output[1, 1, 2]).all()
    expected = (
        np.isfinite(output[..., :1]) | (np.arange(2) == 0)[:, None, None]
    )
    np.testing.assert_array_equal(
        np.isfinite(weights), np.broadcast_to(expected, weights.shape)
    )


def test_minus_inf_and_a_nan_query_reach_who_may_look():
    query, key, value = random_inputs()
    value[0, 0, 3, 1] = -np.inf
    query[1, 2, 4] = np.nan
    output = attention(query, key, value, window=(0, 0))
    expected = np.ones(output.shape, dtype=bool)
    expected[0, :2, 3, 1] = expected[1, 2, 4] = False
    np.testing.assert_array_equal(np.isfinite(output), expected)
    assert (output[0, :2, 3, 1] == -np.inf).all()
    assert np.isnan(output[1, 2, 4]).all()


def test_a_bias_of_minus_inf_hides_nan():
    query, key, value = random_inputs()
    bias = np.where(np.arange(7) < 4, 0.5, -np.inf)
    expected = attention(query, key, value, bias=bias)
    key[..., 4:, :] = value[..., 4:, :] = np.nan
    np.testing.assert_allclose(
        attention(query, key, value, bias=bias), expected
    )


def test_a_nan_loss_still_shows_in_the_gradients():
    inputs = as_torch(*random_inputs(), grad=True)
    with torch.no_grad():
        inputs[2][0, 0, 0] = math.nan
    attention(*inputs).square().sum().backward()
    assert torch.isnan(inputs[0].grad[0, 0]).any()


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("n_q, n_k", [(0, 3), (3, 0), (0, 0)])
def test_no_queries_or_no_keys(n_q, n_k, library):
    inputs = random_inputs(n_q=n_q, n_k=n_k)
    if library == "torch":
        inputs = as_torch(*inputs)
    output, weights = attention(*inputs, causal=True, return_weights=True)
    assert tuple(output.shape) == (2, 4, n_q, 3)
    assert tuple(weights.shape) == (2, 4, n_q, n_k)
    assert (output == 0).all()


# Numbers, libraries, arguments


@pytest.mark.parametrize("narrow", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sums_stay_as_wide_under_autocast(narrow, dtype):
    """Outputs, weights and gradients, to the last digit."""
    inputs = [torch.tensor(x, dtype=dtype) for x in random_inputs()]
    rng = np.random.default_rng(1)
    network = [
        torch.tensor(rng.normal(size=shape), dtype=dtype)
        for shape in ((8, 4), (8, 4), (4,))
    ]

    def run():
        given = [x.clone().requires_grad_() for x in inputs]
        options = {"causal": True, "softcap": 3.0}
        output, weights = attention(*given, return_weights=True, **options)
        return given, [
            output,
            weights,
            attention_weights(*given[:2], **options),
            additive_weights(given[0], given[1][:, :1], *network),
        ]

    given, plain = run()
    plain[0].sum().backward()
    with torch.autocast("cpu", dtype=narrow):
        again, narrowed = run()
    narrowed[0].sum().backward()
    for one, other in zip(plain, narrowed, strict=True):
        assert other.dtype == dtype
        assert torch.equal(one, other)
    for one, other in zip(given, again, strict=True):
        assert torch.equal(one.grad, other.grad)


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64]
)
def test_torch_keeps_dtype(dtype):
    inputs = as_torch(*random_inputs(), dtype=dtype, grad=True)
    output, weights = attention(*inputs, return_weights=True)
    assert output.dtype == weights.dtype == dtype
    exact = attention(*(x.detach().double() for x in inputs))
    tolerance = 2 * torch.finfo(dtype).eps
    torch.testing.assert_close(
        output.double(), exact, atol=tolerance, rtol=tolerance
    )
    output.sum().backward()
    assert inputs[0].grad.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_numpy_keeps_dtype(dtype):
    inputs = [x.astype(dtype) for x in random_inputs()]
    options = {"scale": np.float64(0.5), "bias": SLOPE, "softcap": 3.0}
    output, weights = attention(*inputs, **options, return_weights=True)
    assert output.dtype == weights.dtype == dtype
    exact = attention(*(x.astype(np.float64) for x in inputs), **options)
    tolerance = 3 * np.finfo(dtype).eps
    np.testing.assert_allclose(output, exact, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_large_float16_scores_stay_finite(library):
    rng = np.random.default_rng(0)
    signs = [rng.choice([-1.0, 1.0], size=(2, 9, 128)) for _ in range(2)]
    query, key = (1000 * x for x in signs)
    value = rng.normal(size=(2, 9, 4))
    assert np.abs(query @ np.swapaxes(key, -1, -2)).max() > 65504
    inputs = [x.astype(np.float16) for x in (query, key, value)]
    exact = attention(*(x.astype(np.float64) for x in inputs))
    if library == "torch":
        inputs = as_torch(*inputs, dtype=torch.float16)
    output = np.asarray(attention(*inputs))
    assert np.isfinite(output).all()
    np.testing.assert_allclose(output, exact, atol=2e-3)


def test_arguments_are_never_changed():
    inputs = [*random_inputs(), SOME, SLOPE]
    inputs[1][0, 0, 0] = np.nan
    inputs[2][0, 0, 0] = np.inf
    for make in (np.array, torch.tensor):
        arguments = [make(x) for x in inputs]
        query, key, value, mask, bias = arguments
        attention(query, key, value, mask=mask, bias=bias, causal=True)
        for argument, original in zip(arguments, inputs, strict=True):
            np.testing.assert_array_equal(np.asarray(argument), original)


def test_a_numpy_mask_works_with_torch():
    inputs = as_torch(*random_inputs())
    expected = attention(*inputs, mask=torch.tensor(SOME))
    torch.testing.assert_close(attention(*inputs, mask=SOME), expected)
    backwards = SOME[..., ::-1].copy()[..., ::-1]
    torch.testing.assert_close(attention(*inputs, mask=backwards), expected)
    read_only = np.broadcast_to(SOME[0, 0], (2, 4, 5, 7))
    torch.testing.assert_close(
        attention(*inputs, mask=read_only),
        attention(*inputs, mask=SOME[0, 0]),
    )


def test_the_gradient_reaches_a_torch_bias():
    inputs = as_torch(*random_inputs())
    bias = torch.tensor(np.where(SOME, 0.5, -np.inf), requires_grad=True)
    attention(*inputs, bias=bias).square().sum().backward()
    assert torch.isfinite(bias.grad).all()
    assert (bias.grad[~torch.tensor(SOME)] == 0).all()
    assert bias.grad.abs().max() > 0


# The softmax and Bahdanau's score


@given(arrays((3, 5)), hnp.arrays(bool, (3, 5)))
def test_masked_softmax_ignores_hidden_scores(scores, allowed):
    weights = masked_softmax(scores, allowed)
    np.testing.assert_allclose(weights.sum(-1), allowed.any(-1))
    assert (weights[~allowed] == 0).all()
    dirty = np.where(allowed, scores, np.nan)
    np.testing.assert_array_equal(masked_softmax(dirty, allowed), weights)


@given(arrays((3, 5)), st.floats(-1000, 1000))
def test_masked_softmax_ignores_a_constant(scores, constant):
    everything = np.array(True)
    np.testing.assert_allclose(
        masked_softmax(scores + constant, everything),
        masked_softmax(scores, everything),
        atol=1e-9,
    )


def test_masked_softmax_keeps_float16_and_one_dimension():
    scores = np.array([60000, 60000, -60000], dtype=np.float16)
    weights = masked_softmax(scores, np.array(True))
    assert weights.dtype == np.float16
    np.testing.assert_array_equal(weights, [0.5, 0.5, 0])


def bahdanau_inputs():
    rng = np.random.default_rng(2)
    return [
        rng.normal(size=shape)
        for shape in ((2, 3, 4), (2, 5, 6), (4, 7), (6, 7), (7,))
    ]


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_additive_weights_equal_loops(library):
    query, key, w, u, v = inputs = bahdanau_inputs()
    expected = np.zeros((2, 3, 5))
    for b, i in np.ndindex(2, 3):
        exps = [
            math.exp(v @ np.tanh(w.T @ query[b, i] + u.T @ key[b, j]))
            for j in range(5)
        ]
        expected[b, i] = np.array(exps) / sum(exps)
    if library == "torch":
        inputs = as_torch(*inputs)
    np.testing.assert_allclose(additive_weights(*inputs), expected)


def test_additive_weights_hide_keys():
    query, key, *network = bahdanau_inputs()
    mask = masks.padding([2, 5], 5)[:, 0]
    expected = additive_weights(query[0], key[0, :2], *network)
    key[0, 2:] = np.nan
    inputs = as_torch(query, key, *network, grad=True)
    weights = additive_weights(*inputs, mask=mask)
    np.testing.assert_allclose(weights[0, :, :2].detach(), expected)
    assert (weights[0, :, 2:] == 0).all()
    weights.square().sum().backward()
    for x in inputs:
        assert torch.isfinite(x.grad).all()


def test_additive_weights_broadcast_and_keep_dtype():
    query, key, *network = (x.astype(np.float16) for x in bahdanau_inputs())
    weights = additive_weights(query[:, None], key, *network)
    assert weights.shape == (2, 2, 3, 5)
    assert weights.dtype == np.float16
