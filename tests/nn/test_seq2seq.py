"""The translator: the formula, padding, sizes, decoding, training."""

import math

import numpy as np
import pytest
import torch

from attn_course import additive_weights
from attn_course.nn import seq2seq
from attn_course.nn.seq2seq import (
    END,
    PAD,
    START,
    Batches,
    Translator,
    Vocabulary,
    count_parameters,
    match_parameters,
)

SIZES = {"n_in": 12, "n_out": 10, "hidden": 8, "embedding": 6}
ATTENTION = [
    ("additive", "before"),
    ("additive", "after"),
    ("dot", "before"),
    ("dot", "after"),
    ("general", "before"),
    ("general", "after"),
]
SOURCE = torch.tensor([[3, 4, 5, 6], [7, 8, PAD, PAD]])
PREVIOUS = torch.tensor([[START, 3, 4], [START, 5, 6]])

each_score = pytest.mark.parametrize("score, looks", ATTENTION)


def decode(model, source=SOURCE, previous=PREVIOUS):
    with torch.no_grad():
        memory = model.encode(source)
        return model.decode(previous, model.first_state(memory), memory)


# Attention


@each_score
def test_weights_sum_to_one_and_never_go_to_padding(score, looks):
    model = Translator(**SIZES, score=score, looks=looks)
    logits, state, weights = decode(model)
    assert logits.shape == (2, 3, 10)
    assert state.shape == (1, 2, 8)
    assert weights.shape == (2, 3, 4)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 3))
    assert (weights >= 0).all()
    assert (weights[1, :, 2:] == 0).all()
    assert (weights[0] > 0).all()


@pytest.mark.parametrize(
    "score, looks", [("fixed", None), ("blind", None), *ATTENTION]
)
def test_padding_changes_nothing(score, looks):
    model = Translator(**SIZES, score=score, looks=looks)
    alone, _, lone_weights = decode(model, SOURCE[1:, :2], PREVIOUS[1:])
    padded, _, weights = decode(model)
    assert torch.allclose(alone[0], padded[1], atol=1e-6)
    if weights is not None:
        assert torch.allclose(lone_weights[0], weights[1, :, :2], atol=1e-6)


def test_additive_weights_are_the_courses_own():
    model = Translator(**SIZES, score="additive", looks="after")
    memory = model.encode(SOURCE)
    query = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0))
    context, weights = model.look(query, memory)
    expected = additive_weights(
        query,
        memory.values,
        model.w_query.weight.T,
        model.w_key.weight.T,
        model.v.weight[0],
        mask=memory.allowed,
    )
    assert torch.allclose(weights, expected, atol=1e-6)
    assert torch.allclose(context, expected @ memory.values, atol=1e-6)


@pytest.mark.parametrize("score", ["additive", "dot", "general"])
def test_scores_are_those_of_the_papers_by_loops(score):
    model = Translator(**SIZES, score=score, looks="after").double()
    memory = model.encode(SOURCE)
    query = torch.randn(
        2, 3, 8, generator=torch.Generator().manual_seed(1)
    ).double()
    _, weights = model.look(query, memory)
    values = memory.values.detach().numpy()
    for b, length in ((0, 4), (1, 2)):
        for i in range(3):
            q = query[b, i].numpy()
            scores = []
            for j in range(length):
                h = values[b, j]
                if score == "dot":
                    scores.append(sum(q * h))
                    continue
                u = model.w_key.weight.detach().numpy()
                if score == "general":
                    scores.append(sum(q * (u @ h)))
                else:
                    w = model.w_query.weight.detach().numpy()
                    v = model.v.weight.detach().numpy()[0]
                    scores.append(sum(v * np.tanh(w @ q + u @ h)))
            shares = [math.exp(s) for s in scores]
            expected = [share / sum(shares) for share in shares]
            got = weights[b, i, :length].detach().numpy()
            np.testing.assert_allclose(got, expected, atol=1e-9)


