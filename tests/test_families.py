"""Tiny models of several families, looked into from a folder."""

import functools

import numpy as np
import pytest
import tiny_models
import torch

from attn_course import attention, pretrained

TEXT = "the cat sat on the mat"


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Give the folder of a model, made when it is first asked for."""
    return functools.cache(
        lambda name: tiny_models.save(name, tmp_path_factory.mktemp(name))
    )


@pytest.mark.parametrize("name", ["bert", "roberta", "llama", "qwen2"])
def test_attention_with_the_models_own_vectors_is_the_models(name, folder_of):
    model = pretrained.load(folder_of(name))
    if (
        name == "qwen2"
    ):  # transformers reads its tokenizers in a way of its own
        model.tokenizer = pretrained.load(folder_of("llama")).tokenizer
    assert model.tokens(TEXT) == TEXT.split()
    assert model.words(TEXT) == [0, 1, 2, 3, 4, 5]
    assert model.special(TEXT) == [] and model.note == ""
    query, key = model.queries_keys(TEXT)
    value = model.values(TEXT)
    assert query.shape == (2, 4, 6, 6)
    assert key.shape == value.shape == (2, model.kv_heads, 6, 6)
    read, weights = attention(
        query,
        key,
        value,
        causal=name in ("llama", "qwen2"),
        return_weights=True,
    )
    np.testing.assert_allclose(weights, model.attentions(TEXT), atol=1e-6)
    np.testing.assert_allclose(read, model.contexts(TEXT), atol=1e-6)


@pytest.mark.parametrize("name", ["bert", "roberta", "llama"])
def test_our_layers_give_the_models_output(name, folder_of):
    model = pretrained.load(folder_of(name))
    states = torch.tensor(model.states(TEXT))
    for number in range(2):
        with torch.no_grad():
            ours = model.our_layer(number)(states[number])
        torch.testing.assert_close(ours, states[number + 1], atol=1e-6, rtol=0)


def test_a_layer_with_other_weights_than_ours_is_an_error(folder_of):
    model = pretrained.load(folder_of("qwen2"))
    with pytest.raises(
        ValueError,
        match=r"weights of CausalBlock, got .*'self_attn.q_proj.bias'",
    ):
        model.our_layer(0)


def test_a_layer_that_computes_otherwise_is_an_error(folder_of):
    model = pretrained.load(folder_of("relu"))
    with pytest.raises(
        ValueError, match="expected hidden_act='gelu', got 'relu'"
    ):
        model.our_layer(0)


def test_stretched_positions_are_an_error(folder_of):
    model = pretrained.load(folder_of("stretched"))
    with pytest.raises(ValueError, match="got rope_type='linear'"):
        model.queries_keys(TEXT)


def test_a_model_of_another_family_shows_tokens_and_maps(folder_of):
    model = pretrained.load(folder_of("gpt2"))
    assert model.tokens(TEXT) == TEXT.split()
    weights = model.attentions(TEXT)
    assert weights.shape == (2, 4, 6, 6)
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0, atol=1e-6)
    assert (np.triu(weights, 1) == 0).all()
    for ask in (model.queries_keys, model.values, model.states):
        with pytest.raises(
            ValueError, match=r"of type \['bert', .*'llama'.*got 'gpt2'"
        ):
            ask(TEXT)


def test_encoder_with_decoder_is_an_error(folder_of):
    with pytest.raises(ValueError, match="an encoder and a decoder"):
        pretrained.load(folder_of("t5"))


@pytest.mark.parametrize("text, got", [("", 0), ("cat " * 17, 17)])
def test_texts_too_short_or_long(text, got, folder_of):
    model = pretrained.load(folder_of("llama"))
    with pytest.raises(
        ValueError, match=f"expected 1 to 16 tokens, got {got}"
    ):
        model.attentions(text)


def test_a_folder_without_a_model_is_an_error(tmp_path):
    with pytest.raises(
        ValueError, match="expected a model that transformers can read, got"
    ):
        pretrained.load(str(tmp_path))
