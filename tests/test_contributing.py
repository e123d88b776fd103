"""The examples in CONTRIBUTING.md, as they stand there."""

import importlib.util
import re
import sys

import course
import pytest

from attn_course.claims import ledger
from attn_course.experiments import rules, runs
from attn_course.experiments import study as frame

TEXT = (course.ROOT / "CONTRIBUTING.md").read_text("utf-8")
EXERCISE, STUDY, WIDGET = re.findall(
    r"^```python\n(.*?)^```$", TEXT, re.S | re.M
)


def load(path, text):
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def example(tmp_path):
    return load(tmp_path / "scores_example.py", EXERCISE)


def test_the_exercise_takes_right_answers(example):
    ex = example.EXERCISE
    assert ex.check(example.scores).passed
    assert ex.variants and all(ex.check(f).passed for f in ex.variants)
    assert ex.check(lambda query, key: None).state == "untried"


def test_the_exercise_names_the_wrong_answer(example):
    def mine(query, key):
        return query @ key.swapaxes(-1, -2) / query.shape[-1] ** 0.5

    result = example.EXERCISE.check(mine)
    assert result.mistake == "scaled_already"
    assert "You divided by √d" in result.message


def test_the_widget_has_its_html(tmp_path):
    dial = load(tmp_path / "dial_example.py", WIDGET).Dial(angle=90.0)
    text = dial._repr_mimebundle_()[0]["text/html"]
    assert text.startswith("<attn-dial data-state=") and "<td>90</td>" in text


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Load the study as a module; its recording is nobody's."""
    held = {}
    monkeypatch.setattr(frame, "save_recording", held.__setitem__)
    monkeypatch.setattr(frame, "load_recording", held.__getitem__)
    monkeypatch.setattr(frame, "recordings", lambda: list(held))
    monkeypatch.setattr(runs.store, "__file__", str(tmp_path / "store.py"))
    (tmp_path / "recordings").mkdir()
    (tmp_path / "found_key_example.py").write_text(STUDY, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("found_key_example").STUDY
    del sys.modules["found_key_example"]


def test_the_study_records_and_keeps_the_rules(study):
    study.record(say=lambda line: None)
    assert study.is_current()
    assert study.differences() == []
    assert rules.broken_rules(study, study.recording) == []
    for choice in rules.choices(study, study.recording["records"]):
        assert choice.score < study.recording["baselines"]["equal weights"]
    assert study.figures["losses"].draw(study.recording).figure.axes
    assert set(study.numbers()) <= {c.id for s in ledger() for c in s.claims}
