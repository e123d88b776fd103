"""KVCacheMeter in the browser."""

import pytest
from browsing import axe_faults, settle, slide, take

from attn_course.widgets import KVCacheMeter


def facts(page):
    names = page.locator("dt").all_inner_texts()
    values = page.locator("dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def output(page, control):
    """Find what a slider says."""
    return page.locator(f"label:has([data-control={control}]) output")


def size(words):
    """Read what a size in words says, in bytes."""
    number, unit = words.split()[:2]
    return float(number) * {"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}[unit]


def test_the_page_says_what_the_python_twin_says(widget_page):
    meter = KVCacheMeter()
    page = widget_page(meter)
    for model, bits in (("LLaMA 65B", 16), ("DeepSeek-V3", 8)):
        page.locator("[data-control=model]").select_option(model)
        page.locator("[data-control=bits]").select_option(str(bits))
        slide(page, "length", 180)
        slide(page, "batch", 100)
        settle(page)
        tokens, texts = (
            int(output(page, name).inner_text().replace(",", ""))
            for name in ("length", "batch")
        )
        meter.set_trait("model", model)
        meter.length, meter.batch, meter.bits = tokens, texts, bits
        shown = facts(page)
        assert size(shown["cache"]) == pytest.approx(meter.memory, rel=5e-3)
        meter.kv_heads = 1
        one = size(shown["one for all heads"])
        assert one == pytest.approx(meter.memory, rel=5e-3)
        meter.kv_heads = 0
    assert "latent attention" in shown["formula"]
    assert shown["shape from"] == "Deepseek 2024, section 4.2"


def test_sharing_heads_changes_memory_and_another_model_forgets_it(
    widget_page,
):
    page = widget_page(KVCacheMeter(model="Llama 3 8B", length=1000))
    assert (
        "8 for 32 heads, as published" in output(page, "kv_heads").inner_text()
    )
    before = size(facts(page)["cache"])
    slide(page, "kv_heads", 5)
    settle(page)
    assert output(page, "kv_heads").inner_text() == "32 for 32 heads"
    after = size(facts(page)["cache"])
    assert after == pytest.approx(4 * before, rel=1e-2)
    page.locator("[data-control=model]").select_option("Mistral 7B")
    settle(page)
    assert "as published" in output(page, "kv_heads").inner_text()


def test_generating_adds_tokens_up_to_the_most(widget_page):
    page = widget_page(KVCacheMeter(length=130_000))
    generate = page.get_by_role("button", name="Generate 1,000 tokens")
    generate.click()
    settle(page)
    assert output(page, "length").inner_text() == "131,000"
    assert "131,000 tokens" in page.locator(".status").inner_text()
    generate.click()
    settle(page)
    assert output(page, "length").inner_text() == "131,072"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_has_no_fault(widget_page, width, scheme):
    page = widget_page(KVCacheMeter(), width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    rules = {fault["id"] for fault in axe_faults(page)}
    # A bare page has no landmarks and no heading.
    assert rules <= {"landmark-one-main", "page-has-heading-one", "region"}


def test_pictures_and_numbers_can_be_taken(widget_page):
    page = widget_page(KVCacheMeter(["Llama 3 8B"], length=1000))
    assert take(page, "PNG").startswith(b"\x89PNG")
    assert b"each head its own" in take(page, "SVG")
    assert b"131072000" in take(page, "CSV")


def test_bad_data_is_told_in_place(widget_page):
    page = widget_page('<attn-kv-cache data-state="{}"></attn-kv-cache>')
    told = page.locator(".problem").inner_text()
    assert "expected the shapes of models" in told
