"""SoftmaxLab in Python: its numbers, its HTML."""

import pytest
import shared_vectors

from attn_course.widgets import SoftmaxLab

VECTORS = shared_vectors.load("playground")


@pytest.mark.parametrize("case", VECTORS["softmax_lab"])
def test_the_lab_agrees_with_the_vectors(case):
    measures = SoftmaxLab(**case["state"]).measures
    for name in ("spread", "entropy", "gradient"):
        assert measures[name] == pytest.approx(case[name], abs=1e-6)


def test_html_has_the_state_and_a_table():
    text = SoftmaxLab()._repr_mimebundle_()[0]["text/html"]
    assert text.startswith('<attn-softmax-lab data-state="')
    assert "<table>" in text and "&quot;state&quot;" in text
