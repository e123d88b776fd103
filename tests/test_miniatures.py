"""The small tasks of chapter 9: data, models, and what was recorded."""

import itertools

import numpy as np
import pytest
import torch

from attn_course import boards, miniatures, next_item, tic_tac_toe
from attn_course.data import load_recording
from attn_course.experiments import miniatures as compare
from attn_course.experiments import named_digit as finding
from attn_course.experiments import next_item as shopping
from attn_course.experiments import tic_tac_toe as playing
from attn_course.experiments.sweeps import chosen
from attn_course.models import trained_parameters
from attn_course.tic_tac_toe import DRAW, EMPTY, LOSS, MINE, THEIRS, WIN
from attn_course.vision import split

TASKS = {
    "named-digit": finding.task,
    "tic-tac-toe": playing.task,
    "next-item-long-ago": shopping.long_ago,
    "next-item-last": shopping.only_last,
}


# The comparison


@pytest.mark.parametrize("name", TASKS)
def test_rivals_are_equally_large(name):
    makers = TASKS[name]().models
    sizes = [trained_parameters(make(seed=0)) for make in makers.values()]
    assert len(sizes) >= 3
    assert max(sizes) / min(sizes) < 1.02


@pytest.mark.parametrize("name", TASKS)
def test_first_weights_follow_the_seed_alone(name):
    for make in TASKS[name]().models.values():
        a, b, c = (list(make(seed=seed).parameters()) for seed in (0, 0, 1))
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
        assert any(not torch.equal(x, y) for x, y in zip(a, c, strict=True))


@pytest.mark.parametrize("name", TASKS)
def test_a_slice_runs_again(name):
    task = TASKS[name]()
    for model in task.models:
        first, again = (
            compare.run_one(task, model, 0.003, 0, 2) for _ in range(2)
        )
        assert first == again
        assert first["steps"] == 2 == len(first["history"])
        assert first["history"][-1] == first["loss"]
        assert 0 <= first["accuracy"] <= 1


def test_the_loss_on_the_other_data_chooses_the_rate():
    record = {"model": "a", "seed": 0, "loss": 1.0, "accuracy": 0.5}
    records = [
        {**record, "learning_rate": rate, "chosen_by": loss}
        for rate, loss in ((0.1, 0.9), (0.2, 0.3), (0.3, 0.4))
    ]
    task = finding.task()._replace(longer={"a": 9})
    assert compare.longer_runs(task, records) == [
        {"model": "a", "learning_rate": 0.2, "seed": 0, "steps": 9}
    ]


# Boards and words


def test_a_board_has_nine_different_digits_and_the_word_is_in_its_cell():
    train = split().train
    pictures, labels = train.inputs[0], train.targets
    generator = torch.Generator().manual_seed(0)
    (words, drawn), cells = boards.asked(pictures, labels, 200, generator)
    label = {
        picture.numpy().tobytes(): int(digit)
        for picture, digit in zip(pictures, labels, strict=True)
    }
    assert len(label) == len(labels)
    for word, board, cell in zip(words, drawn, cells, strict=True):
        digits = [label[one.numpy().tobytes()] for one in board]
        assert len(set(digits)) == boards.CELLS
        assert digits[cell] == word
    assert set(words.tolist()) == set(range(10))
    assert set(cells.tolist()) == set(range(9))


def test_tested_boards_show_no_picture_of_training():
    task = finding.task()
    ours = {p.numpy().tobytes() for p in split().train.inputs[0]}
    for part in (task.choose, task.test):
        seen = part.inputs[1].flatten(0, 1)
        assert not ours & {p.numpy().tobytes() for p in seen}


def test_a_board_needs_all_digits():
    with pytest.raises(ValueError, match=r"got no \[3, 4, 5, 6, 7, 8, 9\]"):
        boards.asked(
            torch.zeros(3, 8, 8), torch.arange(3), 5, torch.Generator()
        )


def test_only_attention_looks_by_the_word():
    (words, drawn), _ = finding.task().test
    words, drawn = words[:50], drawn[:50]
    for way in miniatures.WAYS:
        model = miniatures.Finder(way=way, seed=0)
        looks = model.looks(words, drawn)
        torch.testing.assert_close(looks.sum(-1), torch.ones(50))
        equal = torch.full_like(looks, 1 / 9)
        assert torch.allclose(looks, equal) == (way != "attention")
        # All of them are told the word.
        other = model((words + 1) % 10, drawn)
        assert not torch.allclose(model(words, drawn), other)


def test_unknown_ways_and_pools_are_refused():
    with pytest.raises(ValueError, match="expected way in"):
        miniatures.Finder(way="late", seed=0)
    with pytest.raises(ValueError, match="expected pool in"):
        miniatures.Reader(3, 3, length=9, pool="first", seed=0)


# Tic-tac-toe


def by_hand(board):
    """The value of a board by plain search, without a memory."""
    lines = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8)]
    for line in [*lines, (0, 4, 8), (2, 4, 6)]:
        if all(board[i] == THEIRS for i in line):
            return LOSS
    free = [i for i in range(9) if board[i] == EMPTY]
    if not free:
        return DRAW
    found = []
    for i in free:
        after = [(EMPTY, THEIRS, MINE)[square] for square in board]
        after[i] = THEIRS
        found.append(2 - by_hand(after))
    return max(found)


