"""One stem a widget: module, folder, bundle and tests are called alike."""

import inspect
import re

import pytest
from course import ROOT

from attn_course import widgets
from attn_course.widgets.base import STATIC

CLASSES = {name: getattr(widgets, name) for name in widgets.__all__}
# Pages, saved files and links of today hold these.
KEPT = {
    "AttentionHeatmap": ("attn-heatmap", "heatmap"),
    "AttentionSteps": ("attn-steps", "steps"),
    "CocktailParty": ("attn-cocktail", "cocktail"),
    "FlashStepper": ("attn-flash", "flash"),
    "GazeExplorer": ("attn-gaze", "gaze"),
    "HeadBrowser": ("attn-heads", "heads"),
    "HeadSwitches": ("attn-head-switches", "switches"),
    "KVCacheMeter": ("attn-kv-cache", "kv-cache"),
    "MaskDesigner": ("attn-mask", "mask"),
    "QKVPlayground": ("attn-qkv", "playground"),
    "RecordedCurves": ("attn-curves", "curves"),
    "SoftmaxLab": ("attn-softmax-lab", "softmax"),
    "TypeASentence": ("attn-sentence", "sentence"),
}


def stem_of(name):
    """Write a class's name as its module is called."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]*", name)
    return "_".join(words).lower()


@pytest.mark.parametrize("name", CLASSES)
def test_a_widget_is_called_alike_everywhere(name):
    stem = stem_of(name)
    assert CLASSES[name].__module__ == f"attn_course.widgets.{stem}"
    for path in (
        STATIC / f"{stem}.mjs",
        ROOT / "web" / "src" / stem / "view.ts",
        ROOT / "web" / "test" / f"{stem}.test.ts",
        ROOT / "tests" / "widgets" / f"test_{stem}.py",
    ):
        assert path.is_file(), path
    bundle = STATIC / f"{stem}.mjs"
    assert str(CLASSES[name]._esm) == bundle.read_text("utf-8")


def test_no_widget_is_forgotten():
    stems = {stem_of(name) for name in CLASSES}
    modules = {
        path.stem
        for path in (ROOT / "src" / "attn_course" / "widgets").glob("*.py")
    }
    assert modules - {"__init__", "base"} == stems
    views = (ROOT / "web" / "src").glob("*/view.ts")
    assert {path.parent.name for path in views} == stems


@pytest.mark.parametrize("name", KEPT)
def test_names_that_people_keep_stay(name):
    signature = inspect.signature(CLASSES[name].__init__)
    kept = CLASSES[name]._tag, signature.parameters["name"].default
    assert kept == KEPT[name]
