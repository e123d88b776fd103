"""A language model taken apart, and what it loses without a head."""

import numpy as np
import pytest
import torch
from torch import nn

from attn_course import data
from attn_course.experiments import broad_heads as experiment
from attn_course.language import (
    LanguageModel,
    mean_reads,
    pack,
    without_heads,
)

TEXTS = ["The dog barked at the old man.", "We saw her."]


@pytest.fixture(scope="module")
def ours(smollm2):
    return LanguageModel(smollm2)


@pytest.fixture(scope="module")
def packed(smollm2):
    return pack(smollm2, TEXTS)


@pytest.fixture(scope="module")
def states(ours, packed):
    return ours.states(packed.tokens)


def switched_off(shape, *heads):
    off = np.zeros(shape, dtype=bool)
    for head in heads:
        off[head] = True
    return off


def test_the_states_are_those_of_the_real_model(smollm2, packed, states):
    for row, text in enumerate(TEXTS):
        real = smollm2.states(text)
        n = real.shape[1]
        assert packed.real[row].sum() == n
        mine = torch.stack([x[row, :n] for x in states]).numpy()
        np.testing.assert_allclose(mine, real, atol=0.02, rtol=1e-3)


def test_the_loss_is_that_of_a_text_alone(smollm2, ours, packed, states):
    together = ours.losses(states[-1], packed)
    for row, text in enumerate(TEXTS):
        alone = pack(smollm2, [text])
        last = ours.states(alone.tokens)[-1]
        scores = ours.norm(last[0, :-1]) @ ours.embed.weight.T
        loss = nn.functional.cross_entropy(scores, alone.tokens[0, 1:])
        assert together[row].item() == pytest.approx(loss.item(), abs=1e-3)


def test_a_head_that_is_off_hands_nothing_on(smollm2, ours, packed, states):
    """The same as zeros in its columns of the output map."""
    off = switched_off((30, 9), (28, 2), (29, 0))
    last = without_heads(ours, states, off)
    kept = [ours.layers[i].output.weight.data for i in (28, 29)]
    try:
        for layer, head, weight in ((28, 2, kept[0]), (29, 0, kept[1])):
            changed = weight.clone()
            changed[:, head * 64 : (head + 1) * 64] = 0
            ours.layers[layer].output.weight.data = changed
        by_hand = ours.states(packed.tokens)[-1]
    finally:
        for layer, weight in zip((28, 29), kept, strict=True):
            ours.layers[layer].output.weight.data = weight
    torch.testing.assert_close(last, by_hand)
    torch.testing.assert_close(ours.states(packed.tokens)[-1], states[-1])


def test_its_own_reads_in_its_place_change_nothing(smollm2, ours):
    """At the first token a head reads one value: its mean is that value."""
    one = pack(smollm2, ["dog"])
    states = ours.states(one.tokens)
    means = mean_reads(ours, one)
    assert means.shape == (30, 576)
    off = np.ones((30, 9), dtype=bool)
    last = without_heads(ours, states, off, means)
    torch.testing.assert_close(last, states[-1], rtol=1e-3, atol=0.05)


def test_means_leave_padding_out(smollm2, ours, packed):
    alone = [mean_reads(ours, pack(smollm2, [text])) for text in TEXTS]
    counts = packed.real.sum(1)
    both = sum(c * m for c, m in zip(counts, alone, strict=True))
    torch.testing.assert_close(
        mean_reads(ours, packed), both / counts.sum(), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("shape", [(30, 8), (30, 9)])
def test_what_names_no_head_is_refused(ours, states, shape):
    with pytest.raises(ValueError, match=r"expected off of shape \(30, 9\)"):
        without_heads(ours, states, np.zeros(shape, dtype=bool))


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("broad-heads")


def test_intervals_and_correlations():
    rng = np.random.default_rng(0)
    rise = rng.normal(size=(2000, 40))
    low, high = experiment.interval(rise)
    inside = ((low < 0) & (high > 0)).mean()
    assert 0.9 < inside < 0.97
    broad = rng.random((5, 4))
    follows = np.repeat(broad[..., None], 3, axis=-1)
    assert experiment.correlation(broad, follows)["value"] == 1
    none = experiment.correlation(broad, rng.random((5, 4, 3)))["interval"]
    assert none[0] < 0 < none[1]


def test_no_head_is_missing(recording):
    tested, others = experiment.texts()
    assert recording["texts"] == tested and len(tested) == experiment.TEXTS
    assert not set(tested) & set(others)
    broad = data.unpack_array(recording["spread"])
    rises = data.unpack_array(recording["rises"])
    assert broad.shape == (30, 9)
    assert rises.shape == (2, 30, 9, experiment.TEXTS)
    count = (broad >= recording["broad"]).sum()
    for number, kind in enumerate(experiment.KINDS):
        summary = recording["summary"][kind]
        assert summary["broad"]["heads"] == count
        assert summary["others"]["heads"] == 270 - count
        again = experiment.summary(broad, rises[number])
        assert again["broad"]["mean"] == pytest.approx(
            summary["broad"]["mean"], abs=1e-4
        )
        assert len(recording["others_together"][kind]) == experiment.SETS
