"""Heads switched off: the laws, and the recording of every subset."""

import numpy as np
import pytest
import torch

from attn_course import data
from attn_course.ablation import every_subset, mean_reads, switched_off
from attn_course.experiments import head_subsets
from attn_course.pronouns import training
from attn_course.transformer import Transformer


@pytest.fixture
def model():
    return Transformer(10, layers=2, d_model=16, heads=4, seed=0)


@pytest.fixture
def words():
    return torch.randint(10, (3, 6), generator=torch.Generator())


def keep_all():
    return np.ones((2, 4), dtype=bool)


def test_every_subset_comes_once():
    subsets = every_subset(2, 4)
    assert subsets.shape == (256, 2, 4)
    assert len({s.tobytes() for s in subsets}) == 256
    assert not subsets[0].any() and subsets[-1].all()
    assert subsets[1 << 5, 1, 1] and subsets[1 << 5].sum() == 1


def test_all_heads_on_is_the_model_itself(model, words):
    whole = model(words)
    with switched_off(model, keep_all()):
        assert torch.equal(model(words), whole)


def test_a_head_off_is_its_columns_at_zero(model, words):
    keep = keep_all()
    keep[1, 2] = False
    whole = model(words)
    with switched_off(model, keep):
        off = model(words)
    assert not torch.allclose(off, whole)
    assert torch.equal(model(words), whole)  # as it was
    with torch.no_grad():
        model.layers[1].output.weight[:, 8:12] = 0
    torch.testing.assert_close(off, model(words))


def test_a_mean_is_put_in_place(model, words):
    real = torch.ones_like(words, dtype=torch.bool)
    means = mean_reads(model, words, real)
    assert means.shape == (2, 16)
    keep = keep_all()
    keep[0] = False
    seen = []
    layer = model.layers[0]
    with switched_off(model, keep, means):
        handle = layer.output.register_forward_pre_hook(
            lambda module, inputs: seen.append(inputs[0])
        )
        model(words)
        handle.remove()
    expected = means[0].expand(3, 6, 16)
    torch.testing.assert_close(seen[0], expected)


def test_padding_does_not_count_in_the_mean(model, words):
    real = torch.ones_like(words, dtype=torch.bool)
    real[:, 4:] = False
    changed = words.clone()
    changed[:, 4:] = (changed[:, 4:] + 1) % 10
    torch.testing.assert_close(
        mean_reads(model, words, real), mean_reads(model, changed, real)
    )


def test_a_wrong_shape_is_named(model):
    with (
        pytest.raises(ValueError, match=r"shape \(2, 4\), got \(4, 2\)"),
        switched_off(model, keep_all().T),
    ):
        pass


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("head-subsets")


def test_no_subset_is_missing(recording):
    for r in recording["records"]:
        loss, accuracy = (
            data.unpack_array(r[key]) for key in ("loss", "accuracy")
        )
        assert loss.shape == accuracy.shape == (2, 2, 256)
        assert (loss >= 0).all()
        assert ((accuracy >= 0) & (accuracy <= 1)).all()
        # With all heads on, it does not matter what would stand in place.
        np.testing.assert_array_equal(loss[0, :, -1], loss[1, :, -1])


def test_the_whole_is_the_mean_of_its_halves(recording):
    for r in recording["records"]:
        for key in ("loss", "accuracy"):
            whole = data.unpack_array(r[key])
            halves = data.unpack_array(r[f"{key}_halves"])
            assert halves.shape == (2, 2, 2, 256)
            np.testing.assert_allclose(
                halves.mean(axis=2), whole, atol=1.01 * head_subsets.STEP
            )


def test_the_whole_model_is_that_of_the_pronouns(recording):
    pronouns = data.load_recording("pronouns")
    tests = recording["settings"]["tests"]
    for r in recording["records"]:
        [full] = [
            p
            for p in pronouns["records"]
            if (p["condition"], p["seed"]) == ("attention", r["seed"])
        ]
        accuracy = data.unpack_array(r["accuracy"])[0, :, -1]
        # There on 1000 sentences, here on the first of them.
        expected = [full["accuracy"][test] for test in tests]
        np.testing.assert_allclose(accuracy, expected, atol=0.05)


def test_a_few_subsets_again():
    """A slice: an untrained model, a few subsets, both ways."""
    model = training.make_reader(0)
    subsets = every_subset(2, 4)[[0, 17, 255]]
    found = head_subsets.measure(model, subsets)
    loss, accuracy = found["loss"], found["accuracy"]
    assert loss.shape == accuracy.shape == (2, 2, 2, 3)
    np.testing.assert_array_equal(loss[0, ..., -1], loss[1, ..., -1])
    assert (loss[0, ..., 0] != loss[1, ..., 0]).all()
    assert (loss[..., 0, :] != loss[..., 1, :]).all()  # two halves
    again = head_subsets.measure(model, subsets)
    for key in found:
        np.testing.assert_allclose(found[key], again[key])


def test_each_half_is_the_mean_of_its_sentences():
    half = head_subsets._by_half(torch.tensor([1.0, 2.0, 3.0, 5.0]))
    assert half.tolist() == [1.5, 4.0]
