"""AttentionSteps in Python: numbers, shapes, what stands in for it."""

from html.parser import HTMLParser

import numpy as np
import pytest
import shared_vectors
import torch
from hypothesis import given
from hypothesis import strategies as st

from attn_course import attention
from attn_course.data import load_recording, unpack_array
from attn_course.widgets import AttentionSteps

VECTORS = shared_vectors.load("attention_steps")
RNG = np.random.default_rng(0)
WORDS = ["The", "cat", "sat", "on"]


def drawn(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def shown(case):
    heads = len(case["query"])
    names = ("query", "key", "value")
    arrays = [np.array(case[name]) for name in names]
    if heads == 1:
        arrays = [array[0] for array in arrays]
    mask = case["mask"]
    return AttentionSteps(
        *arrays,
        tokens=[f"k{j}" for j in range(len(case["key"][0]))],
        query_tokens=[f"q{i}" for i in range(len(case["query"][0]))],
        mask=None if mask is None else np.array(mask),
        d_k=case["d_k"],
        layer=case["layer"],
    )


def test_vectors_are_what_the_loops_give():
    fresh = shared_vectors.maker("attention_steps").make()
    assert len(fresh["cases"]) == len(VECTORS["cases"]) >= 4
    for one, other in zip(fresh["cases"], VECTORS["cases"], strict=True):
        for name in ("query", "key", "value", "scores", "weights", "output"):
            np.testing.assert_allclose(one[name], other[name], atol=1e-12)


@pytest.mark.parametrize("case", VECTORS["cases"])
def test_python_agrees_with_the_vectors(case):
    steps = shown(case)
    for name in ("weights", "output"):
        wanted = (
            np.squeeze(np.array(case[name]), 0)
            if len(case["query"]) == 1
            else np.array(case[name])
        )
        np.testing.assert_allclose(getattr(steps, name), wanted, atol=1e-6)


@given(
    st.integers(1, 3), st.integers(1, 5), st.integers(1, 5),
    st.integers(1, 12), st.booleans(), st.integers(0, 99),
)  # fmt: skip
def test_it_says_what_attention_says(heads, n_q, n_k, d, causal, seed):
    query, key, value = drawn(
        (heads, n_q, d), (heads, n_k, d), (heads, n_k, 3), seed=seed
    )
    steps = AttentionSteps(
        query, key, value,
        tokens=list(map(str, range(n_k))),
        query_tokens=list(map(str, range(n_q))),
        causal=causal,
    )  # fmt: skip
    output, weights = attention(
        query, key, value, causal=causal, return_weights=True
    )
    np.testing.assert_allclose(
        steps.weights, weights if heads > 1 else weights[0], atol=1e-9
    )
    np.testing.assert_allclose(
        steps.output, output if heads > 1 else output[0], atol=1e-9
    )
    steps.html()


def test_tensors_and_one_query_alone_are_taken():
    query, key, value = drawn(4, (3, 4), (3, 2))
    wanted = AttentionSteps(query, key, value, tokens="abc", query_tokens="q")
    tensors = (
        torch.tensor(x, requires_grad=True) for x in (query, key, value)
    )
    steps = AttentionSteps(*tensors, tokens="abc", query_tokens="q")
    assert steps.weights.shape == (1, 3)
    np.testing.assert_allclose(steps.weights, wanted.weights)


def test_the_article_s_example_is_a_tie_that_a_number_breaks():
    steps = AttentionSteps.article()
    np.testing.assert_allclose(steps.weights, np.full((1, 3), 1 / 3))
    np.testing.assert_allclose(steps.output, np.ones((1, 4)))
    steps.query = [[1, 1, 1, 0]]
    assert steps.weights[0, 0] == steps.weights[0, 1] > steps.weights[0, 2]


@pytest.mark.parametrize("head", range(3))
def test_the_sentence_weighs_as_the_recorded_scores_do(head):
    record = load_recording("minilm-cat")
    layer, number = load_recording("minilm-vectors")["heads"][head]
    scores = unpack_array(record["scores"])[layer - 1, number - 1]  # (n, n)
    exps = np.exp((scores - scores.max(-1, keepdims=True)) / 32**0.5)
    weights = exps / exps.sum(-1, keepdims=True)
    steps = AttentionSteps.from_recording(head)
    assert steps.source["tokens"][steps.asks] == "it"
    assert steps.query == []  # long vectors are no table to type in
    np.testing.assert_allclose(steps.weights, weights, atol=0.01)


def test_numbers_can_be_set_but_not_reshaped():
    steps = AttentionSteps.article()
    heard = []
    steps.observe(lambda change: heard.append(change.new), "query")
    steps.query = [[2, 0, 1, 0]]
    assert heard == [[[2, 0, 1, 0]]]
    with pytest.raises(ValueError, match="query of shape"):
        steps.query = [[1.0, 2.0]]
    with pytest.raises(ValueError, match="within ±100"):
        steps.query = [[1, 0, 1, 1e9]]


def test_the_state_can_be_set_within_what_there_is():
    steps = AttentionSteps(
        *drawn((2, 4, 9), (2, 4, 9), (2, 4, 9)), tokens=WORDS, head=1, asks=3
    )
    assert steps.steps[-1] == "all"
    steps.asks = -1
    steps.step = len(steps.steps) - 1
    for name, bad in (("asks", 4), ("head", 2), ("step", len(steps.steps))):
        with pytest.raises(ValueError, match=f"expected {name} below"):
            setattr(steps, name, bad)


def test_only_steps_that_happen_are_there():
    arrays = drawn((4, 3), (4, 3), (4, 3))
    one, *_ = drawn((4, 3))
    layer = {"x": one, "w_1": np.ones((3, 6)), "w_2": np.ones((6, 3))}
    plain = AttentionSteps(*arrays, tokens=WORDS).steps
    whole = AttentionSteps(
        *arrays, tokens=WORDS, causal=True, layer=layer
    ).steps
    assert "mask" not in plain and "feed" not in plain
    assert set(whole) - set(plain) == {"mask", "add", "norm", "feed", "norm2"}
    assert "all" not in AttentionSteps.article().steps


def test_causal_and_mask_hide_together():
    mask = np.ones((4, 4), bool)
    mask[:, 1] = False
    steps = AttentionSteps(
        *drawn((4, 3), (4, 3), (4, 3)), tokens=WORDS, mask=mask, causal=True
    )
    hidden = steps.weights == 0
    np.testing.assert_array_equal(hidden, ~(mask & np.tri(4, dtype=bool)))


@pytest.mark.parametrize(
    ("vectors", "options", "message"),
    [
        (drawn(4, (3, 4), (3, 2)), {}, "expected at with 1 positions"),
        (drawn((4, 2), (4, 3), (4, 2)), {}, r"key of shape \(4, 2\)"),
        (drawn((4, 2), (4, 2), (3, 2)), {}, "value of shape"),
        (drawn((9, 4, 2), (9, 4, 2), (9, 4, 2)), {}, "1 to 8 heads, got 9"),
        (drawn((1, 1, 4, 2), (4, 2), (4, 2)), {}, "query of shape"),
        ([np.full((4, 2), np.nan)] * 3, {}, "finite numbers in query"),
        ([np.full((4, 2), 101)] * 3, {}, "query within ±100"),
        (drawn((4, 2), (4, 2), (4, 2)), {"query_tokens": "ab"},
         "expected 4 query_tokens, got 2"),
        (drawn((4, 2), (4, 2), (4, 2)), {"at": [0, 1, 2, 4]}, "positions"),
        (drawn((4, 2), (4, 2), (4, 2)), {"mask": np.zeros((4, 4))}, "bool"),
        (drawn((4, 2), (4, 2), (4, 2)), {"d_k": 0}, "d_k"),
        (drawn((4, 2), (4, 2), (4, 2)), {"layer": {"x": 1}}, "w_1 and w_2"),
        (drawn((4, 2), (4, 2), (4, 2)),
         {"layer": {"x": np.ones((4, 3)), "w_1": np.ones((3, 3)),
                    "w_2": np.ones((3, 3))}}, r"w_o of shape \(2, 3\)"),
    ],
)  # fmt: skip
def test_bad_arrays_say_what_was_expected(vectors, options, message):
    with pytest.raises(ValueError, match=message):
        AttentionSteps(*vectors, tokens=WORDS[: len(vectors[1])], **options)


@pytest.mark.parametrize("n", [0, 17])
def test_there_are_one_to_sixteen_words(n):
    with pytest.raises(ValueError, match=f"1 to 16 tokens, got {n}"):
        AttentionSteps(*drawn((n, 2), (n, 2), (n, 2)), tokens=["a"] * n)


class Texts(HTMLParser):
    """The texts and the tags of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_without_scripts_there_are_a_drawing_a_table_and_sentences():
    steps = AttentionSteps.article(tokens=["cat", "<b>sat", "</script>"])
    found = Texts(steps.table())
    said = "".join(found.texts)
    assert {"svg", "table", "ol", "li"} <= set(found.tags)
    assert not {"b", "script", "img"} & set(found.tags)
    assert "<b>sat" in said and "</script>" in said
    assert found.tags.count("li") == len(steps.steps)
    assert "0.333" in said and "33 %" in said
    assert "*" not in said and "{" not in said


def test_the_stand_in_shows_the_query_that_asks():
    steps = AttentionSteps(
        *drawn((4, 3), (4, 3), (4, 3)), tokens=WORDS, causal=True, asks=2
    )
    text = steps.table()
    assert text.count("hidden") >= 2
    assert f"{steps.weights[2, 0]:.3f}" in text
    steps.asks = 0
    assert f"{steps.weights[2, 0]:.3f}" not in steps.table()


def test_html_is_an_element_with_its_state():
    text = AttentionSteps.from_recording()._repr_mimebundle_()[0]["text/html"]
    assert text.startswith('<attn-steps data-state="')
    assert text.endswith("</attn-steps>")
