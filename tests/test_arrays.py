"""What users bring, at every door: taken as it is meant, or refused by us."""

import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attn_course import attention, attention_weights, masks, softmax
from attn_course.arrays import as_array, as_layers, as_mask, as_numbers
from attn_course.data import pack_array
from attn_course.flash import flash_attention, online_attention
from attn_course.flash.softmax import online_softmax, safe_softmax
from attn_course.functional import masked_softmax
from attn_course.heads import merge_heads, split_heads
from attn_course.interpret import head_scores
from attn_course.nn.kv_cache import KVCache
from attn_course.widgets import (
    AttentionHeatmap,
    AttentionSteps,
    FlashStepper,
    HeadBrowser,
    HeadSwitches,
    MaskDesigner,
    QKVPlayground,
    RecordedCurves,
)

N = 3
WORDS = ["a", "b", "c"]
ZEROS = np.zeros((N, N))


def weights_of(*shape, seed=0):
    scores = np.random.default_rng(seed).normal(size=shape)
    shares = np.exp(scores)
    return shares / shares.sum(axis=-1, keepdims=True)


def own(call):
    """Say whether a call is answered; what it raises must be of ours."""
    try:
        with np.errstate(all="ignore"):
            call()
    except ValueError as error:  # traitlets' own errors are no ValueError
        assert str(error).startswith("expected "), error
        return False
    return True


# One conversion


MAPS = weights_of(2, 4, N, N)
ROUNDED = torch.tensor(MAPS).bfloat16().double().numpy()
BROUGHT = {
    "an array": (MAPS, MAPS),
    "read-only": (np.frombuffer(MAPS.tobytes()).reshape(MAPS.shape), MAPS),
    "turned round": (MAPS[::-1, ::-1], MAPS[::-1, ::-1]),
    "nested lists": (MAPS.tolist(), MAPS),
    "a tuple of layers": (tuple(MAPS), MAPS),
    "lists of heads": ([list(layer) for layer in MAPS], MAPS),
    "a tensor": (torch.tensor(MAPS), MAPS),
    "one that learns": (torch.tensor(MAPS, requires_grad=True), MAPS),
    "bfloat16": (torch.tensor(MAPS, dtype=torch.bfloat16), ROUNDED),
    "not contiguous": (torch.tensor(MAPS).mT, MAPS.swapaxes(-1, -2)),
    "tensors of one number": (
        [
            [[[x.bfloat16() for x in row] for row in head] for head in layer]
            for layer in torch.tensor(MAPS, requires_grad=True)
        ],
        ROUNDED,
    ),
    "as transformers gives it": (
        tuple(
            torch.tensor(layer[None], requires_grad=True).bfloat16()
            for layer in MAPS
        ),
        ROUNDED,
    ),
    "one array with a batch of one": (MAPS[:, None], MAPS),
}


@pytest.mark.parametrize("name", BROUGHT)
def test_layers_are_the_same_however_they_are_brought(name):
    brought, meant = BROUGHT[name]
    found = as_layers("weights", brought)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, meant)
    # And so at every door that takes them.
    rolled = head_scores.rollout(meant)
    np.testing.assert_allclose(head_scores.rollout(brought), rolled)
    score = head_scores.read_heads(brought, WORDS)["previous"].score
    wanted = head_scores.read_heads(meant, WORDS)["previous"].score
    np.testing.assert_allclose(score, wanted)
    model = {"measures": {"s": score}, "weights": brought, "tokens": WORDS}
    again = {**model, "weights": meant}
    browsers = [HeadBrowser({"m": each}).source for each in (model, again)]
    assert browsers[0] == browsers[1]
    maps = [
        AttentionHeatmap(
            WORDS, weights=each, axes={"layer": 2, "head": 4}
        ).source["weights"]
        for each in (brought, meant)
    ]
    assert maps[0] == maps[1]