def test_looking_before_uses_the_state_without_the_last_word():
    other = PREVIOUS.clone()
    other[:, 1] = 9  # the word before the second place
    for looks, same in (("before", True), ("after", False)):
        model = Translator(**SIZES, score="additive", looks=looks)
        one, two = (decode(model, previous=p)[2] for p in (PREVIOUS, other))
        assert torch.equal(one[:, 0], two[:, 0])
        assert torch.allclose(one[:, 1], two[:, 1]) == same
        assert not torch.allclose(one[:, 2], two[:, 2])


def test_the_fixed_vector_is_the_two_ends_of_the_encoder():
    model = Translator(**SIZES, score="fixed")
    memory = model.encode(SOURCE)
    ends = torch.cat([memory.values[0, -1, :4], memory.values[0, 0, 4:]])
    assert torch.equal(memory.summary[0], ends)
    assert decode(model)[2] is None


def test_the_blind_model_knows_nothing_of_the_source():
    model = Translator(**SIZES, score="blind")
    other = torch.tensor([[9, 9, 9, 9], [3, 3, 3, 3]])
    one, two = decode(model)[0], decode(model, source=other)[0]
    assert torch.equal(one, two)
    assert not torch.equal(
        *(
            decode(Translator(**SIZES, score="fixed"), source=s)[0]
            for s in (SOURCE, other)
        )
    )


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"score": "cosine"}, "expected score in .*, got 'cosine'"),
        ({"looks": "twice"}, "'before' or 'after', got 'twice'"),
        ({"hidden": 7}, "expected an even hidden, got 7"),
    ],
)
def test_wrong_settings(wrong, message):
    with pytest.raises(ValueError, match=message):
        Translator(**{**SIZES, **wrong})


# Sizes and seeds


@pytest.mark.parametrize("hidden", [16, 32, 64, 128])
@pytest.mark.parametrize("score", ["fixed", "blind", "dot", "general"])
def test_equal_parameters(hidden, score):
    sizes = {"n_in": 138, "n_out": 205, "embedding": 64}
    like = Translator(**sizes, hidden=hidden)
    other = match_parameters(like, score=score, **sizes)
    ratio = count_parameters(other) / count_parameters(like)
    assert ratio == pytest.approx(1, abs=0.02)
    assert other.score == score


def test_the_same_seed_gives_the_same_weights_and_no_other_does():
    state = torch.random.get_rng_state()
    one, same, other = (Translator(**SIZES, seed=s) for s in (1, 1, 2))
    assert torch.equal(one.w_key.weight, same.w_key.weight)
    assert not torch.equal(one.w_key.weight, other.w_key.weight)
    assert torch.equal(state, torch.random.get_rng_state())


# Words and batches


def test_a_vocabulary_goes_there_and_back():
    words = Vocabulary(["les", "pommes", "les"])
    assert len(words) == 5
    assert words.words(words.numbers(["les", "pommes"])) == ["les", "pommes"]
    with pytest.raises(ValueError, match=r"\(5 words\), got 'poires'"):
        words.numbers(["les", "poires"])


PAIRS = [
    (("a",), ("x", "y")),
    (("a", "b", "c"), ("y",)),
    (("c", "b"), ("x", "x", "y")),
]


def small_batches(pairs=PAIRS):
    source = Vocabulary(word for s, _ in pairs for word in s)
    target = Vocabulary(word for _, t in pairs for word in t)
    return Batches(pairs, source, target)


def test_a_batch_is_padded_and_shifted():
    batch = small_batches().take([0, 1])
    assert batch.source.tolist() == [[3, PAD, PAD], [3, 4, 5]]
    assert batch.target.tolist() == [[3, 4, END], [4, END, PAD]]
    assert batch.previous.tolist() == [[START, 3, 4], [START, 4, END]]


def test_shuffled_batches_go_through_everything():
    pairs = [((str(i),), ("x",)) for i in range(40)]
    batches = small_batches(pairs)
    flow = batches.shuffled(8, torch.Generator().manual_seed(0))
    seen = [int(x) for _ in range(5) for x in next(flow).source[:, 0]]
    assert sorted(seen) == list(range(3, 43))
    assert seen != sorted(seen)


