"""Hostile and awkward links and sentences, on mounted widgets in Chromium.

`web/test/fuzz.test.ts` tries many more on what the widgets compute; here
they go through the whole page: a tab that crashes, an error in the console
or a number that is none fails the test.
"""

from urllib.parse import quote, urlencode

import numpy as np
import pytest
import shared_vectors
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from attn_course import widgets

LINKS = 24  # Chromium takes at most 200 changes of a hash in ten seconds
SENTENCES = 40
ROUNDS = 2

PROTOTYPE = ["__proto__", "constructor", "toString", "hasOwnProperty"]
NUMBERS = """0 -0 1 2 7 -1 0.5 1e309 -1e309 1e308 5e-324 NaN Infinity 0x10
1e1000000 9007199254740993 99999999999999999999""".split()
AWKWARD = [
    *PROTOTYPE,
    *NUMBERS,
    *("", " ", "true", "false", "null", "undefined", "[]", "{}"),
    '{"a":{"b":[1,2]}}',
    "[" * 200 + "]" * 200,
    "</script><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    *("0,0", "1,1", "-0,-0", "0,0,0,0", "1,NaN", ",,,,", "1e309,0"),
    *("שלום", "مرحبا", "\u202eabc\u202c", "हिन्दी", "我爱", "e\u0301"),
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",  # a family
]
BROKEN = ["%", "%E0%A4%A", "%ff%fe", "%00", "+++", "&&&", "a=b=c", "?#?"]
PIECES = [
    *("x ", "é ", "__ ", "_", "the ", "she ", "cat ", "... ", "-", "’"),
    *("א ", "ع", "\u200d", "\u0301", "e\u0301\u0323 ", "हि", "我爱 "),
    *("\U0001f44d\U0001f3fd ", "\U0001f469\u200d\U0001f467"),
    *("</script>", "__proto__ ", "constructor ", "1e309 ", "\u202e", "NaN "),
]


def heatmap():
    rng = np.random.default_rng(0)
    return widgets.AttentionHeatmap(
        ["[CLS]", "hip", "##po", "sat"],
        scores=rng.normal(0, 8, (2, 4, 4)),
        d_k=4,
        value=rng.normal(size=(2, 4, 2)),
        mask=np.tri(4, k=1, dtype=bool),
        axes={"layer": 2},
        words=[None, 0, 0, 1],
        special=[0],
    )


def heads():
    return widgets.HeadBrowser.from_recording(maps={"MiniLM": "minilm-cat"})


def curves():
    vectors = shared_vectors.load("curves")
    return widgets.RecordedCurves(
        vectors["records"],
        axis=("length", vectors["lengths"]),
        lines="model",
        measures={"token": "token accuracy", "loss": "loss"},
    )


def mask():
    return widgets.MaskDesigner(6, layers=3)


def large_mask():
    return widgets.MaskDesigner(64, layers=4)


def gaze():
    return widgets.GazeExplorer(["hopper"])


def playground():
    return widgets.QKVPlayground(
        [1, 0],
        [[1, 0], [0, 1], [-1, 2]],
        [[1, 0, 3], [0, 1, 3], [2, 2, 3]],
        tokens=["a", "b", "c"],
    )


def steps():
    return widgets.AttentionSteps(
        [[1, 0], [0, 1], [2, 2]],
        [[1, 0], [0, 1], [-1, 2]],
        [[1, 0, 3], [0, 1, 3], [2, 2, 3]],
        tokens=["a", "b", "c"],
        causal=True,
    )


MAKERS = [
    heatmap,
    heads,
    curves,
    gaze,
    mask,
    large_mask,
    playground,
    steps,
    widgets.CocktailParty,
    widgets.FlashStepper,
    widgets.HeadSwitches.from_recording,
    widgets.KVCacheMeter,
    widgets.SoftmaxLab,
    widgets.TypeASentence,
]

# Go to each link as a reader does, then mount the widget anew on the last.
# Tell what went wrong: a link that the browser did not take, a widget that
# gave up, a number that is none.
FOLLOW = """async ([tag, links, spoken]) => {
  const element = document.querySelector(tag);
  const frame = () => new Promise((go) => requestAnimationFrame(
    () => requestAnimationFrame(go)));
  const faults = [];
  const look = (link) => {
    const root = element.firstElementChild.shadowRoot;
    if (root.querySelector(".problem") || root.querySelector("img, script"))
      faults.push([link, root.textContent.slice(-200)]);
    if (!spoken) return;
    const page = root.querySelector(".attn").cloneNode(true);
    for (const part of page.querySelectorAll(".status")) part.remove();
    const none = page.textContent.match(/.{9}(NaN|undefined|Infinity).{9}/);
    if (none) faults.push([link, none[0]]);
  };
  for (const link of links) {
    const came = new Promise((go) => addEventListener(
      "hashchange", () => go(true), {once: true}));
    location.hash = "#";
    location.hash = link;
    if (!(await came)) faults.push([link, "the browser did not go there"]);
    await frame();
    look(link);
  }
  const place = element.parentElement;
  element.remove();
  place.append(element);
  await frame();
  look(links.at(-1));
  return faults;
}"""

