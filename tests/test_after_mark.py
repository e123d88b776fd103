"""The word after the mark: episodes, the reader, the recording."""

import pytest
import torch

from attn_course.after_mark import MARK, POSITIONS, QUESTION, Reader, episodes
from attn_course.experiments import beyond_length as experiment


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("length", [2, 3, 16])
def test_the_answer_follows_the_mark(length):
    (words,), targets = episodes(200, generator(), length=length)
    assert words.shape == (200, length + 1)
    for row, target in zip(words.tolist(), targets.tolist(), strict=True):
        assert row[-1] == QUESTION
        assert row.count(MARK) == 1
        assert row[row.index(MARK) + 1] == target < MARK


def test_no_room_is_refused():
    with pytest.raises(ValueError, match="at least 2, got 1"):
        episodes(1, generator(), length=1)
    with pytest.raises(ValueError, match="positions in"):
        Reader(
            "alibi",
            max_length=4,
            layers=1,
            d_model=4,
            heads=1,
            d_ff=4,
            seed=0,
        )


def test_first_weights_are_the_same_and_so_are_sizes():
    models = [experiment.make(kind, 1) for kind in POSITIONS]
    states = [
        {k: v for k, v in m.state_dict().items() if k != "body.places"}
        for m in models
    ]
    for state in states[1:]:
        assert state.keys() == states[0].keys()
        for name, value in state.items():
            assert torch.equal(value, states[0][name])


def test_rotary_positions_change_what_is_read():
    (words,), _ = episodes(4, generator(), length=8)
    plain, turned = experiment.make("none", 0), experiment.make("rotary", 0)
    assert not torch.allclose(plain(words), turned(words))
    # The very first word has nothing before it: turning it changes nothing.
    torch.testing.assert_close(
        plain.body(words[:, :1]), turned.body(words[:, :1])
    )


def test_no_place_sees_a_later_one():
    (words,), _ = episodes(1, generator(), length=8)
    other = words.clone()
    other[0, -1] = 0
    mask = torch.ones(9, 9, dtype=torch.bool).tril()
    for kind in POSITIONS:
        body = experiment.make(kind, 0).body
        torch.testing.assert_close(
            body(words, mask)[:, :-1], body(other, mask)[:, :-1]
        )


def test_a_short_run_gives_the_same_twice():
    short = [experiment.one("rotary", 0.003, 1, steps=10) for _ in "ab"]
    assert short[0] == short[1]
