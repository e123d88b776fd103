"""Models of letters: equal in size, blind to what comes, and recorded."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from attn_course import characters, data
from attn_course.characters import (
    KINDS,
    Alphabet,
    attentions,
    batches,
    bits,
    weight_by_distance,
    write,
    writer,
)
from attn_course.data.novel import load_novel
from attn_course.experiments import char_model as experiment
from attn_course.ngrams import Ngrams

NOVEL = load_novel()
ALPHABET = Alphabet(NOVEL.training)
LETTERS = ALPHABET.encode(NOVEL.held_out[:400])
SMALL = {"layers": 2, "d_model": 16, "heads": 2, "d_ff": 24}


def small(kind="attention", seed=0):
    return writer(kind, len(ALPHABET), seed=seed, **SMALL).eval()


# The text


def test_the_text_is_whole_and_its_letters_are_known():
    assert set(NOVEL.held_out) <= set(NOVEL.training)
    assert "CHAPTER" not in NOVEL.training + NOVEL.held_out
    assert len(NOVEL.training) > 6 * len(NOVEL.held_out) > 200_000
    # Held out means held out: no long piece of it stands in the training.
    pieces = [NOVEL.held_out[i : i + 60] for i in range(0, 36_000, 60)]
    assert not any(piece in NOVEL.training for piece in pieces)


def test_letters_become_numbers_and_letters_again():
    text = NOVEL.training[:1000]
    assert ALPHABET.decode(ALPHABET.encode(text)) == text
    assert sorted(ALPHABET.letters) == list(ALPHABET.letters)
    with pytest.raises(ValueError, match=r"got \['é'\]"):
        ALPHABET.encode("né")
    with pytest.raises(ValueError, match=r"numbers from 0 to 69, got \[70\]"):
        ALPHABET.decode([70])
    with pytest.raises(ValueError, match="got an empty one"):
        Alphabet("")


def test_batches_hold_the_letter_after_each():
    draw = batches(LETTERS, length=8, size=5)
    (letters,), after = draw(torch.Generator().manual_seed(0))
    assert letters.shape == (5, 8) and after.shape == (40,)
    assert torch.equal(letters[:, 1:], after.reshape(5, 8)[:, :-1])
    text = ALPHABET.decode(LETTERS)
    for row, following in zip(letters, after.reshape(5, 8), strict=True):
        assert ALPHABET.decode([*row, following[-1]]) in text
    with pytest.raises(ValueError, match="more than 400 letters, got 400"):
        batches(LETTERS, length=400, size=1)


# The models


def learning(model):
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@pytest.mark.parametrize("sizes", [SMALL, experiment.SETTINGS["model"]])
def test_all_kinds_are_of_equal_size(sizes):
    counts = [
        learning(writer(kind, len(ALPHABET), seed=0, **sizes))
        for kind in KINDS
    ]
    assert max(counts) < 1.02 * min(counts)


@pytest.mark.parametrize("kind", KINDS)
def test_no_letter_is_told_by_those_after_it(kind):
    model = small(kind)
    other = LETTERS[:20].clone()
    other[12:] = (other[12:] + 1) % len(ALPHABET)
    with torch.no_grad():
        one, two = model(LETTERS[None, :20]), model(other[None])
    torch.testing.assert_close(one[:12], two[:12])
    assert not torch.allclose(one[12:], two[12:])


def test_equal_weights_are_equal_and_stay_so():
    model = small("equal weights")
    update = torch.optim.Adam(model.parameters(), lr=0.1)
    (letters,), after = batches(LETTERS, length=8, size=5)(
        torch.Generator().manual_seed(0)
    )
    nn.functional.cross_entropy(model(letters), after).backward()
    update.step()
    maps = attentions(model, LETTERS[:6])
    equal = torch.tril(torch.ones(6, 6)) / torch.arange(1, 7)[:, None]
    torch.testing.assert_close(maps, equal.expand(2, 2, 6, 6))


def test_attention_is_not_equal():
    maps = attentions(small(), LETTERS[:6])
    assert maps.shape == (2, 2, 6, 6)
    torch.testing.assert_close(maps.sum(-1), torch.ones(2, 2, 6))
    assert maps[..., 5, :].std() > 0.001
    with pytest.raises(ValueError, match="got a RecurrentModel"):
        attentions(small("GRU"), LETTERS[:6])


def test_weights_by_distance_are_those_of_the_last_letter():
    model = small()
    found = weight_by_distance(model, LETTERS[:24], length=12)
    rows = [
        attentions(model, LETTERS[i : i + 12])[..., -1, :] for i in (0, 12)
    ]
    expected = torch.stack(rows).mean(0).flip(-1)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(ValueError, match="at least 12 letters, got 5"):
        weight_by_distance(model, LETTERS[:5], length=12)


def test_bits_are_the_mean_surprise():
    model = small("GRU")
    found = bits(model, LETTERS[:33], length=8)  # four pieces
    with torch.no_grad():
        one = model(LETTERS[None, :8]).log_softmax(-1)
    first = one[torch.arange(8), LETTERS[1:9]] / math.log(2)
    by_hand = -first.double().numpy()
    alone = bits(model, LETTERS[:9], length=8)
    np.testing.assert_allclose(alone, by_hand, atol=1e-5)
    pieces = [
        bits(model, LETTERS[i : i + 9], length=8) for i in (0, 8, 16, 24)
    ]
    np.testing.assert_allclose(found, np.mean(pieces, axis=0), atol=1e-5)
    with pytest.raises(ValueError, match="more than 8 letters, got 8"):
        bits(model, LETTERS[:8], length=8)


def test_a_model_that_knows_nothing_needs_the_logarithm_of_the_alphabet():
    model = small("GRU")
    nn.init.zeros_(model.body.output.weight)
    nn.init.zeros_(model.body.output.bias)
    found = bits(model, LETTERS, length=16)
    np.testing.assert_allclose(found, math.log2(70), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_it_writes_on(kind):
    model = small(kind)
    start = LETTERS[:5]
    options = {"length": 8, "seed": 3}
    long = write(model, start, 12, **options)
    assert torch.equal(long[:5], start) and len(long) == 17
    assert torch.equal(long, write(model, start, 12, **options))
    assert not torch.equal(
        long, write(model, start, 12, **options | {"seed": 4})
    )
    coldest = [write(model, start, 6, temperature=0, length=8, seed=s)
               for s in (1, 2)]  # fmt: skip
    assert torch.equal(*coldest)
    with torch.no_grad():
        assert coldest[0][5] == model(start[None])[-1].argmax()


def test_a_low_temperature_takes_likely_letters():
    model = small()
    with torch.no_grad():
        chances = model(LETTERS[None, :8])[-1].softmax(-1)
    picked = {
        temperature: np.mean(
            [
                chances[
                    write(
                        model, LETTERS[:8], 1, temperature=temperature,
                        length=8, seed=seed,
                    )[-1]
                ].item()
                for seed in range(60)
            ]
        )
        for temperature in (0.1, 1.0)
    }  # fmt: skip
    assert picked[0.1] > picked[1.0]


def test_what_it_cannot_write():
    with pytest.raises(ValueError, match="at least one letter"):
        write(small(), LETTERS[:0], 3, length=8, seed=0)
    with pytest.raises(ValueError, match="at least 0, got -1"):
        write(small(), LETTERS[:3], 3, temperature=-1, length=8, seed=0)
    with pytest.raises(ValueError, match=r"expected kind in .*got 'LSTM'"):
        writer("LSTM", 70, seed=0)


def test_the_same_seed_makes_the_same_model():
    for kind in KINDS:
        one, two = (small(kind).state_dict() for _ in "ab")
        assert all(torch.equal(one[name], two[name]) for name in one)
        other = small(kind, seed=1).state_dict()
        name = "body.output.weight"
        assert not torch.equal(one[name], other[name])


# Counts


def test_chances_sum_to_one():
    counts = Ngrams(NOVEL.training[:3000], 3)
    for context in ("", "t", "the", "the ", "zzzz", "xth"):
        total = sum(counts.chance(context, x) for x in counts.letters)
        assert total == pytest.approx(1)


def test_counts_by_hand():
    # After a: b twice, c once; kinds 2. All letters: a 3, b 2, c 1; kinds 3.
    counts = Ngrams("ababac", 1)
    p0 = (2 + 3 / 3) / 9
    assert counts.chance("", "b") == pytest.approx(p0)
    assert counts.chance("xa", "b") == pytest.approx((2 + 2 * p0) / 5)
    # What was never seen as a context says nothing.
    assert counts.chance("c", "b") == pytest.approx(p0)


def test_bits_of_counts():
    counts = Ngrams("ababac", 1)
    chances = [counts.chance("", "a"), counts.chance("a", "b")]
    expected = -np.mean(np.log2(chances))
    assert counts.bits("ab") == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"got \['d'\]"):
        counts.bits("ad")
    with pytest.raises(ValueError, match="empty"):
        Ngrams("", 1)


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("char-model")


def test_every_run_says_all_that_is_shown(recording):
    settings = experiment.SETTINGS
    assert recording["settings"] == settings
    for run in recording["records"]:
        assert len(run["by_place"]) == settings["length"]
        assert len(run["history"]) == settings["tenths"]
        assert run["bits"] == pytest.approx(
            np.mean(run["by_place"][31:]), abs=2e-3
        )
    sizes = recording["parameters"].values()
    assert max(sizes) < 1.02 * min(sizes)


def test_what_is_shown_is_of_the_novel(recording):
    shown = recording["shown"]
    assert NOVEL.held_out.startswith(shown["excerpt"])
    weights = data.unpack_array(shown["weights"])
    n = len(shown["excerpt"])
    assert weights.shape == (2, 4, n, n)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=n / 8192)
    assert (np.triu(weights, 1) == 0).all()
    for text in shown["written"].values():
        assert text.startswith(experiment.SETTINGS["start"])
        assert set(text) <= set(ALPHABET.letters)
    np.testing.assert_allclose(
        np.sum(shown["by_distance"], axis=-1), 1, atol=0.01
    )
    assert characters.KINDS[0] == shown["kind"]
