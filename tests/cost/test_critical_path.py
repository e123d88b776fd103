"""How many steps must wait for one another."""

import math

import pytest
import torch
from torch import nn

from attn_course.cost.critical_path import critical_path


def test_what_runs_side_by_side_counts_once():
    x = torch.ones(4, 4)
    assert critical_path(lambda: [x @ x for _ in range(9)]).products == 1
    assert critical_path(lambda: (x @ x) + (x @ x)) == (1, 2, 4)


def test_what_waits_is_added_up():
    x = torch.ones(4, 4)
    assert critical_path(lambda: (x @ x) @ (x @ x)).products == 2
    assert critical_path(lambda: x @ x @ x @ x).products == 3


@pytest.mark.parametrize("k", [1, 2, 3, 64, 100])
def test_a_sum_takes_the_logarithm_of_its_length(k):
    x = torch.ones(2, k)
    halvings = math.ceil(math.log2(k))
    assert critical_path(lambda: x @ x.T).levels == 1 + halvings
    assert critical_path(lambda: x.sum(-1)).levels == 1 + halvings
    assert critical_path(lambda: x.softmax(-1)).levels == 1 + halvings


def test_views_and_copies_are_free():
    x = torch.ones(4, 6)
    path = critical_path(lambda: x.T.reshape(2, 12)[:, 1:].clone())
    assert path == (0, 0, 0)


def test_a_result_written_in_place_waits_too():
    def compute():
        x = torch.ones(3)
        for _ in range(5):
            x += 1

    assert critical_path(compute).operations == 5


def test_backward_is_counted_as_well():
    weights = [torch.ones(3, 3, requires_grad=True) for _ in range(4)]

    def compute():
        x = torch.ones(1, 3)
        for w in weights:
            x = x @ w
        x.sum().backward()

    # Four forward; backward three on to the first, and its own.
    assert critical_path(compute).products == 8


def test_what_hides_its_steps_is_refused():
    lstm = nn.LSTM(4, 4)
    with pytest.raises(ValueError, match="hides its steps"):
        critical_path(lambda: lstm(torch.ones(5, 1, 4)))
    x = torch.ones(1, 1, 4, 4)
    with pytest.raises(ValueError, match="hides its steps"):
        critical_path(
            lambda: nn.functional.scaled_dot_product_attention(x, x, x)
        )


def test_nothing_is_no_path():
    with pytest.raises(ValueError, match="got none"):
        critical_path(lambda: 1 + 1)
