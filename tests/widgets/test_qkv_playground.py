"""QKVPlayground in Python: numbers, geometry, bad input."""

import numpy as np
import pytest
import shared_vectors
from hypothesis import given
from hypothesis import strategies as st

from attn_course.data import load_recording, unpack_array
from attn_course.widgets import QKVPlayground
from attn_course.widgets.qkv_playground import plane_of_keys, plane_of_values

VECTORS = shared_vectors.load("playground")


def test_vectors_are_what_the_loops_give():
    module = shared_vectors.maker("playground")
    fresh = module.make()
    for kind, names in (
        ("qkv", ("weights", "output")),
        ("softmax_lab", ("spread", "entropy", "gradient")),
    ):
        assert len(fresh[kind]) == len(VECTORS[kind]) >= 4
        for one, other in zip(fresh[kind], VECTORS[kind], strict=True):
            assert one["state"] == other["state"]
            for name in names:
                np.testing.assert_allclose(one[name], other[name], atol=1e-12)


@pytest.mark.parametrize("case", VECTORS["qkv"])
def test_the_playground_agrees_with_the_vectors(case):
    state = dict(case["state"])
    vectors = [state.pop(name) for name in ("query", "key", "value")]
    play = QKVPlayground(
        *vectors, tokens=case["tokens"], d_k=case["d_k"], **state
    )
    np.testing.assert_allclose(play.weights, case["weights"], atol=1e-6)
    np.testing.assert_allclose(play.output, case["output"], atol=1e-6)


@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 100))
def test_the_plane_keeps_every_score(d, n, seed):
    rng = np.random.default_rng(seed)
    query, key = rng.normal(size=d), rng.normal(size=(n, d))
    asked, offered = plane_of_keys(query, key)
    np.testing.assert_allclose(offered @ asked, key @ query, atol=1e-9)


def test_a_mixture_of_values_is_projected_on_the_mixture():
    rng = np.random.default_rng(0)
    value, weights = rng.normal(size=(4, 9)), rng.dirichlet(np.ones(4))
    together = plane_of_values(np.vstack([value, weights @ value]))
    np.testing.assert_allclose(weights @ together[:4], together[4])


@pytest.mark.parametrize("head", range(3))
def test_recorded_vectors_give_the_recorded_scores(head):
    record = load_recording("minilm-vectors")
    layer, number = record["heads"][head]
    query, key = (unpack_array(record[n])[head] for n in ("query", "key"))
    cat = load_recording("minilm-cat")
    at = [cat["tokens"].index(word) for word in ("cat", "sat", "mat", "it")]
    scores = unpack_array(cat["scores"])[layer - 1, number - 1]  # (n, n)
    np.testing.assert_allclose(query @ key.T, scores, atol=0.05)
    scores = scores[cat["tokens"].index("it"), at]
    play = QKVPlayground.from_recording(head)
    logits = scores / np.sqrt(32)
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(play.weights, expected, atol=2e-3)


def test_vectors_can_be_set_but_not_reshaped():
    play = QKVPlayground.from_recording(0)
    heard = []
    play.observe(lambda change: heard.append(change.new), "query")
    play.query = [1.0, 2.0]
    assert heard == [[1.0, 2.0]]
    with pytest.raises(ValueError, match=r"query of shape \(2,\), got \(3,\)"):
        play.query = [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="within ±100"):
        play.query = [1.0, 1e9]
    assert play.query == [1.0, 2.0]


@pytest.mark.parametrize(
    ("vectors", "tokens", "message"),
    [
        (([1.0], [[1.0]], [[1.0]]), [], "1 to 6 tokens, got 0"),
        (([1.0], [[1.0]], [[1.0]]), ["a", "b"], r"key of shape \(2, 1\)"),
        (([1.0], [[np.nan]], [[1.0]]), ["a"], "key within ±100"),
        ((np.ones(9), np.ones((1, 9)), [[1.0]]), ["a"], "got 9"),
        (([[1.0]], [[1.0]], [[1.0]]), ["a"], "query of shape"),
    ],
)
def test_bad_vectors_say_what_was_expected(vectors, tokens, message):
    with pytest.raises(ValueError, match=message):
        QKVPlayground(*vectors, tokens=tokens)


def test_html_has_the_state_and_a_table():
    text = QKVPlayground.from_recording(1)._repr_mimebundle_()[0]["text/html"]
    assert text.startswith('<attn-qkv data-state="')
    assert "<table>" in text and "&quot;state&quot;" in text
