"""TypeASentence in Python: its answers, its table, bad input."""

import numpy as np
import pytest
import torch
import traitlets
from shared_vectors import load

from attn_course.nn.encoder import Transformer
from attn_course.tasks import pronouns
from attn_course.tasks.pronouns.reader import PLACE, Reader
from attn_course.tasks.pronouns.weights import ASSET, load_reader
from attn_course.widgets import TypeASentence
from attn_course.widgets.type_a_sentence import EXAMPLES


def test_the_recorded_weights_are_an_asset_beside_the_page():
    widget = TypeASentence()
    assert widget.asset_names() == [ASSET] and list(widget.assets) == [ASSET]
    assert widget.source["weights"] is None
    assert len(widget.html()) < 8000


def test_a_sentence_becomes_the_words_of_the_vocabulary():
    widget = TypeASentence()
    for text, words in load("sentence")["texts"]:
        widget.sentence = text
        assert widget.words == words


def test_answers_and_weights_are_those_of_torch():
    reader = Reader(seed=0)
    reader.transformer.load_state_dict(
        {
            name: torch.tensor(x).float()
            for name, x in load_reader().tensors.items()
        }
    )
    widget = TypeASentence(
        sentence="The king saw the girls but they slept, so he left."
    )
    words = torch.tensor([[PLACE[word] for word in widget.words]])
    assert [(a.asked, a.place) for a in widget.answers] == [
        ("they", 6),
        ("he", 10),
    ]
    for answer in widget.answers:
        scores = reader(words, torch.tensor([answer.place]))[0]
        chances = scores.softmax(-1).detach().numpy()
        mine = [answer.chances[word] for word in pronouns.WORDS]
        np.testing.assert_allclose(mine, chances, atol=1e-4)
        assert sum(answer.chances.values()) == pytest.approx(1)
    np.testing.assert_allclose(
        widget.weights,
        reader.transformer.attentions(words)[:, 0],
        atol=1e-5,
    )


def test_the_table_names_answers_and_every_noun():
    html = TypeASentence().table()
    assert "it (word 8)" in html and "cat" in html and "mat" in html
    assert html.count("<tr>") >= 4


def test_unknown_words_are_named_and_nothing_is_answered():
    widget = TypeASentence(sentence="The <b>zebra</b> slept because it was")
    assert widget.unknown == ["<", "b", ">", "zebra", "<", "/", "b", ">"]
    with pytest.raises(ValueError, match="got '<'"):
        _ = widget.answers
    with pytest.raises(ValueError, match="got '<'"):
        _ = widget.weights
    assert "<b>" not in widget.html()


@pytest.mark.parametrize("label", EXAMPLES)
def test_examples_have_known_words_where_they_should(label):
    widget = TypeASentence(sentence=EXAMPLES[label])
    if label == "unknown words":
        assert widget.unknown == ["zebra", "ignored", "teacher", "tyred"]
    else:
        assert widget.unknown == [] and widget.answers


def test_one_changed_word_changes_the_answer():
    def named(label):
        widget = TypeASentence(sentence=EXAMPLES[label])
        return next(iter(widget.answers[0].chances))

    assert (named("they"), named("she")) == ("wolves", "queen")
    assert (named("tired"), named("wide")) == ("animal", "street")
    assert named("nobody") == pronouns.NONE
    # What it gets wrong.
    assert named("big") == named("small") == "suitcase"
    assert named("held out") not in ("bird", "tree")
    assert named("own clause") == "queen"


def test_a_model_of_ones_own():
    words = ["it", "cat", "sat", "the", "so"]
    model = Transformer(5, layers=1, d_model=8, heads=2, d_ff=8, seed=0)
    widget = TypeASentence(model, words, sentence="the cat sat so it sat")
    assert widget.asset_names() == [] and widget.assets == {}
    numbers = torch.tensor([words.index(word) for word in widget.words])
    chances = model(numbers)[4].softmax(-1).detach().numpy()
    (answer,) = widget.answers
    # It travels as float16.
    np.testing.assert_allclose(
        [answer.chances[word] for word in words], chances, atol=2e-3
    )
    assert "cat" in widget.table()
    reader = TypeASentence(Reader(seed=0))
    assert reader.source["weights"] and len(reader.answers) == 1


def test_a_wrong_vocabulary_is_refused():
    with pytest.raises(ValueError, match=r"of 5 numbers .* got 447"):
        TypeASentence(Transformer(5, seed=0))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"sentence": "a" * 301}, "at most 300 letters, got 301"),
        ({"layer": 3}, "layer from 1 to 2, got 3"),
        ({"head": 5}, "head from 1 to 4, got 5"),
    ],
)
def test_a_wrong_state_is_refused(state, message):
    widget = TypeASentence()
    with pytest.raises(traitlets.TraitError, match=message):
        widget.set_trait(*state.popitem())


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("The cat's—x-y, 3.5", "the|cat's|—|x-y|,|3|.|5"),
        ("didn’t a__b ___c_", "didn't|a|<blank>|b|<blank>|c|_"),
        ("हिन्दी में", "हिन्दी|में"),
        ("نَحْنُ e\u0301a", "نَحْنُ|e\u0301a"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d👩\u200d👧🇩🇪🇫🇷👍🏽❤️", "👨\u200d👩\u200d👧|🇩🇪|🇫🇷|👍🏽|❤️"),
    ],
)
def test_letters_of_every_script_stay_whole(sentence, words):
    """As in the browser, whose pattern knows the classes of Unicode."""
    assert TypeASentence(sentence=sentence).words == words.split("|")
