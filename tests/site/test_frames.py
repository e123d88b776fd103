"""BertViz on the site: taken apart, made harmless, framed."""

import io
import json
import re
from importlib import resources

import numpy as np
import pytest
import torch
from bertviz import head_view, model_view, neuron_view
from bertviz import transformers_neuron_view as older
from PIL import Image

from attn_course.site import frames

# BertViz leaves the scripts that it reads open.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore:.*bertviz.*:pytest.PytestUnraisableExceptionWarning",
)

HOSTILE = [
    "</script><script>parent.document.title = 'broken'</script>",
    "<img src=x onerror=\"document.title = 'broken'\">",
    "<!--<script>",
    "a \u2028 b",
]
PLAIN = ["the", "cat", "sat", "down"]


def maps(layers=2, heads=3, n=4):
    generator = torch.Generator().manual_seed(0)
    shape = (layers, 1, heads, n, n)
    return list(torch.rand(shape, generator=generator).softmax(-1))


def made(kind, tokens=PLAIN, **options):
    if kind == "neuron_view":
        return neurons()
    draw = {"head_view": head_view, "model_view": model_view}[kind]
    return draw(
        maps(n=len(tokens), **options), tokens, html_action="return"
    ).data


def neurons():
    """A tiny BERT, random weights; its words can't be hostile."""

    class Words:
        cls_token, sep_token = "[CLS]", "[SEP]"

        def tokenize(self, text):
            return text.split()

        def convert_tokens_to_ids(self, tokens):
            return list(range(len(tokens)))

    config = older.BertConfig(
        vocab_size_or_config_json_file=9, hidden_size=8, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=8,
    )  # fmt: skip
    config.output_attentions = True
    return neuron_view.show(
        older.BertModel(config), "bert", Words(), "</script> cat",
        html_action="return",
    ).data  # fmt: skip


