"""The pronoun task: sentences, reader, recording, and a slice of it again."""

import base64
import hashlib
from collections import Counter

import numpy as np
import pytest
import torch
from shared_vectors import load, maker

from attn_course import data, models, pronouns
from attn_course.experiments import pronouns as experiment
from attn_course.pronouns import reader as readers
from attn_course.pronouns import weights, words
from attn_course.transformer import Transformer

GENDER = {noun.text: noun.gender for noun in pronouns.NOUNS}
NATURE = {noun.text: noun.nature for noun in pronouns.NOUNS}
HELD_OUT = {n.text for n in pronouns.NOUNS if pronouns.is_held_out(n)}


@pytest.fixture(scope="module")
def training():
    return pronouns.training_sentences(20_000, seed=0)


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("pronouns")


# Sentences


def fitting(sentence):
    """List the places of the nouns that agree with the pronoun."""
    gender = pronouns.PRONOUNS[sentence.words[sentence.at]]
    return [i for i in sentence.nouns if GENDER[sentence.words[i]] == gender]


def said(sentence):
    """List what each word near the pronoun can be said of."""
    kinds = {
        text: kind for kind, some in words.ADJECTIVES.items() for text in some
    }
    return {kinds[x] for x in sentence.words[sentence.at :] if x in kinds}


def test_the_vocabulary_is_large_and_each_word_is_used(training):
    assert len(pronouns.WORDS) >= 400
    assert len(set(pronouns.WORDS)) == len(pronouns.WORDS)
    used = Counter(word for s in training for word in s.words)
    used.update(s.answer for s in training)
    assert set(used) == set(pronouns.WORDS) - {pronouns.PAD}
    for word in "cat mat animal street tired wide sat because".split():
        assert word in used and word not in HELD_OUT


def test_exactly_one_noun_agrees(training):
    for s in training:
        assert [i for i, x in enumerate(s.words) if x in GENDER] == list(
            s.nouns
        )
        if s.kind == "agreement":
            assert len(s.nouns) in (2, 3) and fitting(s) == [s.antecedent]
        if s.kind in ("agreement", "meaning", "name"):
            assert s.words[s.antecedent] == s.answer


def test_in_meaning_both_agree_and_one_can_be_what_is_said(training):
    told = 0
    for s in training:
        if s.kind != "meaning" or s.antecedent > s.at:
            continue
        rival = sum(s.nouns) - s.antecedent
        assert fitting(s) == list(s.nouns)
        assert NATURE[s.answer] != NATURE[s.words[rival]]
        if max(s.nouns) < s.at and said(s):
            told += 1
            assert said(s) == {NATURE[s.answer]}
    assert told > 500


def test_without_a_fitting_noun_the_answer_is_none(training):
    for s in training:
        if s.kind == "none":
            assert s.answer == pronouns.NONE and s.antecedent is None
            (noun,) = s.nouns
            nature = NATURE[s.words[noun]]
            # An adjective of the noun itself may follow the pronoun.
            after = noun < s.at and nature in said(s)
            assert fitting(s) == [] or not after


def test_a_blank_asks_for_the_pronoun(training):
    for s in training:
        if s.kind == "blank":
            assert s.words[s.at] == pronouns.BLANK
            assert pronouns.PRONOUNS[s.answer] == GENDER[s.words[s.nouns[0]]]


def test_held_out_nouns_never_meet_another_noun_in_training(training):
    seen = Counter()
    for s in training:
        held = [x for x in s.words if x in HELD_OUT]
        assert not held or len(s.nouns) == 1
        seen.update(held)
    assert set(seen) == HELD_OUT and min(seen.values()) > 20
    genders = Counter(GENDER[x] for x in HELD_OUT)
    assert set(genders) == set(words.SUBJECTS) and min(genders.values()) >= 4


@pytest.mark.parametrize("role", ["answer", "rival"])
def test_tests_ask_for_held_out_nouns(role):
    for s in pronouns.test_sentences(300, 1, **{role: "held out"}):
        rival = s.words[sum(s.nouns) - s.antecedent]
        assert (s.answer in HELD_OUT) == (role == "answer")
        assert (rival in HELD_OUT) == (role == "rival")


def test_no_rule_without_grammar_is_right_much_more_than_half_the_time():
    some = pronouns.test_sentences(4000, 3)
    for name, share in pronouns.rules(some).items():
        assert 0.4 < share < 0.6, name
    behind = [s for s in some if max(s.nouns) > s.at]
    assert 0.2 < len(behind) / len(some) < 0.6


def test_sentences_follow_their_seed():
    assert pronouns.training_sentences(20, 4) == (
        pronouns.training_sentences(20, 4)
    )
    assert pronouns.test_sentences(20, 4) != pronouns.test_sentences(20, 5)


@pytest.mark.parametrize("wrong", ["kind", "answer", "rival"])
def test_an_unknown_choice_lists_those_there_are(wrong):
    with pytest.raises(ValueError, match=r"expected one of \['.*got 'some'"):
        pronouns.test_sentences(1, 0, **{wrong: "some"})


# The reader


def test_it_scores_only_the_place_that_is_asked():
    reader = readers.Reader(seed=0)
    batch = readers.pack(pronouns.test_sentences(5, 0))
    scores = reader(*batch.inputs)
    assert scores.shape == (5, len(pronouns.WORDS))
    for i, s in enumerate(pronouns.test_sentences(5, 0)):
        alone = torch.tensor([[readers.PLACE[x] for x in s.words]])
        whole = reader.transformer(alone)[0, s.at]
        torch.testing.assert_close(scores[i], whole, atol=1e-5, rtol=1e-4)
        assert batch.targets[i] == readers.PLACE[s.answer]


