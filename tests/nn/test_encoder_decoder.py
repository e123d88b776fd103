"""Encoder and decoder layers against torch's own, with the same weights."""

import pytest
import torch
from torch import nn

from attn_course import masks
from attn_course.nn.encoder import EncoderLayer
from attn_course.nn.encoder_decoder import (
    CrossAttention,
    DecoderLayer,
    EncoderDecoder,
    from_torch,
)

SIZES = {"dropout": 0.1, "activation": "gelu", "batch_first": True}
THEIRS = {
    nn.TransformerEncoderLayer: EncoderLayer,
    nn.TransformerDecoderLayer: DecoderLayer,
}


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def make(kind, norm_first=False, seed=0, **options):
    """Make one of torch's layers, with no weight at 0 or 1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layer = kind(24, 4, 40, norm_first=norm_first, **SIZES | options)
        for x in layer.parameters():
            nn.init.normal_(x, std=0.3)
    return layer.eval()


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("eps", [1e-5, 1e-2])
def test_the_encoder_layer_gives_torchs_output(norm_first, eps):
    kind = nn.TransformerEncoderLayer
    theirs = make(kind, norm_first, layer_norm_eps=eps)
    ours, x = from_torch(theirs), randn(2, 6, 24)
    assert type(ours) is EncoderLayer
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=0)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("n_k", [1, 5, 9])
def test_the_decoder_layer_gives_torchs_output(norm_first, n_k):
    theirs = make(nn.TransformerDecoderLayer, norm_first)
    ours = from_torch(theirs)
    assert type(ours) is DecoderLayer
    x, memory = randn(2, 6, 24), randn(2, n_k, 24, seed=2)
    hidden = torch.tensor([[False] * n_k, [False] + [True] * (n_k - 1)])
    # torch's masks say who may not look.
    later = ~torch.tensor(masks.causal(6))
    with torch.no_grad():
        torch.testing.assert_close(
            ours(x, memory),
            theirs(x, memory, tgt_mask=later),
            atol=1e-5,
            rtol=0,
        )
        torch.testing.assert_close(
            ours(x, memory, ~hidden[:, None, None, :]),
            theirs(x, memory, tgt_mask=later, memory_key_padding_mask=hidden),
            atol=1e-5,
            rtol=0,
        )


def test_the_order_of_the_norms_matters():
    kind, x = nn.TransformerEncoderLayer, randn(2, 6, 24)
    with torch.no_grad():
        before, after = (
            from_torch(make(kind, norm_first))(x)
            for norm_first in (True, False)
        )
    assert (before - after).abs().max() > 0.1


def test_no_place_of_the_decoder_sees_a_later_one():
    layer = from_torch(make(nn.TransformerDecoderLayer))
    x, memory = randn(2, 8, 24), randn(2, 5, 24, seed=2)
    with torch.no_grad():
        before = layer(x, memory)
        x[:, 5] += 1.0
        after = layer(x, memory)
    assert torch.equal(before[:, :5], after[:, :5])
    assert (before[:, 5:] != after[:, 5:]).any(-1).all()


def test_cross_attention_reads_a_set():
    cross = CrossAttention(24, 4)
    x, memory = randn(3, 24), randn(6, 24, seed=2)
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    with torch.no_grad():
        # The memory's order says nothing; that of the queries is kept.
        torch.testing.assert_close(cross(x, memory[order]), cross(x, memory))
        torch.testing.assert_close(
            cross(x[[2, 0, 1]], memory), cross(x, memory)[[2, 0, 1]]
        )
        weights = cross.weights(x, memory)
        assert weights.shape == (4, 3, 6)
        torch.testing.assert_close(weights.sum(-1), torch.ones(4, 3))
        value = cross.value(memory).reshape(6, 4, 6)
        read = torch.einsum("hqk,khd->qhd", weights, value).reshape(3, 24)
        torch.testing.assert_close(cross.output(read), cross(x, memory))


def test_the_whole_writes_from_what_it_reads():
    model = EncoderDecoder(20, seed=0, d_model=16, d_ff=24).eval()
    source, target = torch.tensor([3, 7, 1, 12]), torch.tensor([5, 2, 9])
    with torch.no_grad():
        scores = model(source, target)
        assert scores.shape == (3, 20)
        other = model(torch.tensor([3, 7, 1, 13]), target)
        assert (scores != other).any(-1).all()
        # What comes later in the target changes nothing before it.
        later = model(source, torch.tensor([5, 2, 4]))
    assert torch.equal(scores[:2], later[:2])
    assert not torch.equal(scores[2], later[2])


# It says that it has no fast path for norm_first.
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_the_whole_is_torchs_with_the_same_weights():
    model = EncoderDecoder(20, seed=0, d_model=24, d_ff=40).eval()
    theirs = nn.Transformer(
        24, 4, 2, 2, 40, norm_first=True, **SIZES | {"dropout": 0.0}
    ).eval()
    for stack, name in (
        (model.encoder, "encoder"),
        (model.decoder, "decoder"),
    ):
        torchs = getattr(theirs, name)
        torchs.norm.load_state_dict(stack.norm.state_dict())
        stack.layers = nn.ModuleList(map(from_torch, torchs.layers))
    source, target = torch.tensor([[3, 7, 1, 12]]), torch.tensor([[5, 2, 9]])
    with torch.no_grad():
        states = theirs(
            model.encoder.embedded(source),
            model.decoder.embedded(target),
            tgt_mask=~torch.tensor(masks.causal(3)),
        )
        torch.testing.assert_close(
            model(source, target),
            model.decoder.output(states),
            atol=1e-5,
            rtol=0,
        )


def test_the_same_seed_makes_the_same_model():
    one, two = (EncoderDecoder(20, seed=1).state_dict() for _ in range(2))
    other = EncoderDecoder(20, seed=2).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["decoder.output.weight"],
                           other["decoder.output.weight"])  # fmt: skip


def test_what_it_cannot_copy():
    with pytest.raises(ValueError, match=r"expected one of .*got Linear"):
        from_torch(nn.Linear(3, 3))
    with pytest.raises(ValueError, match=r"activation='gelu', got .*relu"):
        from_torch(make(nn.TransformerEncoderLayer, activation="relu"))
