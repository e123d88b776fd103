"""Twelve requests, each word left out: the recording and the measure."""

import numpy as np
import pytest

from attn_course import data
from attn_course.experiments import minilm_requests

PARTS = {"action", "object", "place", "small word", "time"}


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("minilm-requests")


def test_each_word_has_a_part_and_each_request_all_of_them(recording):
    requests = minilm_requests.requests()
    assert len(requests) >= 12
    for written, recorded in zip(requests, recording["requests"], strict=True):
        assert recorded["words"] == written["text"].split()
        assert len(written["parts"]) == len(recorded["words"])
        assert set(written["parts"]) == PARTS


def test_the_question_on_the_page_tells_the_recorded_order(recording):
    # Its explanations say which word comes first, second, third, fourth.
    request = recording["requests"][0]
    order = sorted(zip(request["lost"], request["words"], strict=True))
    assert [word for _, word in reversed(order)] == [
        "Beijing", "weather", "tomorrow's", "check", "in",
    ]  # fmt: skip


def test_attention_received_sums_to_what_others_give(minilm):
    text = "check tomorrow's weather in Beijing"
    received = minilm_requests.measure(minilm, text)["attention"]
    # Each of five words gets part of what the other rows give away, and no
    # row gives more than 1.
    assert 0 < sum(received) < 5 / 4 * 1.01
    assert min(received) > 0


def test_a_sentence_is_one_vector_of_length_one(minilm):
    a, b, c = (
        minilm.sentence(text)
        for text in (
            "The cat sleeps.", "A cat is sleeping.", "Interest rates fell.",
        )
    )  # fmt: skip
    assert a.shape == (384,)
    assert np.linalg.norm(a) == pytest.approx(1, abs=1e-5)
    assert a @ b > 0.8 > 0.3 > a @ c
