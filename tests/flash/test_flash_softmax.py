"""From softmax to attention that holds no row of weights: each rung."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attn_course import attention
from attn_course.flash import softmax as sm

SCORES = st.floats(-500, 500)
ROWS = hnp.arrays(
    np.float64, hnp.array_shapes(max_dims=3, max_side=7), elements=SCORES
)
STATES = st.one_of(
    st.just(sm.EMPTY),
    st.builds(sm.State, SCORES, st.floats(1, 1000)),
)


def exact(scores):
    """Softmax by plain loops, in float64."""
    rows = scores.reshape(-1, scores.shape[-1])
    answer = []
    for row in rows:
        top = max(row)
        shares = [np.exp(x - top) for x in row]
        answer.append([share / sum(shares) for share in shares])
    return np.array(answer).reshape(scores.shape)


def same(a, b):
    np.testing.assert_allclose(np.array(a), np.array(b), rtol=1e-12)


@given(ROWS)
def test_safe_softmax_is_softmax(scores):
    np.testing.assert_allclose(sm.safe_softmax(scores), exact(scores))


@given(ROWS, st.integers(1, 9))
def test_online_softmax_is_softmax_whatever_is_read_at_a_time(scores, block):
    found = sm.online_softmax(scores, block=block)
    np.testing.assert_allclose(found, exact(scores), rtol=1e-10)


def test_naive_softmax_overflows_where_the_others_do_not():
    scores = np.array([0.0, 100.0], dtype=np.float32)
    with np.errstate(all="ignore"):
        assert np.isnan(sm.naive_softmax(scores)).any()
    for way in (sm.safe_softmax, sm.online_softmax):
        np.testing.assert_allclose(way(scores), [0.0, 1.0], atol=1e-30)


@given(STATES, STATES, STATES)
def test_merging_is_associative_commutative_and_has_a_neutral_element(a, b, c):
    same(sm.merge(sm.merge(a, b), c), sm.merge(a, sm.merge(b, c)))
    same(sm.merge(a, b), sm.merge(b, a))
    same(sm.merge(a, sm.EMPTY), a)


@given(ROWS, st.data())
def test_two_parts_make_the_whole(scores, data):
    cut = data.draw(st.integers(0, scores.shape[-1]))
    parts = [
        sm.state_of(part) if part.shape[-1] else sm.EMPTY
        for part in (scores[..., :cut], scores[..., cut:])
    ]
    same(sm.merge(*parts), sm.state_of(scores))


@given(hnp.arrays(np.float64, st.integers(1, 9), elements=SCORES))
def test_reading_score_by_score_gives_the_same_state(scores):
    state = sm.EMPTY
    for score in scores:
        state = sm.update(state, score)
    same(state, sm.state_of(scores))


def test_a_row_that_may_look_at_nothing_stays_empty():
    nothing = np.full((2, 3), -np.inf)
    m, total = sm.merge(sm.EMPTY, sm.state_of(nothing))
    assert np.isneginf(m).all()
    assert (total == 0).all()


@pytest.mark.parametrize("block", [1, 2, 5, 100])
def test_online_attention_is_attention(block):
    rng = np.random.default_rng(0)
    query, key, value = (
        rng.normal(size=shape, scale=3.0)
        for shape in ((2, 3, 4, 8), (2, 3, 7, 8), (2, 3, 7, 5))
    )
    found = sm.online_attention(query, key, value, block=block)
    np.testing.assert_allclose(found, attention(query, key, value))


def test_bad_input_is_told():
    x = np.ones((3, 4))
    with pytest.raises(ValueError, match="block of at least 1, got 0"):
        sm.online_attention(x, x, x, block=0)
    with pytest.raises(ValueError, match=r"key with d_k=4 .* got 3"):
        sm.online_attention(x, x[:, :3], x)
    with pytest.raises(ValueError, match="n_k of at least 1, got 0"):
        sm.online_attention(x, x[:0], x[:0])
    with pytest.raises(ValueError, match=r"an integer, got 1\.5"):
        sm.online_softmax(x, block=1.5)
    with pytest.raises(ValueError, match="NumPy array, got Tensor"):
        sm.online_attention(*[torch.ones(3, 4)] * 3)
    with pytest.raises(ValueError, match=r"as many heads .* got query \(4,"):
        sm.online_attention(np.ones((4, 3, 2)), *[np.ones((2, 3, 2))] * 2)


ODD_SCORES = {
    "a tensor": (torch.ones(3), "scores to be a NumPy array, got Tensor"),
    "one number": (np.array(1.0), r"shape \(\.\.\., n\) .*, got \(\)"),
    "booleans": (np.array([True]), "scores as numbers, got booleans"),
    "words": (["a", "b"], "scores as real numbers, got dtype=<U1"),
    "masked": (np.ma.array([1.0]), "scores as a plain array"),
}


@pytest.mark.parametrize("name", ODD_SCORES)
@pytest.mark.parametrize(
    "way", [sm.naive_softmax, sm.safe_softmax, sm.online_softmax, sm.state_of]
)
def test_what_is_no_row_of_scores_is_refused(way, name):
    scores, message = ODD_SCORES[name]
    with pytest.raises(ValueError, match=message):
        way(scores)
    if way is not sm.naive_softmax:  # it needs no largest score
        with pytest.raises(ValueError, match=r"n of at least 1, got \(2, 0\)"):
            way(np.ones((2, 0)))


def test_lists_of_scores_are_welcome():
    for way in (sm.naive_softmax, sm.safe_softmax, sm.online_softmax):
        np.testing.assert_allclose(way([1.0, 1.0]), 0.5)