def test_equal_weights_stay_equal_and_the_model_as_large():
    two = {k: readers.Reader(equal=k, seed=0) for k in (False, True)}
    count = {
        k: sum(p.numel() for p in r.parameters() if p.requires_grad)
        for k, r in two.items()
    }
    assert count[True] == pytest.approx(count[False], rel=0.002)
    draw = readers.batches(pronouns.training_sentences(200, 0))
    models.train(
        two[True], draw, steps=3, learning_rate=0.01, seed=0, progress=False
    )
    maps = two[True].transformer.attentions(torch.tensor([[5, 6, 7, 8]]))
    torch.testing.assert_close(maps, torch.full_like(maps, 0.25))


def test_looks_are_the_weights_between_the_pronoun_and_the_nouns():
    reader, some = readers.Reader(seed=3), pronouns.test_sentences(40, 0)
    seen = readers.looks(reader, some)
    assert seen.shape == (40, 1, 2, 4, 2, 2)
    for i, s in enumerate(some):
        alone = torch.tensor([[readers.PLACE[x] for x in s.words]])
        maps = reader.transformer.attentions(alone)[:, 0]
        rival = sum(s.nouns) - s.antecedent
        for a, place in enumerate((s.at, max(s.at - 1, 0))):
            want = maps[:, :, place, [s.antecedent, rival]]
            np.testing.assert_allclose(seen[i, 0, :, :, a], want, atol=1e-6)


def test_batches_are_as_long_as_their_longest_sentence(training):
    draw = readers.batches(training[:500], size=8)
    batch = draw(torch.Generator().manual_seed(0))
    filled = (batch.inputs[0] != 0).sum(1)
    assert batch.inputs[0].shape == (8, filled.max())
    assert (batch.inputs[1] < filled).all()


# The file of weights


def test_numpy_reads_as_torch_does():
    model = Transformer(
        9, layers=3, d_model=12, heads=3, d_ff=20, max_length=7, seed=5
    )
    texts = list("abcdefghi")
    packed = weights.pack_weights(model, texts, {"all": texts})
    small = weights.unpack_weights(packed)
    assert (small.layers, small.heads, small.max_words) == (3, 3, 7)
    assert small.classes == {"all": texts}
    model.load_state_dict(
        {name: torch.tensor(x).float() for name, x in small.tensors.items()}
    )
    reading = small.read(list("cabbage"))
    numbers = torch.tensor([texts.index(x) for x in "cabbage"])
    np.testing.assert_allclose(
        reading.scores, model(numbers).detach(), atol=1e-5
    )
    np.testing.assert_allclose(
        reading.weights, model.attentions(numbers), atol=1e-6
    )


def test_the_arithmetic_is_that_of_plain_loops():
    vectors = load("sentence")
    small = weights.unpack_weights(base64.b64decode(vectors["file"]))
    for one in vectors["sentences"]:
        reading = small.read(one["words"])
        np.testing.assert_allclose(
            reading.weights.ravel(), one["weights"], atol=1e-8
        )
        exps = np.exp(reading.scores)
        chances = exps / exps.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(chances, one["chances"], atol=1e-8)


def test_the_vectors_are_those_of_the_loops():
    assert maker("sentence").make() == load("sentence")


def test_the_format_is_that_of_the_safetensors_library():
    from safetensors.torch import load as load_tensors

    tensors = load_tensors(data.load_asset(weights.ASSET))
    small = weights.load_reader()
    assert set(tensors) == set(small.tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor.double(), small.tensors[name])


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        (["the", "zebra"], "among the 447 .*got 'zebra'"),
        ([], "1 to 24 words, got 0"),
        (["the"] * 25, "1 to 24 words, got 25"),
    ],
)
def test_what_can_not_be_read_is_told(sentence, message):
    with pytest.raises(ValueError, match=message):
        weights.load_reader().read(sentence)


def test_a_vocabulary_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"of 5 numbers .*got 4"):
        weights.pack_weights(Transformer(5, seed=0), list("abcd"))


# The recording


def test_every_run_is_tested_and_only_attention_looks(recording):
    assert recording["settings"] == experiment.SETTINGS
    for r in recording["records"]:
        assert list(r["accuracy"]) == list(experiment.TESTS)
        looks = [] if "equal" in r["condition"] else list(experiment.LOOKS)
        assert list(r["heads"]) == looks
    assert recording["vocabulary"] == len(pronouns.WORDS)
    assert recording["nouns"]["held out"] == len(HELD_OUT)


def test_the_page_has_the_recorded_weights(recording):
    page = recording["weights"]
    content = data.load_asset(page["asset"])
    assert hashlib.sha256(content).hexdigest() == page["sha256"]
    assert len(data.data_uri(page["asset"])) < 300_000
    small = weights.load_reader()
    assert list(small.words) == list(pronouns.WORDS)
    assert small.classes == pronouns.CLASSES
    assert small.max_words == readers.MAX_WORDS


def test_training_is_that_of_its_seed():
    """A few steps, with attention and without."""
    first, again = (experiment.one("attention", 0, steps=20) for _ in "12")
    assert first == again and first["weights"] == ""
    equal = experiment.one("equal weights", 0, steps=20)
    assert equal["heads"] == {} and 0 < first["loss"] < 7
    heads = first["heads"]["known"]
    assert np.shape(heads["share"]) == (2, 4)
    assert 0.5 < heads["chance"] < 0.65
