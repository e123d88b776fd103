"""Linear attention: both forms, and where its fixed state loses."""

import numpy as np
import pytest
import torch

from attn_course.experiments import recall_linear as experiment
from attn_course.linear import (
    features,
    linear_attention,
    linear_step,
    read_linearly,
)
from attn_course.lookup import READS, Lookup, lookup_accuracy, lookup_batch


def drawn(seed, library="numpy"):
    """Draw queries, keys and values of random sizes."""
    rng = np.random.default_rng(seed)
    n, d_k, d_v, heads, batch = rng.integers(1, 9, size=5)
    arrays = [rng.normal(size=(batch, heads, n, d)) for d in (d_k, d_k, d_v)]
    return [torch.tensor(x) for x in arrays] if library == "torch" else arrays


def by_loops(query, key, value, causal):
    """Mix the values of one head, one query at a time."""
    q, k = features(query), features(key)
    rows = []
    for i in range(len(q)):
        last = i + 1 if causal else len(k)
        weights = np.array([q[i] @ k[j] for j in range(last)])
        rows.append(weights @ value[:last] / weights.sum())
    return np.array(rows)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_all_at_once_is_the_sum_over_keys(seed, causal):
    query, key, value = drawn(seed)
    found = linear_attention(query, key, value, causal=causal)
    for b, h in np.ndindex(query.shape[:2]):
        expected = by_loops(query[b, h], key[b, h], value[b, h], causal)
        np.testing.assert_allclose(found[b, h], expected)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("seed", range(10))
def test_the_recurrent_form_is_the_parallel_one(seed, library):
    arrays = drawn(seed, library)
    outputs, state = read_linearly(*arrays)
    parallel = linear_attention(*arrays, causal=True)
    np.testing.assert_allclose(outputs, parallel)
    # The last token has seen all: the form without a mask says the same.
    whole = linear_attention(*arrays)
    np.testing.assert_allclose(outputs[..., -1, :], whole[..., -1, :])
    assert type(outputs) is type(arrays[0])
    d_k, d_v = arrays[0].shape[-1], arrays[2].shape[-1]
    assert state.size == d_k * d_v + d_k


@pytest.mark.parametrize("seed", range(3))
def test_torch_gives_what_numpy_gives_and_a_gradient(seed):
    arrays = drawn(seed)
    tensors = [torch.tensor(x, requires_grad=True) for x in arrays]
    for causal in (False, True):
        ours = linear_attention(*tensors, causal=causal)
        expected = linear_attention(*arrays, causal=causal)
        np.testing.assert_allclose(ours.detach(), expected)
    ours.sum().backward()
    assert all(torch.isfinite(x.grad).all() for x in tensors)


def test_the_state_is_as_large_after_many_tokens_as_after_one():
    sizes = set()
    for n in (1, 10, 1000):
        rng = np.random.default_rng(n)
        arrays = [rng.normal(size=(n, d)) for d in (4, 4, 6)]
        sizes.add(read_linearly(*arrays)[1].size)
    assert sizes == {4 * 6 + 4}


def test_features_are_positive_and_torchs_elu_plus_one():
    x = np.array([-800.0, -1.0, -1e-9, 0.0, 1e-9, 3.0, 800.0])
    expected = torch.nn.functional.elu(torch.tensor(x)) + 1
    np.testing.assert_allclose(features(x), expected)
    assert (features(x) >= 0).all()


def test_a_step_does_not_change_the_state_it_was_given():
    query, key, value = (x[0, 0, 0] for x in drawn(1))
    _, state = linear_step(query, key, value)
    memory = state.memory.copy()
    linear_step(query, key, value, state)
    np.testing.assert_array_equal(state.memory, memory)


def test_no_token_is_an_error():
    with pytest.raises(ValueError, match="at least one token"):
        read_linearly(*np.zeros((3, 0, 2)))


# Looking up


def test_the_two_models_start_from_the_same_numbers():
    soft, linear = (Lookup(read, 8, seed=3) for read in READS)
    for a, b in zip(soft.parameters(), linear.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(ValueError, match="expected read in"):
        Lookup("sparse", 8, seed=0)


def test_every_key_is_asked_for_and_no_held_out_pair_is_trained():
    train = lookup_batch(50, torch.Generator().manual_seed(0), pairs=8)
    keys, values, asked = train.inputs
    assert torch.equal(keys, asked)
    assert torch.equal(values, train.targets)
    for test in experiment.tests():
        keys, values, _ = test.inputs
        assert ((keys + values) % 4 == 0).all()
    assert ((train.inputs[0] + train.inputs[1]) % 4 != 0).all()


def test_an_untrained_model_guesses():
    for read in READS:
        test = experiment.tests()[-1]
        accuracy = lookup_accuracy(Lookup(read, 16, seed=0), test)
        assert accuracy < 0.2


def test_what_is_kept_grows_only_for_softmax():
    assert len(set(experiment.kept("linear", 8))) == 1
    assert experiment.kept("softmax", 8) == [64, 128, 256, 512, 1024]