def test_a_heatmap_of_one_layer_or_one_head_drops_a_batch_of_one():
    layer = torch.tensor(MAPS[1][None], requires_grad=True)  # (1, 4, n, n)
    for brought, axes in (
        (layer, {"head": 4}),
        (layer[:, 2:3], {"head": 1}),
        (layer[:, 2], {}),
        (layer[0, 2], {}),
    ):
        widget = AttentionHeatmap(WORDS, weights=brought, axes=axes)
        chosen = 2 if len(axes) == 0 or axes["head"] == 1 else 0
        np.testing.assert_allclose(widget.weights, MAPS[1, chosen], atol=1e-6)
    with pytest.raises(
        ValueError, match=r"shape \(4, 3, 3\), got \(2, 4, 3, 3"
    ):
        AttentionHeatmap(WORDS, weights=MAPS, axes={"head": 4})


def test_a_batch_is_picked_or_asked_for():
    batch = [torch.tensor(weights_of(3, 4, N, N, seed=s)) for s in (1, 2)]
    for b in range(3):
        meant = np.stack([layer[b].numpy() for layer in batch])
        np.testing.assert_allclose(
            head_scores.rollout(batch, batch=b), head_scores.rollout(meant)
        )
        found = head_scores.read_heads(tuple(batch), WORDS, batch=b)
        np.testing.assert_allclose(
            found["first"].score,
            head_scores.read_heads(meant, WORDS)["first"].score,
        )
    message = re.escape(
        "expected batch=0 to 2, which of 3 texts, got None "
        "(weights.shape=(2, 3, 4, 3, 3))"
    )
    for call in (
        lambda: head_scores.rollout(batch),
        lambda: head_scores.read_heads(batch, WORDS),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    narrow = head_scores.rollout(
        batch, batch=np.uint8(1)
    )  # as an index gives it
    np.testing.assert_array_equal(narrow, head_scores.rollout(batch, batch=1))
    for wrong in (3, -1, 1.5, True):
        with pytest.raises(ValueError, match="expected batch=0 to 2"):
            head_scores.rollout(batch, batch=wrong)
    with pytest.raises(ValueError, match=r"to take batch=0 of it, got \(2, 4"):
        head_scores.rollout(MAPS, batch=0)


REFUSED = {
    "words": ("high", "expected weights as real numbers, got str 'high'"),
    "words in a list": ([["a"]], "as real numbers, got dtype=<U1"),
    "nothing": (None, "as real numbers, got NoneType None"),
    "a mapping": ({}, "as real numbers, got dict {}"),
    "objects": (np.array([1, None]), "as real numbers, got dtype=object"),
    "complex": (np.ones(2, complex), "as real numbers, got dtype=complex128"),
    "times": (np.zeros(2, "M8[s]"), "as real numbers, got dtype=datetime64"),
    "numbers that no dtype holds": ([2**70], "got dtype=object"),
    "ragged": ([[1.0, 2.0], [3.0]], "got list: its parts differ in length"),
    "layers of two sizes": (
        [np.zeros((1, 2, 3, 3)), np.zeros((1, 2, 4, 4))],
        r"one shape, got \[\(1, 2, 3, 3\), \(1, 2, 4, 4\)\]",
    ),
    "layers without weights": (
        (None, None),
        'got None: a model .* attn_implementation="eager"',
    ),
    "a masked array": (
        np.ma.array([1.0, 2.0], mask=[0, 1]),
        r"as a plain array, got a masked one: .*x.filled\(0\)",
    ),
    "masked layers": (
        [np.ma.array(np.ones((2, 2)), mask=np.eye(2))],
        "as a plain array, got a masked one",
    ),
    "sparse": (torch.eye(2).to_sparse(), r"got a sparse one: x.to_dense\(\)"),
    "without numbers": (torch.ones(2, device="meta"), "got Tensor: .*meta"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_array_of_numbers_is_refused(name):
    brought, message = REFUSED[name]
    for take in (
        lambda: as_numbers("weights", brought),
        lambda: softmax.entropy(brought),
        lambda: head_scores.rollout(brought),
    ):
        with pytest.raises(ValueError, match=message):
            take()


def test_an_object_that_fails_is_refused_in_our_words():
    class Odd:
        def __array__(self, *arguments, **options):
            raise RuntimeError("no array today")

    with pytest.raises(ValueError, match=r"x as an array .*: no array today"):
        as_array("x", Odd())


def test_numbers_keep_their_value_or_are_refused():
    longer = np.array([np.finfo(np.longdouble).max, 1.0])
    found = as_numbers("x", longer, finite=True)
    assert np.isfinite(found).all()
    assert as_numbers("x", [True, False]).tolist() == [1.0, 0.0]
    assert as_numbers("x", np.float32(0.5), ()).shape == ()
    with pytest.raises(ValueError, match=r"x of shape \(2, d\), got \(2,\)"):
        as_numbers("x", [1, 2], (2, None))
    with pytest.raises(ValueError, match="at least 2 dimensions, got 1"):
        as_numbers("x", [1, 2], least_ndim=2)


def test_nothing_here_loads_torch():
    code = (
        "import sys, numpy as np; from attn_course import widgets; "
        "from attn_course.interpret import head_scores; "
        "from attn_course.arrays import as_numbers; "
        "as_numbers('x', [np.ones(2)]); "
        "head_scores.rollout([np.ones((1, 2, 3, 3))]); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Masks: widgets take what `attention` takes


DTYPES = [bool, np.int8, np.int64, np.uint8, np.float16, np.float64]
MASKS = st.one_of(
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: hnp.arrays(
            dtype,
            st.one_of(
                st.sampled_from([(N, N), (1, N), (N, 1), (N,), (1,), ()]),
                hnp.array_shapes(min_dims=1, max_dims=4, max_side=N),
            ),
            elements=st.sampled_from([0, 1]),
        )
    ),
    hnp.arrays(
        np.float32, (N, N), elements=st.sampled_from([0.0, -1e4, -np.inf])
    ),
    st.sampled_from(["<U3", object, complex]).map(
        lambda dtype: np.zeros((N, N), dtype)
    ),
    hnp.arrays(bool, (N, N)).map(lambda m: np.ma.array(m, mask=m)),
)


@given(MASKS, st.booleans())
@settings(max_examples=150)
def test_a_heatmap_refuses_the_masks_that_attention_refuses(mask, tensor):
    query = np.random.default_rng(0).normal(size=(N, 4))
    key = query[::-1].copy()
    asked = (query, key)
    if tensor and mask.dtype.kind in "biuf" and type(mask) is np.ndarray:
        mask = torch.tensor(mask)
        asked = (torch.tensor(query), torch.tensor(key))
    found = []

    def attend():
        found.append(np.asarray(attention_weights(*asked, mask=mask)))

    def draw():
        widget = AttentionHeatmap(WORDS, query=query, key=key, mask=mask)
        found.append(widget.weights)

    assert own(attend) == own(draw)
    if found:
        np.testing.assert_allclose(found[0], found[1], atol=1e-6)


@given(MASKS)
@settings(max_examples=100)
def test_a_mask_designer_refuses_the_masks_that_attention_refuses(mask):
    x = np.ones((2, N, 4))  # two layers, as two heads
    found = []

    def attend():
        weights = attention_weights(x, x, mask=mask)
        found.append(weights > 0)

    def paint():
        found.append(MaskDesigner(N, layers=2, mask=mask).masks)

    assert own(attend) == own(paint)
    if found:
        np.testing.assert_array_equal(found[0], found[1])


ADDITIVE = {
    "transformers": [[0.0, -1e4], [0.0, 0.0]],
    "infinite": [[0.0, -np.inf], [0.0, 0.0]],
    "the least float": [[0.0, np.finfo(np.float32).min], [0.0, 0.0]],
}
ZEROS_AND_ONES = {
    "ints": [[1, 0], [1, 1]],
    "floats": [[1.0, 0.0], [1.0, 1.0]],
    "bytes": np.array([[1, 0], [1, 1]], np.uint8),
}


@pytest.mark.parametrize("name", [*ADDITIVE, *ZEROS_AND_ONES])
def test_masks_of_numbers_are_refused_with_what_to_do(name):
    mask = {**ADDITIVE, **ZEROS_AND_ONES}[name]
    # The advice turns none of them round.
    shown = 0 if name in ADDITIVE else 1
    message = f"expected mask of dtype bool .*, got .* pass mask == {shown}"
    zeros = np.zeros((2, 2))
    for call in (
        lambda: AttentionHeatmap(["a", "b"], scores=zeros, mask=mask),
        lambda: MaskDesigner(2, mask=mask),
        lambda: as_mask("mask", mask, (2, 2)),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(ValueError, match="expected mask of dtype bool"):
        attention(zeros, zeros, zeros, mask=np.array(mask))


@pytest.mark.parametrize("name", ADDITIVE)
def test_the_advice_is_right(name):
    mask = np.array(ADDITIVE[name])
    x = np.ones((2, 2))
    widget = AttentionHeatmap(
        ["a", "b"], scores=np.zeros((2, 2)), mask=mask == 0
    )
    np.testing.assert_allclose(
        widget.weights, attention_weights(x, x, bias=mask)
    )


def test_one_mask_stands_for_all_maps():
    causal = masks.causal(N)
    for mask in (causal, causal[None, None], np.stack([[causal] * 4] * 2)):
        widget = AttentionHeatmap(
            WORDS, weights=MAPS, axes={"layer": 2, "head": 4}, mask=mask
        )
        assert (widget.weights[~causal] == 0).all()
    each = np.stack([[causal] * 4] * 2)
    each[1, 2, 0, 2] = True
    with pytest.raises(
        ValueError, match=r"one mask of shape \(3, 3\) for all"
    ):
        AttentionHeatmap(
            WORDS, weights=MAPS, axes={"layer": 2, "head": 4}, mask=each
        )


# Every door: an answer, or an error of ours


NUMBERS = st.floats(width=64, allow_nan=True, allow_infinity=True)
PLAIN = st.one_of(
    hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]),
        hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=3),
        elements=st.floats(0, 1, width=16),
    ),
    hnp.arrays(
        np.float64,
        st.sampled_from([(N,), (N, N), (1, N, N), (2, 1, N, N)]),
        elements=NUMBERS,
    ),
    hnp.arrays(
        st.sampled_from([bool, np.int8, np.uint64, np.int64]),
        hnp.array_shapes(min_dims=0, max_dims=4, max_side=3),
    ),
)
ODD = st.sampled_from(
    [
        None,
        "words",
        [],
        [[1.0], [2.0, 3.0]],
        [None, None],
        [2**70],
        {"a": 1.0},
        object(),
        np.array(["a", "b", "c"]),
        np.array([object()]),
        np.ones((N, N), complex),
        np.zeros(N, "M8[s]"),
        np.zeros(N, [("a", float)]),
        np.ma.array(ZEROS, mask=ZEROS == 0),
        torch.eye(N).to_sparse(),
        torch.ones(N, N, device="meta"),
        torch.ones(N, N, dtype=torch.complex64),
        [torch.ones(N, N), torch.ones(N)],
        [torch.ones(N, N), "words"],
    ]
)


