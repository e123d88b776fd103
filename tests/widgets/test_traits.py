"""What the widgets' traits allow is stated once: TypeScript reads the same."""

import json

import pytest
import shared_vectors
import widget_traits
from course import ROOT

from attn_course import widgets

CLASSES = [getattr(widgets, name) for name in widgets.__all__]


def test_what_typescript_reads_is_what_the_traits_say():
    kept = {
        path: path.read_text("utf-8")
        for path in (ROOT / "web" / "src").rglob("*.ts")
        if "written by tools/widget_traits.py" in path.read_text("utf-8")
    }
    assert kept == widget_traits.files(), "run `make web`"


def test_the_answers_to_typescript_are_what_python_says():
    fresh = json.loads(shared_vectors.maker("traits").text())
    assert fresh == shared_vectors.load("traits")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_reader_changes_traits_that_travel(kind):
    assert set(kind._reader) <= set(kind.class_trait_names(sync=True))
