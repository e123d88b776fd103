"""What a head does, as a number with its controls; and what maps leave out."""

import numpy as np
import pytest
import torch

from attn_course.functional import attention
from attn_course.interpret.head_scores import (
    MEASURES,
    PLACES,
    RELATIONS,
    average,
    labelled,
    norm_weighted,
    read_heads,
    read_map,
    rollout,
    spread,
    targets,
    value_norms,
)

TOKENS = ["[CLS]", "The", "cat", "saw", "the", "mat", ".", "[SEP]"]
SPECIAL = [0, 7]


def random_maps(*shape, causal=False, seed=0):
    weights = np.random.default_rng(seed).gamma(0.5, size=shape) + 1e-3
    if causal:
        weights = np.tril(weights)
    return weights / weights.sum(axis=-1, keepdims=True)


def test_targets_are_what_their_names_say():
    found = targets(TOKENS, SPECIAL)
    assert list(found) == list(MEASURES)
    pairs = {
        name: {(int(i), int(j)) for i, j in np.argwhere(mask)}
        for name, mask in found.items()
    }
    words = range(1, 7)
    assert pairs["previous"] == {(i, i - 1) for i in words if i > 1}
    assert pairs["next"] == {(i, i + 1) for i in words if i < 6}
    assert pairs["itself"] == {(i, i) for i in words}
    assert pairs["same"] == {(1, 4), (4, 1)}
    assert pairs["first"] == {(i, 0) for i in words}
    assert pairs["separator"] == {(i, 7) for i in words}
    assert pairs["punctuation"] == {(i, 6) for i in range(1, 6)}


def test_what_holds_a_letter_a_mark_or_a_number_is_no_punctuation():
    tokens = ["हि", "##ि", "7", "½", "।", "¿", "_", "…"]
    marked = targets(tokens)["punctuation"].any(axis=0)
    assert marked.tolist() == [False] * 4 + [True] * 4


def test_a_model_without_special_tokens_has_its_first_word_as_first():
    found = targets(["The", "cat", "sat"])
    assert np.argwhere(found["first"]).tolist() == [[1, 0], [2, 0]]
    # A sink would otherwise count as the previous word of the second.
    assert np.argwhere(found["previous"]).tolist() == [[2, 1]]
    assert not found["separator"].any()


@pytest.mark.parametrize("name", MEASURES)
def test_a_head_made_for_a_measure_scores_1_there(name):
    mask = targets(TOKENS, SPECIAL)[name]
    weights = np.eye(8)
    rows = mask.any(axis=-1)
    weights[rows] = mask[rows] / mask[rows].sum(axis=-1, keepdims=True)
    found = read_heads(weights, TOKENS, special=SPECIAL)
    assert found[name].score == pytest.approx(1)
    reading = found[name]
    assert labelled(name, *reading) == (name in PLACES or reading.others < 0.5)


@pytest.mark.parametrize("causal", [False, True])
def test_equal_weights_score_what_both_controls_say(causal):
    seen = np.tri(8) if causal else np.ones((8, 8))
    weights = seen / seen.sum(axis=-1, keepdims=True)
    found = read_heads(weights, TOKENS, special=SPECIAL, causal=causal)
    for name, reading in found.items():
        if np.isnan(reading.score):
            assert causal and name in ("next", "separator", "punctuation")
            continue
        assert reading.score == pytest.approx(reading.uniform)
        assert not labelled(name, *reading)
        if not causal:
            assert reading.others == pytest.approx(reading.score)


def test_a_sink_is_no_relation():
    """A head that gives all to one key does the same for every word."""
    weights = np.zeros((8, 8))
    weights[:, 0] = 1.0
    found = read_heads(weights, TOKENS, special=SPECIAL)
    assert found["first"].score == found["first"].others == 1
    assert all(found[name].score == 0 for name in RELATIONS)


def test_the_control_is_the_mean_over_all_ways_to_shuffle_the_rows():
    """Each row but the query's own is as likely to come in its place."""
    weights = random_maps(3, 6, 6)
    target = np.eye(6, k=-1, dtype=bool)
    others = read_map(weights, target).others
    shifted = [
        read_map(np.roll(weights, shift, axis=-2), target).score
        for shift in range(1, 6)
    ]
    np.testing.assert_allclose(others, np.mean(shifted, axis=0))


def test_a_causal_control_asks_only_those_who_may_look():
    weights = random_maps(5, 5, causal=True)
    target = np.eye(5, k=-1, dtype=bool)
    reading = read_map(weights, target, causal=True)
    by_hand = [
        np.mean([weights[k, i - 1] for k in range(i - 1, 5) if k != i])
        for i in range(1, 5)
    ]
    assert reading.others == pytest.approx(np.mean(by_hand))
    assert reading.uniform == pytest.approx(
        np.mean([1 / 2, 1 / 3, 1 / 4, 1 / 5])
    )


def test_targets_of_another_size_are_refused():
    with pytest.raises(
        ValueError, match=r"expected targets of shape \(4, 4\)"
    ):
        read_map(np.ones((4, 4)), np.ones((4, 3), dtype=bool))