def tensor_of(x, learns):
    x = torch.tensor(np.asarray(x)).to(
        torch.bfloat16 if learns else torch.float32
    )
    return x.requires_grad_()


BROUGHT_BY_ANYONE = st.one_of(
    PLAIN,
    PLAIN.map(lambda x: x.tolist()),
    PLAIN.filter(lambda x: x.ndim > 0).map(list),
    st.builds(tensor_of, PLAIN, st.booleans()),
    PLAIN.filter(lambda x: x.ndim > 0).map(
        lambda x: tuple(tensor_of(part, True) for part in x)
    ),
    PLAIN.map(lambda x: x.T),
    ODD,
)


def kept(x):
    cache = KVCache()
    cache.add(x, x)
    cache.add(x, x)


def shown(make):
    """Make a widget; what travels to the browser must be JSON."""
    return lambda x: make(x).html()


def measured(x):
    return HeadBrowser({"m": {"measures": {"s": x, "t": {"score": x}}}})


def mapped(x):
    model = {"measures": {"s": [[0.5]]}, "weights": x, "tokens": WORDS}
    return HeadBrowser({"m": model})


def curved(x):
    runs = [{"model": "a", "seed": 0, "loss": x}]
    axis = ("length", [1, 2, 3])
    return RecordedCurves(
        runs, axis=axis, lines="model", measures={"loss": "loss"}
    )


