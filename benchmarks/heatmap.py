"""AttentionHeatmap beside BertViz and `interact` with matplotlib, in one run.

    python benchmarks/heatmap.py

Weight and loading: the same 12 x 12 heads over 32 tokens, as one page each,
opened from a folder. A change: one 64 x 64 map in JupyterLab, its
temperature set 30 times. The numbers are of this machine and this run;
the ratios are what to read. Needs Chromium and, for BertViz's own
libraries, npm once.
"""

import gzip
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import course  # noqa: E402

from attn_course.site.mounting import scripts_for  # noqa: E402
from attn_course.widgets import AttentionHeatmap  # noqa: E402
from attn_course.widgets.base import STATIC  # noqa: E402

TOKENS = [f"token{i}" for i in range(32)]
LOADS, CHANGES = 7, 30
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip


def attention_maps(layers=12, heads=12, n=32):
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (layers, heads, n, n))
    exps = np.exp(scores)
    return scores, exps / exps.sum(-1, keepdims=True)


def page(body, head=""):
    return ("<!doctype html><meta charset=utf-8><link rel=icon href='data:,'>"
            f"{head}<body>{body}")  # fmt: skip


def with_scripts(body):
    """Add the scripts of the site that the elements of a page need."""
    texts = [(STATIC / name).read_text("utf-8") for name in scripts_for(body)]
    return body + "".join(f"<script>{text}</script>" for text in texts)


def our_page(scores):
    widget = AttentionHeatmap(
        TOKENS, scores=scores, d_k=64, axes={"layer": 12, "head": 12},
        step=1 / 128,
    )  # fmt: skip
    return page(with_scripts(widget.html()))


def bertviz_page(weights, view, libraries):
    import bertviz
    import torch

    layers = [torch.tensor(w[None]) for w in weights]
    html = getattr(bertviz, view)(layers, TOKENS, html_action="return").data
    # Its own tag asks a CDN for require.js; give it local libraries instead.
    html = html[html.index("<", html.index("require.min.js")) :]
    html = html.removeprefix("</script>")
    scripts = "".join(f"<script>{text}</script>" for text in libraries)
    bind = ("<script>define('d3', [], () => window.d3);"
            "define('jquery', [], () => window.jQuery);</script>")  # fmt: skip
    return page(html, scripts + bind)


def bertviz_libraries(folder):
    names = ("d3@5", "jquery@3", "requirejs@2")
    subprocess.run(
        [*map(str, course.npm("install", "--silent", "--prefix", folder)),
         *names],
        env={**os.environ, **course.node_env()}, check=True,
    )  # fmt: skip
    files = ("d3/dist/d3.min.js", "jquery/dist/jquery.min.js",
             "requirejs/require.js")  # fmt: skip
    return [
        (folder / "node_modules" / file)
        .read_text("utf-8")
        .replace("</", "<\\/")
        for file in files
    ]


def load(browser, path, ready):
    times = []
    for _ in range(LOADS):
        tab = browser.new_page()
        start = time.perf_counter()
        tab.goto(path.as_uri())
        tab.wait_for_function(ready)
        times.append(1000 * (time.perf_counter() - start))
        tab.close()
    return statistics.median(times)


def weigh_and_load(browser, folder):
    scores, weights = attention_maps()
    libraries = bertviz_libraries(folder / "npm")
    pages = {
        "ours": (
            our_page(scores),
            "document.querySelector('attn-heatmap')?.handle != null",
        ),
        "BertViz head_view": (
            bertviz_page(weights, "head_view", libraries),
            "document.querySelectorAll('svg line').length > 0",
        ),
        "BertViz model_view": (
            bertviz_page(weights, "model_view", libraries),
            "document.querySelectorAll('svg line').length > 100",
        ),
    }
    rows = []
    for name, (text, ready) in pages.items():
        path = folder / f"{name.replace(' ', '-')}.html"
        path.write_text(text, "utf-8")
        raw = text.encode()
        rows.append((name, len(raw) / 1000, len(gzip.compress(raw)) / 1000,
                     load(browser, path, ready)))  # fmt: skip
    return rows


SETUP = """
import numpy as np
from attn_course.widgets import AttentionHeatmap
scores = np.random.default_rng(0).normal(0, 8, (64, 64))
AttentionHeatmap([f"t{i}" for i in range(64)], scores=scores, d_k=64)
"""
INTERACT = """
import matplotlib.pyplot as plt
from ipywidgets import FloatText, interact
@interact(tau=FloatText(value=1.0))
def draw(tau):
    logits = scores / 8 / tau
    exps = np.exp(logits - logits.max(-1, keepdims=True))
    plt.imshow(exps / exps.sum(-1, keepdims=True), cmap="cividis")
    plt.show()
"""

