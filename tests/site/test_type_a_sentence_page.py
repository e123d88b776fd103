"""TypeASentence in the browser: answers, unknown words, link, hostile text."""

import pytest
from browsing import axe_faults, settle, take

from attn_course.nn.encoder import Transformer
from attn_course.tasks import pronouns
from attn_course.tasks.pronouns.reader import Reader
from attn_course.widgets import TypeASentence
from attn_course.widgets.type_a_sentence import CAT, EXAMPLES

PAIRS = (
    "The king saw the girls but they slept, so he left.",
    "After she called him, the duchess thanked the old waiter",
    "the sister slept because ___ was tired",
)


def ready(page):
    """Wait until the weights are there."""
    there = page.evaluate(
        """(async () => {
          const root = document.querySelector("attn-sentence")
            .firstElementChild.shadowRoot;
          for (let i = 0; i < 1500; i++) {
            const { textContent } = root.querySelector(".message");
            if (textContent !== "The model is loading …") return true;
            await new Promise((go) => setTimeout(go, 10));
          }
          return false;
        })()"""
    )
    assert there
    settle(page)
    return page


def write(page, sentence):
    page.get_by_label("Your sentence").fill(sentence)
    settle(page)
    # Half a word waits for its other half.
    page.locator(".look.old").wait_for(state="detached")


def tables(page):
    """Give what each pronoun means: its caption, then word and percent."""
    found = []
    for table in page.locator(".answers table").all():
        names = table.locator("th").all_inner_texts()
        shares = table.locator("td:last-child").all_inner_texts()
        caption = table.locator("caption").inner_text()
        found.append((caption, dict(zip(names, shares, strict=True))))
    return found


def message(page):
    return page.locator(".message").inner_text()


def percent(text):
    return 0.0 if text.startswith("<") else float(text.split()[0]) / 100


@pytest.mark.parametrize("sentence", PAIRS)
def test_the_page_answers_as_python_does(widget_page, sentence):
    page = ready(widget_page(TypeASentence()))
    write(page, sentence)
    twin = TypeASentence(sentence=sentence)
    shown = tables(page)
    assert len(shown) == len(twin.answers) > 0
    for (caption, shares), answer in zip(shown, twin.answers, strict=True):
        assert f"(word {answer.place + 1})" in caption
        likely = list(answer.chances)[:3]
        assert next(iter(shares)) == likely[0]
        assert set(likely) <= set(shares)
        nouns = {n.text for n in pronouns.NOUNS} & set(twin.words)
        assert nouns <= set(shares)
        for word, share in shares.items():
            near = pytest.approx(answer.chances[word], abs=1.01e-3)
            assert percent(share) == near


def test_the_map_and_the_arcs_are_those_of_python(widget_page):
    page = ready(widget_page(TypeASentence()))
    twin = TypeASentence()
    page.get_by_text("Attention of every word").click()
    page.locator("details .grid").wait_for()
    for layer, head in ((1, 1), (2, 3)):
        for name, value in (("layer", layer), ("head", head)):
            page.locator(f"[data-control={name}]").select_option(str(value))
        settle(page)
        weights = twin.weights[layer - 1, head - 1]
        label = page.locator(".words svg").get_attribute("aria-label")
        best = twin.words[weights[7].argmax()]
        assert label.startswith(f"“it” looks most at {best} ")
        numbers = page.locator(".words svg text[font-size='12']")
        shown = [float(x) for x in numbers.all_text_contents()]
        assert shown == pytest.approx(list(weights[7]), abs=0.006)
        nested = page.locator("details .grid")
        if not page.locator(".table td").count():
            page.get_by_text("Table of weights").click()
            settle(page)
        cells = page.locator(".table tbody tr").nth(7).locator("td")
        row = [float(x) for x in cells.all_inner_texts()][:-1]
        assert row == pytest.approx(list(weights[7]), abs=6e-4)
        assert nested.count() == 1
    # The map follows when the reader pauses.
    write(page, "The queen smiled because she was happy.")
    page.locator("details .grid[aria-rowcount='8']").wait_for()
    assert page.locator(".old").count() == 0


