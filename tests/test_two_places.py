"""Why one head must fail: the task, the search, the trained models."""

import itertools

import numpy as np
import pytest
import torch

from attn_course import data, models
from attn_course.experiments import one_head
from attn_course.two_places import (
    N_VALUES,
    PLACES,
    TwoPlaces,
    search,
    two_places_batch,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("held_out", [False, True])
def test_the_answers_stand_at_the_keys_asked(held_out):
    (keys, values, asked), targets = two_places_batch(
        300, generator(), held_out=held_out
    )
    for row, shown, question, answers in zip(
        keys, values, asked, targets.reshape(-1, 2), strict=True
    ):
        look = dict(zip(row.tolist(), shown.tolist(), strict=True))
        assert len(look) == PLACES
        assert [look[k] for k in question.tolist()] == answers.tolist()
    hidden = (asked[:, 0] + 2 * asked[:, 1]) % 4 == 0
    assert (hidden == held_out).all()


def test_the_order_of_places_says_nothing():
    (keys, values, asked), _ = two_places_batch(20, generator())
    model = TwoPlaces(heads=2, width=8, seed=0)
    turned = model(keys.flip(1), values.flip(1), asked)
    torch.testing.assert_close(model(keys, values, asked), turned)


def test_heads_do_not_change_the_number_of_parameters():
    for width in one_head.SETTINGS["width"]:
        counts = {
            sum(
                p.numel()
                for p in TwoPlaces(
                    heads=heads, width=width, seed=0
                ).parameters()
            )
            for heads in one_head.SETTINGS["heads"]
        }
        assert len(counts) == 1


def test_a_width_that_does_not_split_is_named():
    with pytest.raises(ValueError, match="multiple of 2 heads, got 7"):
        TwoPlaces(heads=2, width=7, seed=0)


# The proof's assumptions, and its conclusion


def test_weights_do_not_depend_on_values():
    """One head reads the same mixture, whatever the values are."""
    (keys, values, asked), _ = two_places_batch(10, generator())
    model = TwoPlaces(heads=1, width=8, seed=0).double()
    bias = model.output.bias.detach()

    def read(values):
        scores = model(keys, values, asked).detach()
        return scores.reshape(10, 2, N_VALUES) - bias.reshape(2, N_VALUES)

    alone = [read(torch.full_like(values, v)) for v in range(N_VALUES)]
    there = torch.nn.functional.one_hot(values, N_VALUES)  # (10, m, n)
    fixed = torch.stack(
        [
            read(torch.where(torch.arange(PLACES) == j, 1, 0).expand(10, -1))
            - alone[0]
            for j in range(PLACES)
        ],
        dim=1,
    )  # (10, m, 2, n): weight of place j times (value 1 − value 0)
    step = alone[1] - alone[0]  # (10, 2, n)
    weights = (fixed / step[:, None]).mean((-1, -2))  # (10, m)
    assert (weights >= 0).all()
    torch.testing.assert_close(
        weights.sum(1), torch.ones(10, dtype=torch.float64)
    )
    share = (weights[..., None] * there).sum(1)  # (10, n)
    mixed = sum(share[:, v, None, None] * alone[v] for v in range(N_VALUES))
    torch.testing.assert_close(mixed, read(values))


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_the_mean_table_never_names_both(sign):
    """The heart of the proof, on many weights drawn at random."""
    draw = np.random.default_rng(0)
    episodes = list(itertools.product(range(3), repeat=3))
    there = np.eye(3)[episodes]  # (27, m, n)
    for weights in draw.dirichlet(np.full(3, 0.5), size=500):
        scores = sign * weights @ there  # (27, n)
        for other in (-1.0, 1.0):
            right = [
                s[np.arange(27), v] > np.sort(_without(s, v), axis=-1)[:, -1]
                for s, v in (
                    (scores, [e[0] for e in episodes]),
                    (other * sign * scores, [e[1] for e in episodes]),
                )
            ]
            assert not (right[0] & right[1]).all()


def _without(scores, named):
    keep = np.eye(3)[named] == 0
    return scores[keep].reshape(len(scores), 2)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_search_finds_one_head_that_gets_all_right(seed):
    found = search(heads=1, restarts=40, steps=300, seed=seed)
    assert found.best < found.episodes
    again = search(heads=2, restarts=40, steps=300, seed=seed)
    assert again.best == again.episodes


def test_one_head_can_name_one_of_them():
    """What fails is naming both: the first alone is soon learned."""
    first = _First(TwoPlaces(heads=1, width=16, seed=0))
    models.train(
        first,
        lambda generator: _firsts(two_places_batch(64, generator)),
        steps=500,
        learning_rate=0.01,
        seed=0,
        progress=False,
    )
    held_out = two_places_batch(500, generator(1), held_out=True)
    assert models.accuracy(first, _firsts(held_out)) > 0.95


def _firsts(batch):
    return batch._replace(targets=batch.targets[::2])


class _First(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *inputs):
        return self.model(*inputs)[::2]


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("one-head")


def test_equal_width_means_equal_size(recording):
    for width in recording["settings"]["width"]:
        sizes = {
            r["parameters"]
            for r in recording["records"]
            if r["width"] == width
        }
        assert len(sizes) == 1


def test_the_recorded_search_agrees_with_the_proof(recording):
    one, two = (recording["search"][heads] for heads in ("1", "2"))
    assert one["best"] < one["episodes"]
    assert two["best"] == two["episodes"]
