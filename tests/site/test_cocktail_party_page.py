"""CocktailParty in the browser: sound, weights, keyboard, link, files."""

import re
import wave

import numpy as np
import pytest
from browsing import axe_faults, settle, slide, write_bare_page

from attn_course.widgets import CocktailParty

PARTY = "document.querySelector('attn-cocktail').firstElementChild.shadowRoot"
INSIDE = f"{PARTY}.querySelector('.party')"


def until(page, condition):
    """Wait in the page: its policy forbids Playwright's own way."""
    met = page.evaluate(
        f"""(async () => {{
          for (let i = 0; i < 1000; i++) {{
            if ({condition}) return true;
            await new Promise((go) => setTimeout(go, 10));
          }}
          return false;
        }})()"""
    )
    assert met, condition


def wait(page):
    """Wait until the last change is drawn and heard."""
    settle(page)  # the change reaches the pipeline
    until(page, f"{INSIDE}?.pipeline.results.gains && {INSIDE}.pipeline.idle")
    settle(page)  # and its results the page


def numbers(page):
    """Give the numbers that the widget shows: percent, then decibels."""
    text = " ".join(page.locator("dd").all_inner_texts())
    found = re.findall(r"[−\d.]+", text)
    return [float(x.replace("−", "-")) for x in found]


def loudness(page):
    """Give the root mean square of what plays, 0 for nothing."""
    return page.evaluate(
        f"""(() => {{
          const sound = {INSIDE}.player.sound;
          if (!sound) return 0;
          const x = sound.getChannelData(0);
          const energy = x.reduce((sum, one) => sum + one * one, 0);
          return Math.sqrt(energy / x.length);
        }})()"""
    )


def cells(page):
    """Give the pixels of the weights."""
    return page.evaluate(f"{PARTY}.querySelectorAll('canvas')[1].toDataURL()")


def turn(page, control, value):
    slide(page, control, value)
    wait(page)


def test_the_page_computes_what_python_does(widget_page):
    party = CocktailParty(attending=True, angle=30)
    page = widget_page(party)
    wait(page)
    expected = [x for pair in party.measures().values() for x in pair]
    np.testing.assert_allclose(numbers(page)[1:], expected, atol=0.06)
    assert 10 < numbers(page)[0] < 60


def test_nothing_plays_by_itself_and_a_press_plays(widget_page):
    page = widget_page(CocktailParty())
    wait(page)
    assert page.evaluate(f"{INSIDE}.player.state") == "none"
    assert loudness(page) == 0
    button = page.get_by_role("button", name="Play")
    button.click()
    until(page, f"{INSIDE}.player.playing")
    assert page.evaluate(f"{INSIDE}.player.state") == "running"
    assert 0.04 < loudness(page) < 0.2
    until(page, f"{INSIDE}.player.position > 0.1")
    assert page.locator(".needle").first.is_visible()
    page.get_by_role("button", name="Pause").click()
    until(page, f"!{INSIDE}.player.playing")


def test_turning_attention_changes_weights_and_sound(widget_page):
    page = widget_page(CocktailParty())
    wait(page)
    page.get_by_role("button", name="Play").click()
    until(page, f"{INSIDE}.player.playing")
    before, everything = loudness(page), cells(page)
    turn(page, "angle", 30)
    assert page.locator("[data-control=attending]").is_checked()
    attended = cells(page)
    assert attended != everything
    assert 0.3 * before < loudness(page) < 0.9 * before
    turn(page, "angle", 90)  # nobody speaks from there
    assert cells(page) != attended
    assert loudness(page) < 0.3 * before
    page.locator("[data-control=attending]").set_checked(False)
    wait(page)
    assert loudness(page) == pytest.approx(before, rel=1e-3)


def test_the_sound_goes_over_without_a_click(widget_page):
    page = widget_page(CocktailParty())
    wait(page)
    page.get_by_role("button", name="Play").click()
    until(page, f"{INSIDE}.player.position > 0.3")
    before = page.evaluate(f"{INSIDE}.player.position")
    turn(page, "angle", -40)
    after = page.evaluate(f"{INSIDE}.player.position")
    # The new sound goes on where the old one was: no jump to the start.
    assert before < after < before + 2


def test_temperature_and_the_voices_places_change_the_numbers(widget_page):
    page = widget_page(CocktailParty(attending=True, angle=30))
    wait(page)
    first = numbers(page)
    turn(page, "temperature", 200)
    warm = numbers(page)
    assert warm[4] < first[4] - 1  # voice B is less clear of the rest
    turn(page, "temperature", 70)
    turn(page, "first", 30)  # both voices in one direction
    assert numbers(page)[4] < 4