def test_unknown_words_are_marked_and_known_ones_offered(widget_page):
    page = ready(widget_page(TypeASentence()))
    page.get_by_role("button", name="unknown words").click()
    settle(page)
    marks = page.locator("mark").all_inner_texts()
    assert marks == ["zebra", "ignored", "teacher", "tyred"]
    assert "“zebra”, “ignored”" in message(page)
    assert tables(page) == []
    assert page.locator(".look").is_hidden()
    lines = page.locator(".unknown li")
    assert lines.count() == 4
    for word in ("bear", "noticed", "father", "tired"):
        write_known(page, word)
    sentence = "The bear noticed the father because she was tired."
    assert page.get_by_label("Your sentence").input_value() == sentence
    assert page.locator("mark").count() == 0 and message(page) == ""
    assert len(tables(page)) == 1


def write_known(page, word):
    """Take a word that is offered; type it where it is not."""
    offer = page.locator(".unknown").get_by_role("button", name=word)
    if offer.count():
        offer.first.click()
    else:
        field = page.get_by_label("Your sentence")
        write(page, field.input_value().replace("ignored", word))
    settle(page)


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("  ", "Type a sentence"),
        ("The cat sat.", "no pronoun"),
        ("the cat " * 13, "24 words at most"),
    ],
)
def test_what_stands_in_the_way_is_told(widget_page, sentence, said):
    page = ready(widget_page(TypeASentence()))
    write(page, sentence)
    assert said in message(page)
    assert tables(page) == []
    page.get_by_role("button", name="PNG").click()
    settle(page)
    refused = "There is no answer yet." in page.locator(".status").inner_text()
    # Without a pronoun the sentence can still be drawn.
    assert refused == (said != "no pronoun")


def test_hostile_text_stays_text(widget_page):
    page = ready(widget_page(TypeASentence()))
    hostile = "<img src=x onerror=alert(1)> \"'><script>alert(2)</script> it"
    dialogs = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    write(page, hostile)
    assert page.locator(".marked").inner_text().startswith("<img src")
    assert page.locator("attn-sentence img, attn-sentence script").count() == 0
    page.get_by_label("Your sentence").fill("a" * 400)
    settle(page)
    value = page.get_by_label("Your sentence").input_value()
    assert len(value) == 300
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert dialogs == []


def test_a_link_restores_sentence_and_head(widget_page):
    page = ready(widget_page(TypeASentence()))
    page.locator("[data-control=layer]").select_option("2")
    write(page, "The Queen saw & heard <the king> since she was ill; 50% é")
    before = page.locator(".marked").inner_text()
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_label("Link to this state").input_value()
    page.goto("about:blank")
    page.goto(link)
    ready(page)
    assert page.locator(".marked").inner_text() == before
    assert page.locator("[data-control=layer]").input_value() == "2"
    page.goto("about:blank")
    long = "x" * 301
    page.goto(link.split("?")[0] + f"?sentence={long}&layer=9&head=<b>&z=1")
    ready(page)
    assert "left out" in page.locator(".status").last.inner_text()
    assert page.get_by_label("Your sentence").input_value() == CAT


def test_the_keyboard_is_enough(widget_page):
    page = ready(widget_page(TypeASentence()))
    page.get_by_label("Your sentence").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("The man slept because the girl helped him")
    settle(page)
    assert next(iter(tables(page)[0][1])) == "man"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    settle(page)
    value = page.get_by_label("Your sentence").input_value()
    assert value == next(iter(EXAMPLES.values()))
    page.locator("summary").last.press("Enter")
    settle(page)
    assert "feminine nouns (32): queen," in page.locator(".lists").inner_text()


def test_it_loads_the_weights_once_and_only_in_view(widget_page):
    page = widget_page(
        "<p style='height: 4000px'>far above</p>",
        TypeASentence(),
        TypeASentence(name="second"),
    )

    def scripts():
        return [u for u in page.log.requests if "attn-assets" in u]

    page.wait_for_timeout(300)
    assert scripts() == []
    first = page.locator("attn-sentence").first
    assert first.locator(".message").inner_text() == "The model is loading …"
    first.scroll_into_view_if_needed()
    ready(page)
    second = page.locator("attn-sentence").last
    second.scroll_into_view_if_needed()
    second.locator(".answers table").wait_for()
    names = [url.rsplit("/", 1)[1] for url in scripts()]
    assert names == ["pronouns.safetensors.js"]


