"""The widgets in the real JupyterLab and Notebook 7, keys included."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import TimeoutError

from attn_course import widgets

CELLS = [
    """
import ipywidgets
from attn_course.widgets import AttentionHeatmap

heard = []
w = AttentionHeatmap.from_recording(
    "minilm-cat", selection={"layer": 4, "head": 2}, cell=[8, 2]
)
w.observe(lambda change: heard.append(change.new), "temperature")
w
""",
    "w.temperature = 0.5",
    "print('HEARD', len(heard), round(heard[-1], 2), w.cell, w.locked)",
    """
dial = ipywidgets.FloatText(value=1.0)
ipywidgets.jslink((dial, "value"), (w, "temperature"))
dial
""",
    "w.cell = [99, 0]",
    """
import numpy as np
from IPython.display import display
from attn_course import widgets

every = [
    widgets.AttentionSteps.from_recording(name="steps"),
    widgets.CocktailParty(name="party"),
    widgets.FlashStepper(name="tiles"),
    widgets.GazeExplorer(["astronaut"], name="gaze"),
    widgets.HeadBrowser.from_recording(models=["MiniLM"], name="heads"),
    widgets.HeadSwitches.from_recording(name="switches"),
    widgets.KVCacheMeter(name="cache"),
    widgets.MaskDesigner(4, name="mask"),
    widgets.QKVPlayground(
        [1, 0], np.eye(2), np.eye(2), tokens=["a", "b"], name="qkv"
    ),
    widgets.RecordedCurves(
        [{"model": m, "seed": 0, "steps": s, "score": [s, 2 * s]}
         for m in "ab" for s in (1, 2)],
        axis=("length", [1, 2]), lines="model", measures={"score": "score"},
        name="curves",
    ),
    widgets.SoftmaxLab(name="softmax"),
    widgets.TypeASentence(name="sentence"),
]
moved = []
for each in every:
    each.observe(lambda c: moved.append(c.owner.name), list(each._reader))
display(*every)
""",
    "print(*sorted(set(moved)), 'OF', *sorted(w.name for w in every))",
]


@pytest.fixture(scope="module", params=["lab", "notebook"])
def client(request, tmp_path_factory):
    """Start a Jupyter server; give the address of a notebook in it."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "work").mkdir()
    notebook = {
        "cells": [
            {
                "cell_type": "code", "id": f"cell{i}", "metadata": {},
                "execution_count": None, "outputs": [],
                "source": source.strip(),
            }
            for i, source in enumerate(CELLS)
        ],
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3", "language": "python",
                "name": "python3",
            }
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    path = folder / "work" / "test.ipynb"
    path.write_text(json.dumps(notebook), "utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = ("CONFIG", "DATA", "RUNTIME")
    log = folder / "log"
    server = subprocess.Popen(
        [
            sys.executable, "-m", "jupyter", request.param, "--no-browser",
            "--allow-root", f"--ServerApp.port={port}",
            "--IdentityProvider.token=test",
            f"--ServerApp.root_dir={folder / 'work'}",
        ],
        env={
            **os.environ,
            # The user's own settings must not decide.
            **{f"JUPYTER_{p}_DIR": str(folder / p.lower()) for p in places},
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        },
        stdout=os.open(log, os.O_CREAT | os.O_WRONLY),
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    view = "lab/tree" if request.param == "lab" else "notebooks"
    try:
        _wait(f"{base}/api?token=test", server, log)
        yield f"{base}/{view}/test.ipynb?token=test", path
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait(address, server, log):
    for _ in range(200):
        try:
            urllib.request.urlopen(address).close()
            return
        except (urllib.error.URLError, ConnectionError):
            assert server.poll() is None, log.read_text()
            time.sleep(0.2)
    raise AssertionError(f"Jupyter did not start: {log.read_text()}")


@pytest.fixture(scope="module")
def page(client, browser):
    """Open the notebook and run its first cell."""
    address, _ = client
    context = browser.new_context(viewport={"width": 1300, "height": 1100})
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(error.stack))
    page.dialogs = []
    page.add_locator_handler(page.locator(".jp-Dialog"), answer)
    page.goto(address)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.locator(
        ".jp-NotebookPanel-toolbar [data-status=idle],"
        ".jp-Notebook-ExecutionIndicator[data-status=idle]"
    ).first.wait_for(state="attached", timeout=60_000)
    # While it opens, Jupyter may replace a cell that was just told to run.
    for _ in range(6):
        run(page, 0)
        with contextlib.suppress(TimeoutError):
            page.locator(".grid").wait_for(timeout=15_000)
            break
    page.locator(".grid").wait_for(timeout=1_000)
    folded = page.locator(".tools [aria-expanded=false]")
    while folded.count():
        folded.first.click()
    yield page
    print(page.errors, page.dialogs)
    # Jupyter complains of itself; anywidget runs our module from a blob.
    assert [stack for stack in page.errors if "blob:" in stack] == []
    context.close()


def answer(dialog):
    """Accept what Jupyter asks on a slow machine, such as which kernel.

    A box that stays would swallow every click; its words are printed when a
    test fails.
    """
    page = dialog.page
    page.dialogs.append(dialog.inner_text())
    print("Jupyter asks:", page.dialogs[-1])
    accept = dialog.locator("button.jp-mod-accept").first
    # A click would call this function again.
    accept.dispatch_event("click")


def run(page, index):
    """Run a cell the way a reader does, and stay in command mode."""
    cell = page.locator(".jp-Notebook .jp-Cell").nth(index)
    cell.locator(".jp-InputPrompt").click()
    page.keyboard.press("Control+Enter")


def temperature(page):
    slider = page.locator(
        "label", has=page.locator("[data-control=temperature]")
    )
    return slider.locator("output").first


def picture(page):
    return page.locator(".grid canvas").first.evaluate("c => c.toDataURL()")


def active_cell(page):
    return page.locator(".jp-Notebook .jp-Cell").evaluate_all(
        "cells => cells.findIndex(c => c.classList.contains('jp-mod-active'))"
    )


def printed(page):
    """Run the third cell; give what it prints."""
    output = page.locator(".jp-Cell").nth(2).locator(".jp-OutputArea-output")
    before = output.all_inner_texts()
    run(page, 2)
    for _ in range(100):
        page.wait_for_timeout(100)
        texts = output.all_inner_texts()
        if texts and texts != before:
            break
    return output.inner_text().split()


def test_a_trait_set_in_python_moves_the_picture(page):
    before = picture(page)
    run(page, 1)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-OutputArea-output div')]"
        ".some(d => [...(d.shadowRoot?.querySelectorAll('output') ?? [])]"
        ".some(output => output.textContent === '0.50'))"
    )
    page.wait_for_timeout(100)
    assert picture(page) != before


