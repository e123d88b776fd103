"""Splitting vectors into heads and merging them again."""

import numpy as np
import pytest
import torch

from attn_course.heads import merge_heads, split_heads


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
@pytest.mark.parametrize("shape", [(5, 12), (2, 5, 12), (2, 3, 5, 12)])
@pytest.mark.parametrize("heads", [1, 3, 12])
def test_merging_undoes_splitting(make, shape, heads):
    x = make(np.random.default_rng(0).normal(size=shape))
    split = split_heads(x, heads)
    assert split.shape == (*shape[:-2], heads, shape[-2], 12 // heads)
    assert type(split) is type(x)
    assert (merge_heads(split) == x).all()


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_each_head_gets_its_piece_of_every_position(make):
    x = make(np.arange(24.0).reshape(2, 3, 4))
    split = split_heads(x, 2)
    for head in range(2):
        piece = x[..., 2 * head : 2 * head + 2]  # (2, 3, 2)
        assert (split[:, head] == piece).all()


def test_heads_that_do_not_fit_are_an_error():
    with pytest.raises(
        ValueError, match="d_model to be a multiple of 3 heads, got 4"
    ):
        split_heads(np.ones((2, 4)), 3)