def test_a_picked_mixture_moves_the_voices(widget_page):
    page = widget_page(CocktailParty())
    wait(page)
    page.locator("[data-control=mixture]").select_option("two low voices")
    wait(page)
    assert "ight of spades" in page.locator(".captions").inner_text()
    outputs = page.locator("output").all_inner_texts()
    assert outputs[-2:] == ["45° right", "25° left"]


def test_arrow_keys_and_the_mouse_turn_the_beam(widget_page):
    page = widget_page(CocktailParty())
    wait(page)
    handle = page.locator("[data-handle=angle]")
    handle.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    wait(page)
    assert handle.get_attribute("aria-valuetext") == "15° right"
    box = handle.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 150, middle[1] + 60, steps=8)
    page.mouse.up()
    wait(page)
    assert handle.get_attribute("aria-valuetext").endswith("left")
    voice = page.locator("[data-handle=first]")
    voice.focus()
    page.keyboard.press("PageUp")
    wait(page)
    assert voice.get_attribute("aria-valuenow") == "-25"


def test_a_link_restores_direction_and_temperature(widget_page):
    page = widget_page(CocktailParty())
    wait(page)
    turn(page, "angle", -40)
    turn(page, "temperature", 120)
    before = numbers(page), cells(page)
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_label("Link to this state").input_value()
    assert "attending=true" in link
    page.goto("about:blank")
    page.goto(link)
    wait(page)
    assert (numbers(page), cells(page)) == before


def test_it_works_from_a_file_and_asks_no_other_host(tmp_path, open_page):
    party = CocktailParty(attending=True, angle=-40)
    page = open_page(write_bare_page(tmp_path, party.html()).as_uri())
    wait(page)
    page.get_by_role("button", name="Play").click()
    until(page, f"{INSIDE}.player.playing")
    assert loudness(page) > 0.02
    assert page.log.foreign == []


def test_sounds_wait_until_the_widget_is_in_view(widget_page):
    page = widget_page("<div style='height: 4000px'></div>", CocktailParty())
    page.wait_for_timeout(300)
    assert not [url for url in page.log.requests if "attn-assets" in url]
    page.locator("attn-cocktail").scroll_into_view_if_needed()
    wait(page)
    loaded = [url for url in page.log.requests if "attn-assets" in url]
    assert len(loaded) == 2  # the two voices of the first mixture


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_a_phone_is_wide_enough(widget_page, scheme):
    page = widget_page(
        "<main><h1>test</h1>", CocktailParty(), "</main>",
        scheme=scheme, width=360,
    )  # fmt: skip
    wait(page)
    assert [fault["id"] for fault in axe_faults(page)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("kind", ["WAV", "PNG", "SVG", "CSV"])
def test_sound_and_picture_can_be_taken_away(widget_page, kind):
    page = widget_page(CocktailParty(attending=True, angle=30))
    wait(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name=kind).click()
    path = waiting.value.path()
    content = path.read_bytes()
    start = {"PNG": b"\x89PNG", "SVG": b"<svg", "CSV": b'"', "WAV": b"RIFF"}
    assert content.startswith(start[kind]) and len(content) > 1000
    if kind == "WAV":
        with wave.open(str(path)) as file:
            assert file.getparams()[:4] == (2, 2, 16_000, 51_200)
            samples = np.frombuffer(file.readframes(51_200), "<i2") / 32768
        assert 0.02 < np.sqrt((samples**2).mean()) < 0.2
        assert np.abs(samples).max() <= 0.91


def test_bad_data_says_so_in_place(widget_page):
    page = widget_page("<attn-cocktail data-state='{}'></attn-cocktail>")
    assert "expected voices" in page.locator("[role=alert]").inner_text()


def test_a_sound_that_is_missing_says_so_in_place(widget_page):
    html = CocktailParty().html().replace("gregson.wav", "nobody.wav")
    page = widget_page(html)
    until(
        page,
        f"{PARTY}.querySelector('.status').textContent.includes('No voices')",
    )
    status = page.locator(".status").inner_text()
    assert "sounds/nobody.wav could not be loaded" in status
    page.log.errors.clear()  # the browser reports the missing file too


def test_without_web_audio_the_pictures_follow(widget_page):
    page = widget_page(CocktailParty())
    page.add_init_script("delete window.AudioContext")
    page.reload()
    wait(page)
    assert page.get_by_role("button", name="Play").is_disabled()
    assert "Web Audio is missing" in page.locator(".hint").inner_text()
    turn(page, "angle", 30)
    assert numbers(page)[4] > numbers(page)[3]