def test_positions_are_as_many_as_are_known():
    found = tic_tac_toe.positions()
    # 5478 positions, 958 of them ends; 765 and 138 up to symmetry.
    assert len(found.boards) == 5478 - 958
    assert len(set(found.kinds.tolist())) == 765 - 138
    assert len(np.unique(found.boards, axis=0)) == len(found.boards)
    mine, theirs = ((found.boards == who).sum(1) for who in (MINE, THEIRS))
    assert set((theirs - mine).tolist()) == {0, 1}


def test_values_are_those_of_plain_search():
    found = tic_tac_toe.positions()
    few = [i for i, b in enumerate(found.boards) if (b == EMPTY).sum() <= 5]
    for i in few[::10]:
        assert found.values[i] == by_hand(found.boards[i])
    assert tic_tac_toe.value((EMPTY,) * 9) == DRAW
    assert set(found.values.tolist()) == {LOSS, DRAW, WIN}


def test_a_kind_is_eight_boards_of_one_value():
    found = tic_tac_toe.positions()
    number = {
        tuple(b): k
        for b, k in zip(found.boards.tolist(), found.kinds, strict=True)
    }
    for board in found.boards[::100].tolist():
        same = tic_tac_toe.symmetric(tuple(board))
        assert len(same) == 8
        assert len({number[b] for b in same}) == 1
        assert len({tic_tac_toe.value(b) for b in same}) == 1


def test_no_tested_position_is_a_turned_one_of_training():
    parts = [
        {
            min(tic_tac_toe.symmetric(tuple(board)))
            for board in part.inputs[0].tolist()
        }
        for part in playing.split()
    ]
    assert [len(part) for part in parts] == [377, 100, 150]
    for a, b in itertools.combinations(parts, 2):
        assert not a & b


# Shoppers


@pytest.mark.parametrize("sequel", [0.0, 0.5, 1.0])
def test_shoppers_follow_the_chances(sequel):
    shop = next_item.open_shop(0)
    np.testing.assert_allclose(shop.after.sum(1), 1)
    generator = np.random.default_rng(1)
    shown, target = next_item.draw(shop, 20_000, sequel, generator)
    first = shown < next_item.SERIES
    assert (first.sum(1) == 1).all()
    assert not first[:, -1].any()
    # Each item's chance is how often it came, as the best scores have it.
    scores = next_item.best_scores(shop, shown, sequel)
    np.testing.assert_allclose(scores.sum(1), 1)
    came = np.bincount(target, minlength=next_item.ITEMS) / len(target)
    np.testing.assert_allclose(scores.mean(0), came, atol=0.015)
    goes_on = target == shown[first] + next_item.SERIES
    assert abs(goes_on.mean() - sequel) < 0.015


def test_counts_are_counts():
    shown, target = np.array([[20, 21, 20], [21, 22, 20]]), np.array([21, 22])
    counts = next_item.followers(shown, target)
    assert counts.sum() == 6
    assert (counts[20, 21], counts[20, 22], counts[21, 20]) == (2, 1, 1)
    assert next_item.popular(target)[[21, 22]].tolist() == [1, 1]


def test_nobody_beats_who_knows_the_generator():
    for name in shopping.SEQUEL:
        found = shopping.counted(name)
        best = found["best"]
        for way in ("popular", "last item"):
            assert found[way]["hits"] <= best["hits"] + 0.01
    assert found["last item"]["hits"] < best["hits"] - 0.2


def test_hits_are_among_the_first():
    scores = torch.tensor([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    targets = torch.tensor([1, 1])
    found = [shopping.hits(scores, targets, among) for among in (1, 2)]
    assert found == [0, 1]


def test_a_sequel_is_a_chance():
    with pytest.raises(ValueError, match="between 0 and 1, got 2"):
        next_item.draw(next_item.open_shop(0), 1, 2, np.random.default_rng(0))


# The recordings


@pytest.mark.parametrize("name", TASKS)
def test_what_is_known_of_a_task_is_recorded(name):
    content, task = load_recording(name), TASKS[name]()
    known = compare._known(task)
    for key in ("parameters", "sizes", "commonest"):
        assert content[key] == known[key]
    best = chosen(content["records"])
    assert {run["model"] for run in content["longer"]} == set(task.longer)
    for run in content["longer"]:
        rate = best[run["model"]][0]["learning_rate"]
        assert (run["learning_rate"], run["steps"]) == (
            rate,
            task.longer[run["model"]],
        )


def comparison(ours, theirs):
    """A recording in which a model has a number for each seed."""
    records = [
        {
            "model": model, "learning_rate": 0.1, "chosen_by": 1.0,
            "accuracy": value, "error": -value,
        }
        for model, values in (("attention", ours), ("other", theirs))
        for value in values
    ]  # fmt: skip
    return {
        "parameters": {"attention": 1, "other": 1},
        "records": records,
        "longer": [],
    }


@pytest.mark.parametrize("value", ["accuracy", "error"])
@pytest.mark.parametrize(
    ("ours", "theirs", "ahead"),
    [
        ([0.8, 0.9], [0.6, 0.7], "yes"),
        ([0.6, 0.7], [0.8, 0.9], "no"),
        ([0.6, 0.9], [0.7, 0.8], "even"),
    ],
)
def test_who_is_ahead_is_so_in_every_seed(value, ours, theirs, ahead):
    found = compare.lead(comparison(ours, theirs), value)
    assert (found.ahead, found.rival) == (ahead, "other")
    assert compare.lead(comparison(ours, theirs), value, "longer") is None


def test_after_more_steps_attention_leads_elsewhere():
    first, longer = (
        {task for task, lead in found.items() if lead.ahead == "yes"}
        for found in (compare.leads(), compare.leads("longer"))
    )
    assert first and longer and not first & longer