# Type each text as one paste; with hands as quick as they can be.
TYPE = """async (texts) => {
  const root = document.querySelector("attn-sentence")
    .firstElementChild.shadowRoot;
  const field = root.querySelector("textarea");
  for (const text of texts) {
    field.value = text;
    field.dispatchEvent(new Event("input"));
    await new Promise((go) => requestAnimationFrame(go));
    if (field.value.length > 600) return text;
    if (root.querySelector("img, script, .problem")) return text;
  }
  return null;
}"""

# Weights of a sentence's model come a moment later.
READY = """async () => {
  const root = document.querySelector("attn-sentence")
    .firstElementChild.shadowRoot;
  for (let i = 0; i < 3000; i++) {
    const said = root.querySelector(".message").textContent;
    if (said !== "The model is loading …") return true;
    await new Promise((go) => setTimeout(go, 10));
  }
  return false;
}"""


def texts():
    """Repeat pieces, once or often: the page takes 300 letters."""
    times = st.sampled_from([1, 2, 9, 40, 80, 150])
    piece = st.tuples(st.sampled_from(PIECES), times)
    lists = st.lists(piece, min_size=1, max_size=3)
    return st.builds(
        lambda parts, most: "".join(p * n for p, n in parts)[:most],
        lists,
        st.sampled_from([300, 300, 300, 301, 600]),
    )


def values(now):
    """Give awkward values, and such as the widget might take."""
    fitting = st.sampled_from([str(now), "1", "2", "3"])
    if isinstance(now, bool):
        fitting = st.sampled_from(["true", "false"])
    elif isinstance(now, int | float):
        near = [now, now + 1, now - 1, now / 2, now * 1.5]
        fitting = st.sampled_from([f"{x:g}" for x in near])
    elif isinstance(now, list):
        numbers = st.integers(-1, 9).map(str)
        fitting = st.lists(numbers, max_size=9).map(",".join)
    return st.one_of(fitting, fitting, st.sampled_from(AWKWARD), texts())


def names(source):
    """Collect every text of a widget's data: labels, models, levels."""
    if isinstance(source, dict):
        return {x for part in source.values() for x in names(part)}
    if isinstance(source, list):
        return {x for part in source[:50] for x in names(part)}
    return {source} if isinstance(source, str) and len(source) < 50 else set()


def links(widget):
    """Draw what stands in an address after its #."""
    state = {name: getattr(widget, name) for name in widget._reader}
    known = st.sampled_from(sorted(names(widget.source)) or [""])

    def pair(name):
        now = state.get(name, "")
        if isinstance(now, dict):
            entry = st.sampled_from([*map(str, now), *PROTOTYPE, ""])
            keys = entry.map(lambda entry: f"{name}.{entry}")
            return st.tuples(keys, st.one_of(known, values("1")))
        if name == "sentence":
            return st.tuples(st.just(name), st.one_of(texts(), values(now)))
        if isinstance(now, str):
            return st.tuples(st.just(name), st.one_of(known, values(now)))
        return st.tuples(st.just(name), values(now))

    keys = st.sampled_from([*state, *state, *PROTOTYPE, "", "x.y.z"])
    pairs = st.lists(keys.flatmap(pair), min_size=1, max_size=6)
    queries = st.one_of(
        pairs.map(urlencode),
        pairs.map(lambda all_: "&".join(f"{k}={v}" for k, v in all_)),
        st.sampled_from(BROKEN).flatmap(
            lambda bad: pairs.map(lambda all_: f"{urlencode(all_)}&{bad}")
        ),
    )
    return queries.map(lambda query: f"#attn:{quote(widget.name)}?{query}")


def briefly(test):
    """Draw a few rounds; a page that crashed can't shrink what did it."""
    phases = (Phase.explicit, Phase.generate)
    return settings(max_examples=ROUNDS, phases=phases)(test)


@pytest.fixture
def watched(widget_page):
    """Mount a widget; note dialogs that a script would open."""
    pages = []

    def mount(widget):
        page = widget_page(widget)
        page.dialogs = []
        page.on("dialog", lambda dialog: page.dialogs.append(dialog.message))
        if isinstance(widget, widgets.TypeASentence):
            assert page.evaluate(READY)
        pages.append(page)
        return page

    yield mount
    assert not any(page.dialogs for page in pages)


@pytest.mark.parametrize("make", MAKERS)
def test_no_link_breaks_a_widget(watched, make):
    widget = make()
    page = watched(widget)
    # A sentence may hold the word NaN.
    spoken = not isinstance(widget, widgets.TypeASentence)

    @briefly
    @given(st.lists(links(widget), min_size=LINKS, max_size=LINKS))
    def follow(all_links):
        found = page.evaluate(FOLLOW, [widget._tag, all_links, spoken])
        assert found == []
        assert page.log.errors == []

    follow()


def test_no_sentence_breaks_the_page(watched):
    page = watched(widgets.TypeASentence())
    page.get_by_text("Attention of every word").click()

    @briefly
    @given(st.lists(texts(), min_size=SENTENCES, max_size=SENTENCES))
    def write(sentences):
        assert page.evaluate(TYPE, sentences) is None
        assert page.log.errors == []

    write()
