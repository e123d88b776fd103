"""Reviews with a known cause, their readers, adversaries, the recording."""

import math

import numpy as np
import pytest
import torch

from attn_course import data
from attn_course.experiments import attention_explains as experiment
from attn_course.interpret.explanations import adversary, importances
from attn_course.reviews import (
    BAD,
    GOOD,
    LENGTH,
    Classifier,
    Guided,
    divergence,
    reviews,
    total_variation,
)


def drawn(size=200, seed=0):
    return reviews(size, torch.Generator().manual_seed(seed))


# Reviews


def test_most_clauses_decide():
    ours = drawn()
    assert ours.words.shape == (200, LENGTH)
    for row in range(200):
        words = ours.text(row)
        clauses = [words[i : i + 5] for i in range(0, LENGTH, 6)]
        votes = [
            (adjective in GOOD) != (degree == "not")
            for *_, degree, adjective in clauses
        ]
        assert int(sum(votes) > 1.5) == ours.good[row]
        known = {*GOOD, *BAD, "not"}
        decides = [word in known for word in words]
        assert decides == ours.decides[row].tolist()


def test_both_verdicts_are_as_frequent():
    assert abs(drawn(4000).good.float().mean() - 0.5) < 0.03


# Readers


def test_weights_are_weights():
    for encoder in ("GRU", "words"):
        model = Classifier(encoder, seed=0)
        weights = model.weights(drawn().words)
        torch.testing.assert_close(weights.sum(-1), torch.ones(200))
    equal = Classifier("GRU", uniform=True, seed=0).weights(drawn().words)
    torch.testing.assert_close(equal, torch.full((200, LENGTH), 1 / LENGTH))


def test_weights_can_be_handed_in():
    model, words = Classifier(seed=0), drawn().words
    own = model.weights(words)
    torch.testing.assert_close(model(words, own), model(words))
    assert not torch.allclose(model(words, own.flip(1)), model(words))


def test_words_alone_see_no_context():
    words = drawn(2).words
    changed = words.clone()
    changed[:, 0] += 1
    for encoder, same in (("words", True), ("GRU", False)):
        model = Classifier(encoder, seed=0)
        a, b = (model.encode(model.embed(x))[:, 1:] for x in (words, changed))
        assert torch.equal(a, b) == same


def test_a_guide_is_not_trained():
    guide = Classifier(seed=0)
    before = [p.clone() for p in guide.parameters()]
    guided = Guided(guide, seed=1)
    experiment.train(guided, 0, steps=3)
    for p, q in zip(guide.parameters(), before, strict=True):
        assert torch.equal(p, q)
    assert len(list(guided.parameters())) == len(
        list(guided.reader.parameters())
    )


def test_an_unknown_encoder_is_refused():
    with pytest.raises(ValueError, match="got 'CNN'"):
        Classifier("CNN", seed=0)


# Distances


def test_divergence_has_its_limits():
    p = torch.rand(50, 6).softmax(-1)
    q = torch.rand(50, 6).softmax(-1)
    torch.testing.assert_close(divergence(p, p), torch.zeros(50))
    torch.testing.assert_close(divergence(p, q), divergence(q, p))
    assert 0 < divergence(p, q).min() < divergence(p, q).max() < math.log(2)
    one, two = torch.eye(2).double()
    assert divergence(one, two).item() == pytest.approx(math.log(2))
    assert total_variation(one, two) == 1
    # Pinsker: the root of half a divergence bounds the total variation.
    bound = (divergence(p, q) * 2).sqrt()
    assert (total_variation(p, q) <= bound).all()


def test_divergence_has_a_gradient_at_zero_weights():
    p = torch.tensor([1.0, 0.0], requires_grad=True)
    divergence(p, torch.tensor([0.5, 0.5])).backward()
    assert p.grad.isfinite().all()


# How much a word counts


def test_for_a_linear_reader_all_ways_are_known():
    """Equal weights, states = words: every way is the word's own score."""
    model = Classifier("words", uniform=True, seed=0)
    model.encoder = torch.nn.Identity()
    words = drawn(20).words
    found = importances(model, words)
    with torch.no_grad():
        x = model.embed(words)
        slope = model.output.weight[1] - model.output.weight[0]
        each = x @ slope  # (batch, n)
        mean = each.mean(1, keepdim=True)
        left = (each.sum(1, keepdim=True) - each) / (LENGTH - 1)
    torch.testing.assert_close(found["gradient"], each.abs() / LENGTH)
    torch.testing.assert_close(found["leave one out"], (mean - left).abs())


def test_an_adversary_keeps_the_verdict_and_moves_the_weights():
    model = experiment.train(Classifier(seed=0), 0, steps=60)
    words = drawn(20).words
    own = model.weights(words)
    weights, moved = adversary(model, words, seed=0)
    torch.testing.assert_close(weights.sum(-1), torch.ones(20))
    verdicts = [model(words, w).softmax(-1) for w in (own, weights)]
    off = total_variation(*verdicts)
    torch.testing.assert_close(off, moved, atol=1e-4, rtol=0)
    assert off.max() <= experiment.SETTINGS["tolerance"] + 1e-6
    assert divergence(own, weights).median() > 0.3


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("attention-explains")


def test_numbers_are_possible(recording):
    for r in recording["records"]:
        numbers = [*r["agreement"].values(), *r["on_causes"].values()]
        assert np.isfinite(numbers).all()
        for way in (r["adversary"], *r["trained_adversaries"]):
            assert 0 <= way["divergence"][1] <= math.log(2)
        assert (
            r["adversary"]["total_variation"][2]
            <= experiment.SETTINGS["tolerance"]
        )