DOORS = {
    "entropy": softmax.entropy,
    "softmax_jacobian_norm": softmax.softmax_jacobian_norm,
    "rollout": head_scores.rollout,
    "read_heads": lambda x: head_scores.read_heads(x, WORDS),
    "read_map": lambda x: head_scores.read_map(x, np.eye(N, dtype=bool)),
    "read_map's target": lambda x: head_scores.read_map(ZEROS, x),
    "read_map's asks": lambda x: head_scores.read_map(
        ZEROS, np.eye(N, dtype=bool), asks=x
    ),
    "spread": head_scores.spread,
    "labelled": lambda x: head_scores.labelled("first", x, x, x),
    "value_norms": lambda x: head_scores.value_norms(x, np.eye(N)),
    "value_norms' output": lambda x: head_scores.value_norms(
        np.ones((1, N, N)), x
    ),
    "norm_weighted": lambda x: head_scores.norm_weighted(x, np.ones(N)),
    "norm_weighted's norms": lambda x: head_scores.norm_weighted(ZEROS, x),
    "attention": lambda x: attention(x, x, x),
    "attention's key": lambda x: attention(ZEROS, x, x),
    "attention's mask": lambda x: attention(ZEROS, ZEROS, ZEROS, mask=x),
    "attention's bias": lambda x: attention(ZEROS, ZEROS, ZEROS, bias=x),
    "a tensor's mask": lambda x: attention_weights(
        torch.ones(N, N), torch.ones(N, N), mask=x
    ),
    "masked_softmax": lambda x: masked_softmax(x, np.array(True)),
    "split_heads": lambda x: split_heads(x, 1),
    "merge_heads": merge_heads,
    "KVCache": kept,
    "flash_attention": lambda x: flash_attention(x, x, x),
    "online_attention": lambda x: online_attention(x, x, x),
    "online_softmax": online_softmax,
    "safe_softmax": safe_softmax,
    "cost": masks.cost,
    "reach": masks.reach,
    "layers_until_connected": masks.layers_until_connected,
    "padding": lambda x: masks.padding(x, N),
    "pack_array": pack_array,
    "scores": shown(lambda x: AttentionHeatmap(WORDS, scores=x)),
    "weights": shown(lambda x: AttentionHeatmap(WORDS, weights=x)),
    "vectors": shown(lambda x: AttentionHeatmap(WORDS, query=x, key=x)),
    "value": shown(lambda x: AttentionHeatmap(WORDS, scores=ZEROS, value=x)),
    "mask": shown(lambda x: AttentionHeatmap(WORDS, scores=ZEROS, mask=x)),
    "AttentionSteps": shown(lambda x: AttentionSteps(x, x, x, tokens=WORDS)),
    "AttentionSteps' mask": shown(
        lambda x: AttentionSteps(ZEROS, ZEROS, ZEROS, tokens=WORDS, mask=x)
    ),
    "HeadBrowser's measures": shown(measured),
    "HeadBrowser's weights": shown(mapped),
    "MaskDesigner": shown(lambda x: MaskDesigner(N, mask=x)),
    "FlashStepper": shown(lambda x: FlashStepper(x, x, ZEROS[:, :2])),
    "QKVPlayground": shown(
        lambda x: QKVPlayground(np.ones(N), x, x, tokens=WORDS)
    ),
    "HeadSwitches": shown(
        lambda x: HeadSwitches(
            x, x, layers=1, heads=1, ways=["w"], tests=["t"], seeds=["s"]
        )
    ),
    "RecordedCurves": shown(curved),
}


@pytest.mark.parametrize("door", DOORS)
@given(brought=BROUGHT_BY_ANYONE)
@settings(max_examples=60)
def test_at_every_door_there_is_an_answer_or_an_error_of_ours(door, brought):
    with warnings.catch_warnings():
        # PyTorch's word on sparse tensors is no matter here.
        warnings.filterwarnings("ignore", module="torch")
        own(lambda: DOORS[door](brought))
