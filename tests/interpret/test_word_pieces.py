"""From word pieces to words; the widgets do the same."""

import numpy as np
import pytest
import shared_vectors
import torch
from hypothesis import given
from hypothesis import strategies as st

from attn_course.interpret.word_pieces import (
    join_pieces,
    merge_pieces,
    word_of_each,
    word_spans,
    words_of_tokens,
)

TOKENS = ["[CLS]", "un", "##hap", "##py", "isn", "'", "t", ".", "[SEP]"]
WORDS = [None, 0, 0, 0, 1, 1, 1, 2, None]


def maps(*lead, n=9, seed=0):
    rows = np.random.default_rng(seed).random((*lead, n, n))
    return rows / rows.sum(axis=-1, keepdims=True)


def test_pieces_are_joined_to_words():
    joined = ["[CLS]", "unhappy", "isn't", ".", "[SEP]"]
    assert join_pieces(TOKENS, WORDS) == joined


def test_only_neighbours_of_one_word_are_joined():
    assert join_pieces(["a", "b", "c"], [0, None, 0]) == ["a", "b", "c"]
    assert join_pieces(["[A]", "[B]"], [None, None]) == ["[A]", "[B]"]
    assert join_pieces([], []) == []


def test_merging_sums_over_keys_and_averages_over_queries():
    weights = maps(2, 3)
    merged = merge_pieces(weights, WORDS)
    groups = [[0], [1, 2, 3], [4, 5, 6], [7], [8]]
    assert merged.shape == (2, 3, 5, 5)
    for row, queries in enumerate(groups):
        for column, keys in enumerate(groups):
            total = sum(weights[..., i, j] for i in queries for j in keys)
            np.testing.assert_allclose(
                merged[..., row, column], total / len(queries)
            )
    np.testing.assert_allclose(merged.sum(axis=-1), 1.0)


def test_words_of_one_piece_stay_as_they_are():
    weights = maps(n=4)
    np.testing.assert_array_equal(
        merge_pieces(weights, [0, 1, 2, None]), weights
    )


def test_weights_of_a_tensor_are_merged():
    weights = torch.tensor(maps(n=9), requires_grad=True)
    np.testing.assert_allclose(
        merge_pieces(weights, WORDS), merge_pieces(maps(n=9), WORDS)
    )
    with pytest.raises(ValueError, match="with at least 2 dimensions"):
        merge_pieces(np.ones(9), WORDS)


def test_the_widgets_merge_alike():
    [case] = [
        case
        for case in shared_vectors.load("heatmap")["cases"]
        if case["name"] == "joined"
    ]
    words = case["source"]["query_words"]
    assert words == case["source"]["key_words"]
    np.testing.assert_allclose(
        merge_pieces(case["weights"], words),
        case["picture"]["weights"],
        atol=1e-6,
    )
    groups = [
        "".join(case["source"]["query_tokens"][i] for i in members)
        for members in case["picture"]["rows"]
    ]
    assert join_pieces(case["source"]["query_tokens"], words) == groups


@pytest.mark.parametrize(
    "shape, message",
    [((3, 9), "9 rows of weights.*got 3"), ((9, 8), "9 columns.*got 8")],
)
def test_weights_that_do_not_fit_the_words(shape, message):
    with pytest.raises(ValueError, match=message):
        merge_pieces(np.ones(shape), WORDS)


def test_tokens_that_do_not_fit_the_words():
    with pytest.raises(ValueError, match=r"expected 9 tokens.*got 2"):
        join_pieces(TOKENS[:2], WORDS)


def test_the_word_of_each_place():
    text = "Don’t go-go!"
    assert word_of_each([0, 3, 4, 6, 8, 9, 11], text) == [0, 0, 0, 1, 2, 3, 4]


# Words in every script


def words_in(text):
    return [text[start:end] for start, end in word_spans(text)]


@pytest.mark.parametrize(
    "text",
    [
        # Vowel signs, points and accents belong to their letters,
        "हिन्दी भाषा", "বাংলা ভাষা", "தமிழ் மொழி", "ಕನ್ನಡ ಭಾಷೆ", "සිංහල",
        "العَرَبِيَّة لُغَة", "שָׁלוֹם עוֹלָם", "ދިވެހި", "བོད", "አማርኛ ቋንቋ",
        "naïve café", "nai\u0308ve cafe\u0301",  # composed or not
        "Tiê\u0301ng Viê\u0323t", "x\u20d7 y\u0302",
        # and so do joiners, seen or not;
        "می‌خواهم", "ক্‍ষ", "co\u00adoperate", "un\u2060seen", "\u200fשלום",
        # Korean puts spaces, in one form or the other.
        "한국어 좋아", "\u1112\u1161\u11ab\u1100\u116e\u11a8",
        # Apostrophes, and what takes their place,
        "isn't rock'n'roll", "l’été aujourd’hui", "Hawaiʻi", "צה״ל ג׳ירפה",
        "O＇Neil",
        # digits of every kind, and a line that joins
        "1984 १९८४ ١٩٨٤ ๑๙๘๔ １９８４", "x² ½", "foo_bar __init__", "３Ｄ",
    ],
)  # fmt: skip
def test_spaces_divide_words(text):
    words = [part.strip("\u200f") for part in text.split(" ")]
    assert [word.strip("\u200f") for word in words_in(text)] == words