# Milliseconds from each change to the frame after it shows.
TIME_OURS = """async (changes) => {
  const host = [...document.querySelectorAll('.jp-OutputArea-output div')]
    .find((d) => d.shadowRoot);
  const slider = host.shadowRoot.querySelector('[data-control=temperature]');
  const times = [];
  for (let i = 0; i < changes; i++) {
    const start = performance.now();
    slider.value = 20 + 4 * i;
    slider.dispatchEvent(new Event('input'));
    await new Promise((go) => requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = go;
      channel.port2.postMessage(null);
    }));
    times.push(performance.now() - start);
    await new Promise((go) => setTimeout(go, 50));
  }
  return times;
}"""
TIME_INTERACT = """async (changes) => {
  const cell = document.querySelectorAll('.jp-Cell')[1];
  const input = cell.querySelector('input');
  const times = [];
  for (let i = 0; i < changes; i++) {
    const before = cell.querySelector('img').src;
    const start = performance.now();
    const painted = new Promise((go) => {
      const observer = new MutationObserver(() => {
        const image = cell.querySelector('img');
        if (!image || image.src === before) return;
        observer.disconnect();
        image.decode().then(() => requestAnimationFrame(go));
      });
      observer.observe(cell, {subtree: true, childList: true,
                              attributes: true});
    });
    input.value = 0.5 + 0.1 * i;
    for (const kind of ['input', 'change'])
      input.dispatchEvent(new Event(kind, {bubbles: true}));
    await painted;
    times.push(performance.now() - start);
    await new Promise((go) => setTimeout(go, 50));
  }
  return times;
}"""


def changes_in_lab(browser, folder):
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [],
         "execution_count": None, "source": source.strip()}
        for i, source in enumerate((SETUP, INTERACT))
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3",
              "language": "python"}  # fmt: skip
    (folder / "bench.ipynb").write_text(json.dumps(
        {"cells": cells, "metadata": {"kernelspec": kernel},
         "nbformat": 4, "nbformat_minor": 5}))  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", "--no-browser",
         "--allow-root", f"--ServerApp.port={port}",
         "--IdentityProvider.token=t", f"--ServerApp.root_dir={folder}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        base = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{base}/api?token=t").close()
                break
            except OSError:
                time.sleep(0.2)
        tab = browser.new_page()
        tab.goto(f"{base}/lab/tree/bench.ipynb?token=t")
        tab.wait_for_timeout(8_000)
        for index, ready in ((0, ".grid"), (1, ".jp-Cell img")):
            tab.locator(".jp-Cell .jp-InputPrompt").nth(index).click()
            tab.keyboard.press("Control+Enter")
            tab.locator(ready).first.wait_for(timeout=60_000)
        return (tab.evaluate(TIME_OURS, CHANGES),
                tab.evaluate(TIME_INTERACT, CHANGES))  # fmt: skip
    finally:
        server.terminate()
        server.wait()


# The work of one change alone, and event to painted, for larger maps.
TIME_WORK = """async (changes) => {
  const {handle} = document.querySelector('attn-heatmap');
  const times = [];
  for (let i = 0; i < changes; i++) {
    const start = performance.now();
    handle.update({temperature: 0.5 + 0.02 * i});
    handle.flush();
    times.push(performance.now() - start);
    await new Promise((go) => requestAnimationFrame(go));
  }
  return times;
}"""


def work_of_a_change(browser, folder, n):
    rng = np.random.default_rng(0)
    widget = AttentionHeatmap(
        [f"t{i}" for i in range(n)], d_k=64,
        scores=rng.normal(0, 8, (n, n)), cell=[n - 1, 0],
    )  # fmt: skip
    path = folder / f"work-{n}.html"
    path.write_text(page(with_scripts(widget.html())), "utf-8")
    tab = browser.new_page()
    tab.goto(path.as_uri())
    tab.wait_for_function(
        "document.querySelector('attn-heatmap')?.handle != null"
    )
    tab.evaluate(TIME_WORK, 10)
    times = tab.evaluate(TIME_WORK, 100)
    tab.close()
    return times


def at(times, share):
    return float(np.quantile(times, share))


def main():
    folder = Path(tempfile.mkdtemp(prefix="attn-bench-"))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=course.find_browser(), args=FLAGS
            )
            rows = weigh_and_load(browser, folder)
            print("12 x 12 heads, 32 tokens: raw kB, gzip kB, loaded in ms "
                  f"(median of {LOADS}); ratios to ours")  # fmt: skip
            ours = rows[0]
            for name, *numbers in rows:
                shown = "  ".join(
                    f"{x:8.0f} ({x / y:5.1f}x)"
                    for x, y in zip(numbers, ours[1:], strict=True)
                )
                print(f"  {name:20s}{shown}")
            mine, interact = changes_in_lab(browser, folder)
            print("64 x 64 in JupyterLab, event to painted, ms: median, p95")
            for name, times in (("ours", mine), ("interact", interact)):
                ratio = at(times, 0.5) / at(mine, 0.5)
                print(f"  {name:20s}{at(times, 0.5):8.1f}"
                      f"{at(times, 0.95):8.1f}  ({ratio:.1f}x)")  # fmt: skip
            print("Work of one change in the page, ms: median, p95")
            small = work_of_a_change(browser, folder, 64)
            for n in (64, 512):
                times = small if n == 64 else work_of_a_change(
                    browser, folder, n)  # fmt: skip
                ratio = at(times, 0.5) / at(small, 0.5)
                print(f"  {n:3d} x {n:<14d}{at(times, 0.5):8.2f}"
                      f"{at(times, 0.95):8.2f}  ({ratio:.1f}x)")  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
