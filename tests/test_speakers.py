"""Who speaks: the utterances, the models that name, and what was recorded."""

import itertools

import numpy as np
import pytest
import torch

from attn_course import speakers
from attn_course.data import load_recording, load_utterances
from attn_course.experiments import miniatures, who_speaks
from attn_course.experiments.sweeps import chosen

TASK = who_speaks.task()
# The test's utterances by speaker, as the data set's own description has them.
TESTED = [31, 35, 88, 44, 29, 24, 40, 50, 29]
MAKERS = pytest.mark.parametrize("make", TASK.models.values(), ids=TASK.models)


def few(count=20):
    frames, lengths = TASK.test.inputs
    return frames[:count], lengths[:count]


# The data


@pytest.mark.parametrize(
    "part, counts", [("train", [30] * 9), ("test", TESTED)]
)
def test_utterances_are_those_of_the_data_set(part, counts):
    found = load_utterances(part)
    assert np.bincount(found.speakers).tolist() == counts
    assert len(found.frames) == len(found.speakers)
    assert {frames.shape[1] for frames in found.frames} == {12}
    lengths = [len(frames) for frames in found.frames]
    assert (min(lengths), max(lengths)) == (7, 26 if part == "train" else 29)
    assert "CC BY 4.0" in found.source


def test_the_first_frame_is_the_sources_in_hundredths():
    frame = load_utterances("train").frames[0][0]
    # The first number of each row of the package's first line.
    source = [1.860936, -0.207383, 0.261557, -0.214562, -0.171253, -0.118167]
    np.testing.assert_allclose(frame[:6], source, atol=0.005)


def test_there_are_two_parts():
    with pytest.raises(ValueError, match=r"\['train', 'test'\], got 'all'"):
        load_utterances("all")


def test_what_chooses_was_not_trained_on_and_all_are_even():
    train, choose, test = who_speaks.split()
    assert torch.bincount(train.targets).tolist() == [23] * 9
    assert torch.bincount(choose.targets).tolist() == [7] * 9
    seen = [
        {
            frames[:n].numpy().tobytes()
            for frames, n in zip(*part.inputs, strict=True)
        }
        for part in (train, choose, test)
    ]
    assert [len(part) for part in seen] == [207, 63, 370]
    for a, b in itertools.combinations(seen, 2):
        assert not a & b


# The models


@MAKERS
def test_padding_changes_nothing(make):
    model, (frames, lengths) = make(seed=0), few()
    alone = [
        model(one[None, :n], n[None])[0]
        for one, n in zip(frames, lengths, strict=True)
    ]
    torch.testing.assert_close(model(frames, lengths), torch.stack(alone))
    # Nor does what stands there.
    noisy = frames.clone()
    noisy[~speakers.spoken(lengths, frames.shape[1])] = 7.0
    torch.testing.assert_close(model(noisy, lengths), model(frames, lengths))


@MAKERS
def test_first_weights_follow_the_seed_alone(make):
    a, b, c = (list(make(seed=seed).parameters()) for seed in (0, 0, 1))
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    assert any(not torch.equal(x, y) for x, y in zip(a, c, strict=True))


@pytest.mark.parametrize("equal", [True, False])
def test_equal_weights_are_equal_and_stay_so(equal):
    model = speakers.FrameTransformer(equal=equal, seed=0)
    draw = TASK.batches
    miniatures.models.train(
        model, draw, steps=3, learning_rate=0.01, seed=0, progress=False
    )
    frames, lengths = few()
    looks = model.looks(frames, lengths)  # (batch, n)
    torch.testing.assert_close(looks.sum(-1), torch.ones(len(lengths)))
    real = speakers.spoken(lengths, frames.shape[1])
    assert not looks[~real].any()
    share = torch.where(real, 1 / lengths[:, None], 0.0)
    assert torch.allclose(looks, share, atol=1e-6) == equal


def test_only_the_mean_knows_no_order():
    (frames, lengths), generator = few(), torch.Generator().manual_seed(0)
    mixed = speakers.shuffled(frames, lengths, generator)
    for one, other, n in zip(frames, mixed, lengths, strict=True):
        a, b = one[:n].tolist(), other[:n].tolist()
        assert a != b
        assert sorted(a) == sorted(b)
        assert not other[n:].any()
    for name, make in TASK.models.items():
        model = make(seed=0)
        same = torch.allclose(
            model(frames, lengths), model(mixed, lengths), atol=1e-6
        )
        assert same == (name == "mean frame")


def test_more_frames_than_places_are_refused():
    model = speakers.FrameTransformer(seed=0)
    with pytest.raises(ValueError, match="at most 29 frames, got 30"):
        model(torch.zeros(1, 30, 12), torch.tensor([30]))


# The recording


def test_a_slice_runs_again():
    for model in TASK.models:
        first, again = (
            miniatures.run_one(TASK, model, 0.003, 0, 2) for _ in range(2)
        )
        assert first == again


def test_what_is_known_without_learning_is_recorded():
    content = load_recording("who-speaks")
    known = miniatures._known(TASK)
    assert content["parameters"] == known["parameters"]
    sizes = known["parameters"].values()
    assert max(sizes) / min(sizes) < 1.02
    assert content["commonest"] == round(max(TESTED) / sum(TESTED), 4)
    assert content["nearest"] == who_speaks.nearest()


def test_what_the_page_says_of_it_holds():
    content = load_recording("who-speaks")
    best = chosen(content["records"])
    for run in best["mean frame"]:
        assert run["shuffled"] == run["accuracy"]
    # Nobody is far ahead of who chooses nothing, and all are of who guesses.
    scores = {m: [r["accuracy"] for r in runs] for m, runs in best.items()}
    assert max(scores["attention"]) - min(scores["equal weights"]) < 0.03
    assert content["nearest"] > 0.9 > 2 * content["commonest"]
    assert max(scores["GRU"]) < min(scores["equal weights"])
    for run in best["attention"]:
        assert sum(run["example"]) == pytest.approx(1, abs=0.01)
        assert set(np.argsort(run["example"])[-2:]) == {12, 18}
        assert run["heaviest"] > 1.9