@pytest.mark.parametrize(
    "text, words",
    [
        ("我爱", "我 爱"),
        ("我爱你。", "我 爱 你 。"),
        ("人々", "人 々"),
        ("ひらがな", "ひ ら が な"),
        ("か\u3099く", "か\u3099 く"),
        ("タワー", "タ ワ ー"),
        ("ﾊﾟｿ", "ﾊﾟ ｿ"),
        ("ㄅㄆ", "ㄅ ㄆ"),
        ("𠮷野家", "𠮷 野 家"),
        ("ภาษาไทย", "ภ า ษ า ไ ท ย"),
        ("วันนี้", "วั น นี้"),
        ("ພາສາ", "ພ າ ສ າ"),
        ("ភាសា", "ភា សា"),
        ("မြန်", "မြ န်"),
        # Among others
        ("iPhone手机 15", "iPhone 手 机 15"),
        ("第12章", "第 12 章"),
        ("Kim은 我", "Kim은 我"),
    ],
)
def test_letters_of_scripts_without_spaces_stand_alone(text, words):
    assert words_in(text) == words.split(" ")


@pytest.mark.parametrize(
    "text, words",
    [
        ("👨‍👩‍👧‍👦👍🏽", "👨‍👩‍👧‍👦 👍🏽"),
        ("🇩🇪🇫🇷", "🇩🇪 🇫🇷"),
        ("🏴\U000e0067\U000e007f!", "🏴\U000e0067\U000e007f !"),
        ("1️⃣2️⃣", "1️⃣ 2️⃣"),
        ("ℹ️ok❤️‍🔥", "ℹ️ ok ❤️‍🔥"),
        ("Hm... (no-go)", "Hm . . . ( no - go )"),
        ("3.14", "3 . 14"),
        ("’tis dogs’", "’ tis dogs ’"),
        ("a''b", "a ' ' b"),
        ("→\u20d7≠", "→\u20d7 ≠"),
    ],
)  # fmt: skip
def test_signs_stand_alone_and_whole(text, words):
    assert words_in(text) == words.split(" ")


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\t\r\n", "\u200b", "\u200d\u200c", "\ufeff", "\u2028\0"],
)
def test_what_can_not_be_seen_is_no_word(text):
    assert word_spans(text) == []


def test_a_space_of_no_width_divides():
    assert words_in("a\u200bb") == ["a", "b"]


SCRIPTS = st.text(
    st.sampled_from(
        "aZ9_'’.- é\u0301\u094dहिन我かー한ก\u0e31\u200d\u200c\ufe0f👩🇩🇪\u20e3"
        "\n\u200b"
    )
)


@given(st.text() | SCRIPTS)
def test_words_are_in_order_and_hold_no_space(text):
    spans = word_spans(text)
    places = [place for span in spans for place in span]
    assert places == sorted(places)
    assert all(start < end for start, end in spans)
    for word in words_in(text):
        assert not any(letter.isspace() for letter in word)


@given(st.text() | SCRIPTS)
def test_every_letter_is_in_a_word(text):
    covered = {i for span in word_spans(text) for i in range(*span)}
    for place, letter in enumerate(text):
        if letter.isalnum() and letter not in "\u3164\uffa0\u115f\u1160":
            assert place in covered


@given(st.text() | SCRIPTS)
def test_a_token_a_letter_gives_each_letter_its_word(text):
    offsets = [(i, i + 1) for i in range(len(text))]
    words = words_of_tokens(offsets, text)
    spans = word_spans(text)
    for place, word in enumerate(words):
        inside = [
            number
            for number, (start, end) in enumerate(spans)
            if start <= place < end
        ]
        assert [word] == (inside or [None])


@given(st.text() | SCRIPTS)
def test_one_token_for_all_is_the_first_word(text):
    words = words_of_tokens([(0, len(text))], text)
    assert words == [0 if word_spans(text) else None]


def test_tokens_that_share_a_letter_share_a_word():
    """A letter of three bytes, as byte-level tokenizers may divide it."""
    assert words_of_tokens([(0, 1), (0, 1), (1, 2)], "我爱") == [0, 0, 1]
    assert words_of_tokens([(0, 2), (1, 2), (2, 3)], "我爱你") == [0, 0, 2]
    assert words_of_tokens([(0, 1), (1, 3)], "हि") == [0, 0]


def test_tokens_with_spaces_and_none():
    text = "  Hm,  no "
    offsets = [None, (0, 1), (1, 4), (4, 5), (5, 6), (6, 9), (9, 10), (0, 0)]
    words = words_of_tokens(offsets, text)
    assert words == [None, None, 0, 1, None, 2, None, None]