KINDS = list(frames.KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_view_is_recognised_and_taken_apart(kind):
    text = made(kind)
    assert frames.is_view(text)
    view = frames.read_view(text)
    assert view.kind == kind
    sizes = {"neuron_view": (2, 2, 4)}
    assert view.shape == sizes.get(kind, (2, 3, 4))
    assert view.markup.startswith("<div id=")
    assert "PYTHON_PARAMS" not in view.code and "cdnjs" not in view.code
    assert 100 < view.height < 1000


def test_other_html_is_left_alone():
    for text in ("<p>bertviz</p>", "<attn-heatmap></attn-heatmap>", ""):
        assert not frames.is_view(text)
    with pytest.raises(ValueError, match=r"expected the HTML of BertViz 1\.4"):
        frames.read_view("<div id='bertviz'></div>")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_asks_for_nothing_and_holds_its_data_once(kind):
    view = frames.read_view(made(kind))
    page = frames.page(view)
    assert page.count(view.data["root_div_id"]) == 2  # element and data
    # d3 and jQuery name addresses of namespaces and of themselves.
    own = page[page.index("function requirejs") :]
    addresses = set(re.findall(r"https?://[^\"'\s)]+", own))
    assert all("github.com/tensorflow" in each for each in addresses)
    assert not re.search(
        r"<(?:script|link|img)[^>]+(?:src|href)=\"?http", page
    )
    assert "default-src 'none'" in page
    assert "console.log(" not in own


@pytest.mark.parametrize("kind", ["head_view", "model_view"])
def test_no_token_ends_a_script(kind):
    text = made(kind, HOSTILE)
    page = frames.page(frames.read_view(text))
    assert page.count("</script") == 3
    own = page[page.index("function requirejs") :]
    assert "onerror" in own and "<img" not in own and "<script" not in own
    data = own[own.index("const params = ") + len("const params = ") :]
    found = json.JSONDecoder().raw_decode(data)[0]
    assert found["attention"][0]["left_text"] == HOSTILE


@pytest.mark.parametrize(
    "size", [{"layers": 5}, {"heads": 5}], ids=["layers", "heads"]
)
def test_what_is_too_large_for_a_page_is_refused(size):
    with pytest.raises(ValueError, match="at most 4 layers, 4 heads and 32"):
        frames.read_view(made("head_view", **size))


def test_too_many_tokens_are_refused():
    with pytest.raises(ValueError, match=r"got \(2, 3, 33\)"):
        frames.read_view(made("model_view", [f"t{i}" for i in range(33)]))


# In a browser


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_draws_and_stays_inside(kind, open_page, tmp_path):
    tokens = [HOSTILE[0], HOSTILE[1], "cat", "sat"]
    view = frames.read_view(made(kind, tokens))
    (tmp_path / "frame.html").write_text(frames.page(view), "utf-8")
    (tmp_path / "page.html").write_text(
        "<!doctype html><meta charset=utf-8><title>whole</title>"
        '<link rel=icon href="data:,">'
        '<iframe src="frame.html" sandbox="allow-scripts" width=700 '
        f'height="{view.height}"></iframe>',
        "utf-8",
    )
    page = open_page((tmp_path / "page.html").as_uri())
    frame = page.frames[1]
    frame.wait_for_selector("svg line", state="attached")
    assert page.title() == "whole"
    assert frame.title() == f"BertViz: {frames.KINDS[kind]}"
    assert frame.evaluate("document.images.length") == 0
    if kind == "head_view":
        shown = frame.evaluate(
            "[...document.querySelectorAll('text')].map(t => t.textContent)"
        )
        assert [text.strip() for text in shown[:2]] == tokens[:2]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_frame_follows_the_theme(kind, theme, open_page, tmp_path):
    view = frames.read_view(made(kind))
    (tmp_path / "frame.html").write_text(frames.page(view), "utf-8")
    static = resources.files("attn_course") / "site" / "static"
    (tmp_path / "page.html").write_text(
        f"<!doctype html><html data-theme={theme}><meta charset=utf-8>"
        '<title>whole</title><link rel=icon href="data:,">'
        f"<style>{(static / 'attn-site.css').read_text('utf-8')}</style>"
        '<article class="bd-article"><iframe src="frame.html" '
        'class="attn-bertviz" sandbox="allow-scripts" width=700 '
        f'height="{view.height}"></iframe></article>',
        "utf-8",
    )
    page = open_page((tmp_path / "page.html").as_uri(), scheme=theme)
    page.frames[1].wait_for_selector("svg line", state="attached")
    seen = page.locator("iframe").screenshot()
    grey = np.asarray(Image.open(io.BytesIO(seen)).convert("L"), dtype=float)
    paper, ink = (0.08 * 255, 200) if theme == "dark" else (255, 60)
    assert np.median(grey) == pytest.approx(paper, abs=3)
    if theme == "dark":
        assert np.percentile(grey, 99.9) > ink
    else:
        assert np.percentile(grey, 0.1) < ink


PAGES = {"book/05-seeing-attention": 2, "notebooks/05-seeing-attention": 3}


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("how", ["http", "file"])
def test_the_pages_load_their_frames_when_they_are_seen(
    address, how, open_page, site_dir
):
    name = f"{address}.html"
    page = open_page(name if how == "http" else (site_dir / name).as_uri())
    if how == "http":  # a browser that opens files waits for none
        assert not any("/bertviz/" in url for url in page.log.requests)
    elements = page.query_selector_all("iframe.attn-bertviz")
    assert len(elements) == PAGES[address]
    for number, element in enumerate(elements, start=1):
        assert element.get_attribute("sandbox") == "allow-scripts"
        assert element.get_attribute("title").startswith("BertViz, ")
        element.scroll_into_view_if_needed()
        frame = element.content_frame()
        frame.wait_for_selector("svg line", state="attached")
        seen = [url for url in page.log.requests if "/bertviz/" in url]
        assert len(seen) >= number