def test_a_drag_fires_observe(page):
    slider = page.locator(".attn [data-control=temperature]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.35, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, y, steps=5)
    page.mouse.move(box["x"] + box["width"] * 0.9, y, steps=5)
    page.mouse.up()
    shown = float(temperature(page).inner_text())
    assert shown > 3
    words = printed(page)
    assert words[0] == "HEARD" and int(words[1]) >= 3
    assert float(words[2]) == pytest.approx(shown, abs=0.02)


def test_keys_in_command_mode_move_the_cross_hair_only(page):
    page.locator(".grid").scroll_into_view_if_needed()
    page.locator(".grid").click(position={"x": 70, "y": 110})
    start = active_cell(page)
    assert start == 0
    page.locator(".grid").press("Home")
    before = page.locator(".pair bdi").all_inner_texts()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
        page.wait_for_timeout(50)
    after = page.locator(".pair bdi").all_inner_texts()
    assert after != before and after[0] == "[SEP]"
    assert active_cell(page) == start
    count = page.locator(".jp-Notebook .jp-Cell").count()
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert page.locator(".row-name.lock").count() >= 1 or (
        page.get_by_role("button", name="Unlock row").count() == 1
    )
    assert page.locator(".jp-mod-editMode").count() == 0
    assert page.locator(".jp-Notebook .jp-Cell").count() == count == len(CELLS)


def test_control_s_still_saves(page, client):
    _, path = client
    before = path.stat().st_mtime_ns
    page.locator(".grid").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+s")
    for _ in range(100):
        if path.stat().st_mtime_ns != before:
            break
        page.wait_for_timeout(100)
    assert path.stat().st_mtime_ns != before


def test_jslink_ties_a_control_of_ipywidgets(page):
    run(page, 3)
    field = page.locator(".jp-Cell").nth(3).locator("input[type=number]")
    field.wait_for(timeout=30_000)
    field.fill("2.5")
    field.press("Enter")
    page.wait_for_timeout(300)
    assert temperature(page).inner_text() == "2.50"


def test_an_impossible_trait_is_an_error_and_changes_nothing(page):
    pair = page.locator(".pair bdi").all_inner_texts()
    run(page, 4)
    error = page.locator(".jp-Cell").nth(4).locator(".jp-OutputArea-output")
    error.wait_for(timeout=30_000)
    assert "expected cell=[row, column] within [13, 13]" in error.inner_text()
    assert page.locator(".pair bdi").all_inner_texts() == pair


# The first thing that a reader can move, moved; how many there are.
MOVE = """root => {
  const found = ["input[type=checkbox]", "input[type=range]", "select"]
    .flatMap((kind) => [...root.querySelectorAll(`${kind}[data-control]`)])
    .filter((control) => control.options?.length !== 1);
  const [control] = found;
  if (!control) return 0;
  if (control.type === "checkbox") control.click();
  else {
    const before = control.value;
    if (control.options) control.selectedIndex = control.options.length - 1;
    else control.value = before === control.max ? control.min : control.max;
    if (control.value === before) control.selectedIndex = 0;
    control.dispatchEvent(new Event("input", { bubbles: true }));
    control.dispatchEvent(new Event("change", { bubbles: true }));
  }
  return found.length;
}"""


def test_every_widget_shows_and_tells_the_kernel(page):
    run(page, 5)
    cell = page.locator(".jp-Notebook .jp-Cell").nth(5)
    roots = cell.locator(".attn")
    roots.nth(len(widgets.__all__) - 2).wait_for(timeout=60_000)
    # The heatmap has the tests above.
    assert roots.count() == len(widgets.__all__) - 1
    for root in roots.all():
        root.scroll_into_view_if_needed()
        assert root.bounding_box()["height"] > 100
        assert root.evaluate(MOVE) > 0, root.inner_text()
    output = page.locator(".jp-Cell").nth(6).locator(".jp-OutputArea-output")
    # On a busy machine a widget may still be starting: move it again.
    for _ in range(10):
        page.wait_for_timeout(1_000)
        run(page, 6)
        page.wait_for_timeout(1_000)
        output.wait_for(timeout=30_000)
        words = output.inner_text().split()
        place = words.index("OF")
        if words[:place] == words[place + 1 :]:
            break
        for root in roots.all():
            root.evaluate(MOVE)
    assert words[:place] == words[place + 1 :]
    assert len(words[:place]) == len(widgets.__all__) - 1
