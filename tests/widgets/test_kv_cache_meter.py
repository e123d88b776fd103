"""KVCacheMeter in Python: the numbers of its twin, its table, bad input."""

import html
import json
import re

import pytest
import shared_vectors
import traitlets

from attn_course.pretrained.shapes import ModelShape, load_model_shapes
from attn_course.widgets import KVCacheMeter, kv_cache_meter

VECTORS = shared_vectors.load("kv_cache_meter")


def test_vectors_are_what_the_loops_give():
    assert shared_vectors.maker("kv_cache_meter").make() == VECTORS
    assert len(VECTORS) == 16


@pytest.mark.parametrize("case", VECTORS)
def test_the_twin_agrees_with_the_vectors(case, monkeypatch):
    sizes = {k: v for k, v in case["shape"].items() if k != "source"}
    shape = ModelShape(year=2024, d_model=1, key="a2024", where="", **sizes)
    monkeypatch.setattr(
        kv_cache_meter, "load_model_shapes", lambda: {shape.name: shape}
    )
    assert KVCacheMeter(**case["state"]).memory == case["bytes"]


def test_every_model_that_writes_is_there_with_its_source():
    source = KVCacheMeter().source["models"]
    shapes = load_model_shapes()
    assert {m["name"] for m in source} == set(shapes) - set(
        kv_cache_meter.ENCODERS
    )
    for model in source:
        assert re.fullmatch(r"[A-Z][a-z]+ \d{4}, .+", model["source"])


def test_the_table_gives_every_model_as_published():
    meter = KVCacheMeter(
        ["Llama 2 70B", "DeepSeek-V3"], length=1000, kv_heads=64
    )
    table = meter.html()
    for name in ("Llama 2 70B", "DeepSeek-V3"):
        expected = load_model_shapes()[name].cache_bytes(1000) / 1e9
        assert re.search(f"{name}.*{expected:.2f}", table, re.S)
    state = json.loads(html.unescape(re.search('state="([^"]*)"', table)[1]))
    assert state["state"]["kv_heads"] == 64


def test_hostile_words_stay_words():
    assert "<script>" not in KVCacheMeter(title="<script>x").html()


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="expected models in"):
        KVCacheMeter(["Llama 9"])
    with pytest.raises(ValueError, match="expected models in"):
        KVCacheMeter([])
    meter = KVCacheMeter()
    with pytest.raises(traitlets.TraitError, match="expected a model in"):
        meter.model = "BERT base"
    for name, value in (("length", 0), ("bits", 4), ("batch", 0)):
        with pytest.raises(traitlets.TraitError):
            setattr(meter, name, value)
