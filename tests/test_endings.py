"""Eight last words: the recording, and the row that it was read from."""

import numpy as np
import pytest

from attn_course import data
from attn_course.experiments import minilm_endings


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("minilm-endings")


def test_the_columns_are_the_words_that_they_name(minilm):
    text = minilm_endings.FRAME.format("tired")
    tokens = minilm.tokens(text)
    row = minilm.attentions(text)[:, :, tokens.index("it")]  # (L, H, n)
    got = minilm_endings.row_of_it(minilm, text)
    for column, word in enumerate(["[CLS]", "cat", "mat", "it", "tired"]):
        np.testing.assert_allclose(
            got[..., column], row[..., tokens.index(word)]
        )


@pytest.mark.parametrize("number", [0, 3, 6])
def test_a_slice_gives_what_was_recorded(minilm, recording, number):
    endings = [w for words in recording["endings"].values() for w in words]
    text = recording["frame"].format(endings[number])
    again = minilm_endings.row_of_it(minilm, text)
    recorded = data.unpack_array(recording["weights"])[number]
    np.testing.assert_allclose(again, recorded, atol=6e-4)


def test_every_ending_is_recorded_once(recording):
    endings = [w for words in recording["endings"].values() for w in words]
    assert len(set(endings)) == len(endings) == 8
    shape = data.unpack_array(recording["weights"]).shape
    assert shape == (8, 6, 12, len(recording["columns"]))
