"""How thin the weights of real heads become: the measures, the recording."""

import numpy as np
import pytest

from attn_course import data
from attn_course.experiments import thinning


class Even:
    """A model of 2 layers of 3 heads that weigh all that they see alike."""

    def __init__(self, causal):
        self.causal = causal

    def tokens(self, text):
        return text.split()

    def attentions(self, text):
        n = len(self.tokens(text))
        see = np.tril(np.ones((n, n))) if self.causal else np.ones((n, n))
        return np.broadcast_to(see / see.sum(-1, keepdims=True), (2, 3, n, n))


@pytest.mark.parametrize("causal", [False, True])
def test_equal_weights_are_as_even_as_can_be(causal):
    found = thinning.by_length(Even(causal), seed=0)
    np.testing.assert_allclose(found["evenness"], 1, atol=1e-3)
    for i, tokens in enumerate(found["tokens"]):
        np.testing.assert_allclose(found["largest"][i], 1 / tokens, rtol=0.05)
        np.testing.assert_allclose(found["entropy"][i], np.log(tokens), 1e-2)
    assert found["sharp"] == found["sharp elsewhere"] == [0] * 6


def test_texts_are_long_enough_and_shuffled():
    model = Even(causal=True)
    texts = [thinning.long_text(model, 60, seed) for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]
    assert 60 <= len(texts[0].split()) < 90
    with pytest.raises(ValueError, match="got 100000"):
        thinning.long_text(model, 100_000, 0)


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("thinning")


def test_shares_are_shares(recording):
    for found in recording["records"]:
        for part in ("evenness", "largest", "first"):
            values = np.array(found[part])
            assert values.shape == (6, 5)
            assert ((values >= 0) & (values <= 1.0001)).all()
        away = np.subtract(found["sharp"], found["sharp elsewhere"])
        assert (away >= 0).all()
