"""Layers around the course's attention, against torch's own."""

import pytest
import torch
from torch import nn

from attn_course import attention_weights, masks
from attn_course.nn.encoder import CausalBlock, EncoderLayer, Transformer


def seeded(make, seed=0):
    """Make a layer with weights of its own, none of them 0 or 1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layer = make()
        for x in layer.parameters():
            nn.init.normal_(x, std=0.3)
    return layer.eval()


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# The encoder layer


def copy_into_torch(layer, norm_first):
    theirs = nn.TransformerEncoderLayer(
        24,
        4,
        40,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=norm_first,
    )
    parts = [layer.query, layer.key, layer.value]
    state = {
        "self_attn.in_proj_weight": torch.cat([p.weight for p in parts]),
        "self_attn.in_proj_bias": torch.cat([p.bias for p in parts]),
    }
    names = {
        "output": "self_attn.out_proj",
        "widen": "linear1",
        "narrow": "linear2",
        "norm_1": "norm1",
        "norm_2": "norm2",
    }
    for ours, name in names.items():
        part = getattr(layer, ours)
        state |= {f"{name}.weight": part.weight, f"{name}.bias": part.bias}
    theirs.load_state_dict(state)
    return theirs.eval()


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_the_encoder_layer_is_torchs_with_the_same_weights(norm_first, masked):
    layer = seeded(lambda: EncoderLayer(24, 4, 40, norm_first=norm_first))
    theirs = copy_into_torch(layer, norm_first)
    x = randn(2, 6, 24)
    mask = torch.tensor(masks.causal(6)) if masked else None
    with torch.no_grad():
        # torch's mask says who may not look.
        expected = theirs(x, src_mask=~mask if masked else None)
        torch.testing.assert_close(
            layer(x, mask), expected, atol=1e-5, rtol=1e-5
        )


def test_an_unbatched_sentence_is_read_like_one_of_a_batch():
    layer = seeded(lambda: EncoderLayer(24, 4, 40))
    x = randn(3, 6, 24)
    with torch.no_grad():
        torch.testing.assert_close(layer(x)[1], layer(x[1]))


@pytest.mark.parametrize("norm_first", [False, True])
def test_the_weights_are_those_that_forward_uses(norm_first):
    layer = seeded(lambda: EncoderLayer(24, 4, 40, norm_first=norm_first))
    x, mask = randn(2, 6, 24), torch.tensor(masks.causal(6))
    with torch.no_grad():
        weights = layer.weights(x, mask)
        assert weights.shape == (2, 4, 6, 6)
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 6))
        assert (weights[..., ~mask] == 0).all()
        # Read with these weights by hand, then go on as the layer does.
        inner = layer.norm_1(x) if norm_first else x
        value = layer.value(inner).reshape(2, 6, 4, 6)
        read = torch.einsum("bhqk,bkhd->bqhd", weights, value)
        mixed = x + layer.output(read.reshape(2, 6, 24))
        if norm_first:
            wide = nn.functional.gelu(layer.widen(layer.norm_2(mixed)))
            expected = mixed + layer.narrow(wide)
        else:
            mixed = layer.norm_1(mixed)
            wide = nn.functional.gelu(layer.widen(mixed))
            expected = layer.norm_2(mixed + layer.narrow(wide))
        torch.testing.assert_close(layer(x, mask), expected)


# The causal block


def block(kv_heads=2):
    return seeded(lambda: CausalBlock(24, 4, kv_heads, 40, base=100.0))


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_no_position_of_the_causal_block_sees_a_later_one(kv_heads):
    layer, x = block(kv_heads), randn(2, 8, 24)
    with torch.no_grad():
        before = layer(x)
        x[:, 5] += 1.0
        after = layer(x)
    assert torch.equal(before[:, :5], after[:, :5])
    assert (before[:, 5:] != after[:, 5:]).any(-1).all()


def test_the_causal_block_compares_its_turned_queries_and_keys():
    layer, x = block(), randn(8, 24)
    with torch.no_grad():
        query, key = layer.queries_keys(x)
        assert query.shape == (4, 8, 6) and key.shape == (2, 8, 6)
        weights = attention_weights(query, key, causal=True)  # (4, 8, 8)
        value = layer.value(layer.norm_1(x)).reshape(8, 2, 6)
        value = value.repeat_interleave(2, dim=1)  # heads 1, 2 share one
        read = torch.einsum("hqk,khd->qhd", weights, value)
        mixed = x + layer.output(read.reshape(8, 24))
        h = layer.norm_2(mixed)
        wide = nn.functional.silu(layer.gate(h)) * layer.widen(h)
        torch.testing.assert_close(layer(x), mixed + layer.narrow(wide))


def test_the_causal_block_knows_the_order():
    layer, x = block(), randn(5, 24)
    with torch.no_grad():
        x[3] = x[1]
        # Without positions, what stands before the last would not matter.
        swapped = x[[0, 2, 1, 3, 4]]
        assert not torch.allclose(layer(x)[4], layer(swapped)[4], atol=1e-3)


# The small transformer


def small(positions="sinusoidal", **options):
    return Transformer(
        20, d_model=16, d_ff=24, positions=positions, seed=3, **options
    ).eval()


SENTENCE = torch.tensor([3, 7, 1, 12, 7, 0])
ORDER = torch.tensor([4, 2, 0, 5, 1, 3])


def test_without_positions_it_is_permutation_equivariant():
    model = small("none").double()
    with torch.no_grad():
        torch.testing.assert_close(
            model(SENTENCE[ORDER]), model(SENTENCE)[ORDER]
        )
        maps, moved = (
            model.attentions(words) for words in (SENTENCE, SENTENCE[ORDER])
        )
        torch.testing.assert_close(moved, maps[..., ORDER, :][..., ORDER])


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_positions_end_that(positions):
    model = small(positions)
    with torch.no_grad():
        moved, there = model(SENTENCE[ORDER]), model(SENTENCE)[ORDER]
    assert (moved - there).abs().max() > 0.1


def test_only_learned_positions_are_trained():
    for positions in ("none", "sinusoidal", "learned"):
        names = [name for name, _ in small(positions).named_parameters()]
        assert ("places" in names) == (positions == "learned")


def test_the_same_seed_makes_the_same_model():
    one, two = small(), small()
    other = Transformer(20, d_model=16, d_ff=24, seed=4)
    for name, x in one.state_dict().items():
        assert torch.equal(x, two.state_dict()[name])
    assert not torch.equal(one.embed.weight, other.embed.weight)


def test_making_a_model_leaves_global_random_numbers_alone():
    state = torch.random.get_rng_state()
    small("learned")
    assert torch.equal(state, torch.random.get_rng_state())


def test_sizes_and_attention_of_every_layer():
    model = small(layers=3)
    words = torch.stack([SENTENCE, SENTENCE[ORDER]])
    with torch.no_grad():
        assert model(words).shape == (2, 6, 20)
    maps = model.attentions(words)
    assert maps.shape == (3, 2, 4, 6, 6)
    torch.testing.assert_close(maps.sum(-1), torch.ones(3, 2, 4, 6))


def test_padding_changes_nothing_before_it():
    model = small()
    padded = torch.stack([torch.nn.functional.pad(SENTENCE, (0, 3), value=p)
                          for p in (0, 9)])  # fmt: skip
    mask = torch.tensor(masks.padding([6, 6], 9))  # (2, 1, 1, 9)
    with torch.no_grad():
        read = model(padded, mask)
        torch.testing.assert_close(read[0, :6], model(SENTENCE))
        # What stands there does not matter.
        assert torch.equal(read[0, :6], read[1, :6])
    assert (model.attentions(padded, mask)[..., 6:] == 0).all()


def test_a_causal_mask_hides_what_comes_later():
    model, mask = small(), torch.tensor(masks.causal(6))
    changed = SENTENCE.clone()
    changed[4] = 15
    with torch.no_grad():
        before, after = model(SENTENCE, mask), model(changed, mask)
    assert torch.equal(before[:4], after[:4])
    assert not torch.equal(before[5], after[5])


def test_a_sentence_too_long_is_an_error():
    with pytest.raises(ValueError, match="expected at most 5 words, got 6"):
        small(max_length=5)(SENTENCE)


def test_unknown_positions_are_named():
    with pytest.raises(ValueError, match=r"\['none', .*\], got 'rotary'"):
        small("rotary")
