"""Writing with and without a cache, and what the cache weighs."""

import numpy as np
import pytest
import tiny_models
import torch
import transformers

from attn_course import data
from attn_course.experiments import token_times as experiment
from attn_course.generation import (
    CausalModel,
    cache_bytes,
    from_pretrained,
    generate,
)
from attn_course.kv_cache import KVCache
from attn_course.model_shapes import ModelShape, load_model_shapes
from attn_course.positions import rotate
from attn_course.pretrained import load

# Heads, and heads of keys and values: each its own, shared, one for all.
SHARINGS = [(4, 4), (4, 2), (6, 3), (6, 2), (4, 1), (1, 1)]


def model_of(heads, kv_heads, seed=0, **options):
    sizes = {"layers": 2, "d_model": 12 * heads, "d_ff": 20, **options}
    model = CausalModel(11, heads=heads, kv_heads=kv_heads, seed=seed, **sizes)
    generator = torch.Generator().manual_seed(seed)
    for x in model.parameters():
        torch.nn.init.normal_(x, std=0.3, generator=generator)
    return model.eval()


def words_of(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(11, shape, generator=generator)


@pytest.mark.parametrize(("heads", "kv_heads"), SHARINGS)
@pytest.mark.parametrize("seed", range(4))
def test_cached_scores_are_those_without_a_cache(heads, kv_heads, seed):
    rng = np.random.default_rng(seed)
    batch, n = rng.integers(1, 4), rng.integers(2, 20)
    layers = int(rng.integers(1, 4))
    model = model_of(heads, kv_heads, seed, layers=layers)
    words = words_of(int(batch), int(n), seed=seed)
    cache, scores, at = model.new_cache(), [], 0
    with torch.no_grad():
        while at < n:  # a few words at a time
            new = int(rng.integers(1, 4))
            scores.append(model(words[:, at : at + new], cache))
            at += new
        whole = model(words)
    torch.testing.assert_close(
        torch.cat(scores, dim=1), whole, atol=1e-4, rtol=1e-4
    )
    assert [layer.length for layer in cache] == [n] * layers


@pytest.mark.parametrize(("heads", "kv_heads"), SHARINGS)
def test_the_same_words_are_written_with_and_without(heads, kv_heads):
    model, words = model_of(heads, kv_heads), words_of(2, 5)
    written = generate(model, words, 12)
    assert written.shape == (2, 17)
    assert torch.equal(written[:, :5], words)
    assert torch.equal(written, generate(model, words, 12, cached=False))
    assert len(set(written[:, 5:].flatten().tolist())) > 1


def test_the_last_scores_alone_are_the_last_of_all():
    model, words = model_of(4, 2), words_of(3, 6)
    with torch.no_grad():
        torch.testing.assert_close(
            model(words, last=True), model(words)[:, -1:]
        )


def test_shared_heads_are_copied_heads():
    """Grouped-query attention is multi-head attention with equal heads."""
    grouped, full = model_of(4, 2), model_of(4, 4)
    state = grouped.state_dict()
    for name in list(state):
        if name.endswith(("key.weight", "value.weight")):
            heads = state[name].reshape(2, 12, 48)
            state[name] = heads.repeat_interleave(2, dim=0).reshape(48, 48)
    full.load_state_dict(state)
    words = words_of(2, 9)
    with torch.no_grad():
        torch.testing.assert_close(grouped(words), full(words))


@pytest.mark.parametrize(("heads", "kv_heads"), SHARINGS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_cache_weighs_what_the_formula_says(heads, kv_heads, dtype):
    model = model_of(heads, kv_heads, layers=3).to(dtype)
    cache = model.new_cache()
    with torch.no_grad():
        model(words_of(5, 7), cache)
    shape = ModelShape(
        "ours", 2026, 3, heads, kv_heads, 12 * heads, 12, 0, "", ""
    )
    expected = shape.cache_bytes(7, batch=5, bytes_each=dtype.itemsize)
    assert cache_bytes(cache) == expected
    # The memory behind the arrays is theirs alone.
    storage = sum(
        x.untyped_storage().nbytes()
        for layer in cache
        for x in (layer.key, layer.value)
    )
    assert storage == expected


def test_published_shapes_need_what_their_papers_say():
    shapes = load_model_shapes()
    # DeepSeek-V3: 61 layers of 576 numbers (section 4.2 of its report).
    assert shapes["DeepSeek-V3"].cache_bytes(1) == 61 * 576 * 2
    many = shapes["LLaMA 65B"].cache_bytes(1000)
    assert many == 8 * shapes["Llama 2 70B"].cache_bytes(1000)
    assert shapes["PaLM 540B"].kv_heads == 1


def test_a_turn_that_starts_later_is_a_slice_of_the_whole():
    x = np.random.default_rng(0).normal(size=(2, 9, 6))
    np.testing.assert_allclose(
        rotate(x[:, 4:], start=4), rotate(x)[:, 4:], atol=1e-6
    )
    with pytest.raises(ValueError, match="start"):
        rotate(x, start=-1)


def test_what_does_not_follow_is_refused():
    cache, kept = KVCache(), np.zeros((2, 3, 4))
    with pytest.raises(ValueError, match="a value for each key"):
        cache.add(kept, kept[:, :2])
    cache.add(kept, kept)
    with pytest.raises(ValueError, match=r"expected key of shape"):
        cache.add(np.zeros((1, 1, 4)), np.zeros((1, 1, 4)))
    with pytest.raises(ValueError, match=r"expected value of shape"):
        cache.add(kept, np.zeros((2, 3, 5)))
    assert cache.length == 3


def test_an_empty_cache_weighs_nothing():
    assert (KVCache().length, KVCache().n_bytes) == (0, 0)


def test_a_real_model_of_ours_scores_as_transformers_does(tmp_path):
    config = transformers.LlamaConfig(
        **tiny_models.LLAMA, tie_word_embeddings=True
    )
    theirs = transformers.LlamaForCausalLM(config).eval()
    loaded = load(tiny_models.save("llama", tmp_path), progress=False)
    loaded.model = theirs.model
    ours = from_pretrained(loaded)
    words = words_of(2, 6) % config.vocab_size
    with torch.no_grad():
        torch.testing.assert_close(
            ours(words), theirs(words).logits, atol=1e-5, rtol=1e-4
        )
    assert torch.equal(
        generate(ours, words, 4), generate(ours, words, 4, cached=False)
    )


def test_smollm2_scores_as_its_own_code_does_and_writes_with_a_cache(smollm2):
    ours = from_pretrained(smollm2)
    tokens = smollm2.tokenizer(
        "The capital of France is", add_special_tokens=False
    )
    words = torch.tensor([tokens.input_ids])
    with torch.no_grad():
        state = smollm2.model(words).last_hidden_state
        expected = state @ smollm2.model.embed_tokens.weight.T
        torch.testing.assert_close(ours(words), expected, atol=2e-3, rtol=1e-3)
    written = generate(ours, words, 6)
    assert torch.equal(written, generate(ours, words, 6, cached=False))
    assert "Paris" in smollm2.tokenizer.decode(written[0])


def test_other_models_are_refused(tmp_path):
    loaded = load(tiny_models.save("llama", tmp_path), progress=False)
    with pytest.raises(ValueError, match="tied"):
        from_pretrained(loaded)
    encoder = load(tiny_models.save("bert", tmp_path), progress=False)
    with pytest.raises(ValueError, match="Llama-like"):
        from_pretrained(encoder)


# Times


def test_the_recorded_cache_weighs_what_the_formula_says():
    kept = data.load_recording("token-times")
    assert kept["bytes"] == kept["bytes_by_formula"]


def test_a_small_slice_measures_times_and_the_same_bytes():
    model = model_of(4, 2)
    found = experiment.measure(model, [4, 8], steps=2)
    assert {name: len(x) for name, x in found.items()} == {
        "cached": 2,
        "uncached": 2,
        "bytes": 2,
    }
    assert found["bytes"] == [2 * 2 * 2 * 12 * n * 4 for n in (4, 8)]