# Decoding


class Script(Translator):
    """Writes a text that was fixed beforehand."""

    def __init__(self, texts):
        super().__init__(**SIZES)
        self.texts, self.step = texts, 0

    def decode(self, previous, state, memory):
        words = torch.tensor([[text[self.step]] for text in self.texts])
        self.step += 1
        weights = torch.full((len(self.texts), 1, 4), 0.25)
        return torch.nn.functional.one_hot(words, 10).float(), state, weights


def test_decoding_stops_when_all_have_ended():
    model = Script([[5, END, 7, 7, 7], [6, 7, END, 7, 7]])
    words, weights = model.greedy(SOURCE)
    assert words.tolist() == [[5, END, PAD], [6, 7, END]]
    assert weights.shape == (2, 3, 4)


def test_decoding_stops_at_the_longest():
    words, _ = Script([[5] * 9, [6] * 9]).greedy(SOURCE, longest=4)
    assert words.tolist() == [[5] * 4, [6] * 4]


@pytest.mark.parametrize("score, looks", [("fixed", None), *ATTENTION])
def test_decoding_feeds_back_what_it_wrote(score, looks):
    model = Translator(**SIZES, score=score, looks=looks)
    words, weights = model.greedy(SOURCE, longest=5)
    start = torch.full((2, 1), START)
    previous = torch.cat([start, words[:, :-1]], dim=1)
    logits, _, again = decode(model, previous=previous)
    ends = (words == END).cumsum(1) - (words == END).int()
    alive = ends == 0
    assert torch.equal(logits.argmax(-1)[alive], words[alive])
    if weights is not None:
        assert torch.allclose(weights, again, atol=1e-5)


def test_evaluate_counts_words_and_whole_sentences():
    batch = seq2seq.Batch(
        SOURCE, PREVIOUS, torch.tensor([[5, 6, END, PAD], [5, 7, 8, END]])
    )
    model = Script([[5, 6, END, 3], [5, 9, 8, 8]])
    # Right: 5 6 END of the first; 5 and 8 of the second, four in all.
    assert seq2seq.evaluate(model, batch) == {
        "token": pytest.approx(5 / 7),
        "sentence": 0.5,
    }


def test_a_translation_that_goes_on_is_no_match():
    batch = seq2seq.Batch(SOURCE, PREVIOUS, torch.tensor([[5, END], [5, END]]))
    model = Script([[5, 6, 6], [5, END, 6]])
    assert seq2seq.evaluate(model, batch)["sentence"] == 0.5


# Training


@pytest.mark.parametrize("score", ["fixed", "additive", "dot", "general"])
def test_a_small_task_is_learned(score):
    rng = np.random.default_rng(0)
    texts = [tuple(rng.choice(list("abcd"), 3)) for _ in range(200)]
    pairs = [(text, text[::-1]) for text in texts]
    batches = small_batches(pairs)
    model = Translator(7, 7, score=score, hidden=32, embedding=16)
    losses = seq2seq.train(model, batches, steps=150, progress=False)
    assert len(losses) == 150
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])
    assert seq2seq.evaluate(model, batches.take(range(64)))["token"] > 0.8


def test_training_is_the_same_under_the_same_seed():
    def run(seed):
        model = Translator(6, 5, hidden=8, embedding=4)
        return seq2seq.train(
            model, small_batches(), steps=5, size=2, seed=seed, progress=False
        )

    assert run(0) == run(0) != run(1)


def test_progress_is_printed_or_not(capsys):
    model = Translator(6, 5, hidden=8, embedding=4)
    seq2seq.train(model, small_batches(), steps=4, size=2, progress=False)
    assert capsys.readouterr().out == ""
    seq2seq.train(model, small_batches(), steps=4, size=2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[-1].startswith("step 4/4, loss ")
    assert lines[-1].endswith(", 0 s left")