def test_it_works_from_a_file_on_a_phone(widget_page, open_page, tmp_path):
    widget_page(TypeASentence())
    page = open_page((tmp_path / "index.html").as_uri(), width=360)
    ready(page)
    assert next(iter(tables(page)[0][1])) == "cat"
    page.get_by_text("Attention of every word").click()
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.log.foreign == []


def test_weights_that_are_missing_are_told(widget_page):
    html = TypeASentence().html().replace("weights/pronouns", "weights/gone")
    page = widget_page(html)
    ready(page)
    assert message(page) == (
        "The model could not be loaded: "
        "weights/gone.safetensors could not be loaded."
    )
    page.log.errors.clear()  # the browser's own: 404


def test_a_model_of_ones_own_travels_inside(widget_page):
    words = ["it", "cat", "sat", "the", "so"]
    model = Transformer(5, layers=1, d_model=8, heads=2, d_ff=8, seed=0)
    own = TypeASentence(model, words, sentence="the cat sat so it sat")
    page = ready(widget_page(own))
    ((_, shares),) = tables(page)
    for word, share in shares.items():
        chance = own.answers[0].chances[word]
        assert percent(share) == pytest.approx(chance, abs=1.01e-3)
    assert [u for u in page.log.requests if "attn-assets" in u] == []
    assert page.locator("[data-control=head] option").count() == 2


def test_without_scripts_a_worked_sentence_stands_there():
    html = TypeASentence(Reader(seed=0)).html()
    assert "<table><caption>" in TypeASentence().html()
    assert "<table><caption>" in html and "it (word 8)" in html


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(widget_page, scheme):
    page = widget_page(
        "<main><h1>test</h1>", TypeASentence(), "</main>",
        scheme=scheme, width=360,
    )  # fmt: skip
    ready(page)
    page.get_by_role("button", name="two pronouns").click()
    page.get_by_text("Attention of every word").click()
    page.locator("summary").last.click()
    page.locator("details .grid").wait_for()
    for label in (None, "unknown words"):
        if label:
            page.get_by_role("button", name=label).click()
            settle(page)
        assert [fault["id"] for fault in axe_faults(page)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("kind", ["PNG", "SVG", "CSV"])
def test_the_picture_can_be_taken_away(widget_page, kind):
    page = ready(widget_page(TypeASentence()))
    content = take(page, kind)
    start = {"PNG": b"\x89PNG", "SVG": b"<svg", "CSV": b'"'}[kind]
    assert content.startswith(start)
    if kind == "CSV":
        assert b'"it",8,"cat",0.9' in content and b'"it",1,1,"mat"' in content
    elif kind == "SVG":
        assert b"The cat sat on the mat" in content and b"cat 9" in content


@pytest.mark.parametrize(
    ("source", "said"),
    [("{}", "expected"), ('{"source":{"layers":2}}', "expected heads")],
)
def test_bad_data_says_so_in_place(widget_page, source, said):
    page = widget_page(
        f"<attn-sentence data-state='{source}'></attn-sentence>"
    )
    text = page.locator("[role=alert]").inner_text()
    assert "This sentence can't be drawn" in text and said in text


def test_half_a_word_waits_and_nothing_jumps(widget_page):
    page = ready(widget_page(TypeASentence(), folded=True))
    card = page.locator(".attn").first
    high = card.bounding_box()["height"]
    field = page.get_by_label("Your sentence")
    field.fill("The cat sat on the ma")
    settle(page)
    assert message(page) == "" and page.locator("mark").count() == 0
    assert card.bounding_box()["height"] == high
    page.locator(".look.old").wait_for(state="detached")
    assert page.locator("mark").inner_text() == "ma"
    assert card.bounding_box()["height"] == pytest.approx(high, abs=1)
    write(page, "The cat sat on the mat because it was tired.")
    assert page.locator(".look").is_visible()