def test_sentences_without_a_target_do_not_count():
    with_two = read_heads(random_maps(2, 8, 8), TOKENS, special=SPECIAL)
    without = ["[CLS]", "cats", "sleep", "[SEP]"]
    none = read_heads(random_maps(2, 4, 4), without, special=[0, 3])
    mean = average([with_two, none])
    np.testing.assert_array_equal(mean["same"].score, with_two["same"].score)
    np.testing.assert_allclose(
        mean["first"].score,
        (with_two["first"].score + none["first"].score) / 2,
    )


def test_spread_is_1_for_equal_weights_and_0_for_one_key():
    assert spread(np.eye(5)) == 0
    assert spread(np.full((5, 5), 0.2)) == pytest.approx(1)
    equal = np.tri(5) / np.arange(1, 6)[:, None]
    assert spread(equal, causal=True) == pytest.approx(1)


def test_a_single_token_has_no_choice_to_measure():
    assert np.isnan(spread(np.ones((2, 1, 1)))).all()
    found = read_heads(np.ones((1, 2, 1, 1)), ["a"])
    assert found["itself"].score.shape == (1, 2)
    assert all(np.isnan(one.uniform) for one in found.values())
    assert read_heads(np.ones((1, 2, 0, 0)), [])["first"].score.shape == (1, 2)


@pytest.mark.parametrize(
    ("weights", "tokens", "message"),
    [
        (
            random_maps(2, 8, 8),
            TOKENS[:-1],
            r"\(\.\.\., 7, 7\) for 7 tokens, got",
        ),
        (np.ones((2, 8, 7)), TOKENS, r"\(\.\.\., n, n\), got \(2, 8, 7\)"),
        (np.ones(8), TOKENS, "at least 2 dimensions, got 1"),
        (random_maps(2, 2, 2), "ab", "a list of texts, got one text"),
        (np.zeros((1, 1, 1, 1, 8, 8)), TOKENS, r"\(layers, heads, n, n\)"),
    ],
)
def test_maps_that_are_not_those_of_the_tokens_are_refused(
    weights, tokens, message
):
    with pytest.raises(ValueError, match=message):
        read_heads(weights, tokens)


@pytest.mark.parametrize(
    "shape", [(3, 3), (2, 3, 3), (1, 2, 3, 4), (0, 2, 3, 3), (2, 0, 3, 3)]
)
def test_rollout_wants_layers_of_heads(shape):
    with pytest.raises(ValueError, match=r"\(layers, heads, n, n\)"):
        rollout(np.ones(shape))


# What raw maps leave out


def test_value_norms_are_those_of_what_each_head_adds():
    """The parts that heads add sum to what torch's output matrix gives."""
    rng = np.random.default_rng(1)
    heads, kv_heads, n, d = 4, 2, 5, 3
    values = rng.normal(size=(kv_heads, n, d))
    mix = torch.nn.Linear(heads * d, 7, bias=False).double()
    norms = value_norms(values, mix.weight.detach().numpy())
    assert norms.shape == (heads, n)
    for head in range(heads):
        alone = torch.zeros(n, heads * d, dtype=torch.float64)
        alone[:, head * d : (head + 1) * d] = torch.tensor(
            values[head // (heads // kv_heads)]
        )
        added = torch.linalg.norm(mix(alone), dim=-1)
        np.testing.assert_allclose(norms[head], added.detach().numpy())


def test_norm_weighted_is_the_share_of_the_vectors_added():
    rng = np.random.default_rng(2)
    q, k, v = rng.normal(size=(3, 1, 6, 4))  # one head
    _, weights = attention(q, k, v, return_weights=True)
    norms = value_norms(v, np.eye(4))
    parts = np.linalg.norm(weights[..., None] * v[:, None], axis=-1)
    np.testing.assert_allclose(
        norm_weighted(weights, norms),
        parts / parts.sum(axis=-1, keepdims=True),
    )


def test_equal_norms_change_nothing_and_zeros_take_all():
    weights = random_maps(2, 5, 5)
    np.testing.assert_allclose(
        norm_weighted(weights, np.ones((2, 5))), weights
    )
    assert (norm_weighted(weights, np.zeros((2, 5))) == 0).all()


def test_a_matrix_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="a multiple of 6 columns"):
        value_norms(np.ones((2, 4, 3)), np.ones((5, 8)))


def test_rollout_rows_sum_to_1_and_keep_a_causal_triangle():
    maps = random_maps(3, 4, 6, 6, causal=True)
    rolled = rollout(maps)
    assert rolled.shape == (3, 6, 6)
    np.testing.assert_allclose(rolled.sum(axis=-1), 1)
    assert (np.triu(rolled, 1) == 0).all()


def test_rollout_is_the_product_with_the_last_layer_on_the_left():
    maps = random_maps(2, 3, 4, 4)
    first, second = ((m.mean(axis=0) + np.eye(4)) / 2 for m in maps)
    np.testing.assert_allclose(rollout(maps), [first, second @ first])


def test_layers_that_look_only_at_themselves_roll_out_to_the_identity():
    maps = np.broadcast_to(np.eye(4), (5, 2, 4, 4))
    np.testing.assert_allclose(rollout(maps)[-1], np.eye(4))


def test_rollout_spreads_out_as_layers_are_added():
    """What it says of the input loses contrast, layer by layer."""
    maps = random_maps(12, 4, 8, 8, seed=3)
    apart = np.ptp(rollout(maps), axis=-2).mean(axis=-1)  # (layers,)
    assert (np.diff(apart) < 0).all()
    assert apart[-1] < 0.05
