"""The table of real models: the sources exist, the sizes are possible."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from attn_course.data import load_recording
from attn_course.pretrained.shapes import load_model_shapes

SHAPES = load_model_shapes()
BIBLIOGRAPHY = Path(__file__).parents[2] / "book" / "references.bib"


def test_every_model_has_a_source():
    text = BIBLIOGRAPHY.read_text("utf-8")
    keys = set(re.findall(r"^@\w+\{(\S+),", text, re.M))
    for shape in SHAPES.values():
        assert shape.key in keys
        assert shape.where


def test_years_rise_and_queries_share_keys_evenly():
    years = [shape.year for shape in SHAPES.values()]
    assert years == sorted(years)
    for shape in SHAPES.values():
        assert shape.heads % shape.kv_heads == 0


def test_heads_that_do_not_fill_the_model():
    odd = {
        name for name, s in SHAPES.items() if s.heads * s.d_head != s.d_model
    }
    assert odd == {
        "T5 11B",
        "PaLM 540B",
        "Gemma 7B",
        "DeepSeek-V3",
        "gpt-oss-120b",
    }


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("BERT base", "BertConfig"),
        ("GPT-2 small", "GPT2Config"),
        ("LLaMA 7B", "LlamaConfig"),
        ("Mistral 7B", "MistralConfig"),
        ("Gemma 7B", "GemmaConfig"),
        ("DeepSeek-V3", "DeepseekV3Config"),
    ],
)
def test_sizes_that_transformers_has_as_its_defaults(name, config):
    transformers = import_module("transformers")
    theirs = getattr(transformers, config)()
    kv_heads = getattr(theirs, "num_key_value_heads", None)
    shape = SHAPES[name]
    assert (shape.layers, shape.heads, shape.d_model) == (
        theirs.num_hidden_layers,
        theirs.num_attention_heads,
        theirs.hidden_size,
    )
    assert shape.kv_heads == (kv_heads or theirs.num_attention_heads)
    if shape.latent:
        assert shape.latent == theirs.kv_lora_rank + theirs.qk_rope_head_dim


@pytest.mark.parametrize(
    ("name", "short"),
    [("all-MiniLM-L6", "MiniLM"), ("SmolLM2-135M", "SmolLM2")],
)
def test_sizes_as_recorded_from_the_two_models_of_the_course(name, short):
    read = load_recording("head-readings")["models"][short]
    shape = SHAPES[name]
    assert (shape.layers, shape.heads) == (read["layers"], read["heads"])
