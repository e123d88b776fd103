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


def test_every_ending_is_recorded_once(recording):
    endings = [w for words in recording["endings"].values() for w in words]
    assert len(set(endings)) == len(endings) == 8
    shape = data.unpack_array(recording["weights"]).shape
    assert shape == (8, 6, 12, len(recording["columns"]))
