"""What the notebooks printed when the site was built: run once, read here."""

import json
import re

import course
import pytest

from attn_course.site.charts import is_chart
from attn_course.site.outputs import reports

SOURCES = sorted((course.ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def executed(request, site_dir):
    """Give a notebook as the last build executed it."""
    path = site_dir.parent / "notebooks" / request.param.name
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def everything(site_dir):
    """Give all executed notebooks and pages by name."""
    return {
        f"{folder}/{path.stem}": json.loads(path.read_text("utf-8"))
        for folder in ("notebooks", "pages")
        for path in sorted((site_dir.parent / folder).glob("*.ipynb"))
    }


def code_cells(notebook):
    return [c for c in notebook["cells"] if c["cell_type"] == "code"]


def outputs(notebook):
    return [o for cell in code_cells(notebook) for o in cell["outputs"]]


def printed(notebook):
    return "".join(
        "".join(o["text"])
        for o in outputs(notebook)
        if o["output_type"] == "stream" and o["name"] == "stdout"
    )


def test_there_are_notebooks():
    assert len(SOURCES) >= 1


def test_every_cell_ran_in_order_without_complaint(executed):
    counts = [cell["execution_count"] for cell in code_cells(executed)]
    assert counts == list(range(1, len(counts) + 1))
    kinds = {(o["output_type"], o.get("name")) for o in outputs(executed)}
    assert not [k for k in kinds if k[0] == "error" or k[1] == "stderr"]


def test_every_output_can_be_shown_without_a_program_of_ours(everything):
    """VS Code, GitHub and nbconvert know text, whatever else there is."""
    unknown = [
        (name, sorted(output["data"]))
        for name, notebook in everything.items()
        for output in outputs(notebook)
        if "data" in output and "text/plain" not in output["data"]
    ]
    assert len(everything) > len(SOURCES) and unknown == []


def test_the_first_cell_says_what_runs(executed):
    text = printed(executed)
    assert re.search(r"attn_course \d+\.\d+\.\d+ · Python 3\.", text)
    assert "GPU" in text


def test_the_last_cell_reports_what_it_cost(executed):
    ((_, report),) = reports(executed, "run")
    assert 0 < report["seconds"] and 20 < report["peak_mb"]
    assert report["threads"] in (None, 1) or report["threads"] >= 2
    print(report)


def test_charts_have_words_and_are_no_pictures(everything):
    """Photographs stand in a chart's HTML; nothing else is a picture."""
    charts = 0
    for name, notebook in everything.items():
        for cell in code_cells(notebook):
            data = [o["data"] for o in cell["outputs"] if "data" in o]
            kinds = {kind for each in data for kind in each}
            assert not {"image/png", "image/jpeg"} & kinds, name
            texts = ["".join(each.get("text/html", "")) for each in data]
            if any(is_chart(text) for text in texts):
                charts += 1
                alt = cell["metadata"]["mystnb"]["image"]["alt"]
                assert len(alt) > 40, name
    assert charts > len(SOURCES)


def test_widgets_come_with_their_html(executed):
    widgets = [
        o["data"]
        for o in outputs(executed)
        if "application/vnd.jupyter.widget-view+json" in o.get("data", {})
    ]
    ours = [d for d in widgets if "attn-" in "".join(d.get("text/html", ""))]
    assert ours and all("data-state" in "".join(d["text/html"]) for d in ours)


def test_cells_fit_a_projector(executed):
    for cell in code_cells(executed):
        lines = "".join(cell["source"]).splitlines()
        longest = max(lines, key=len)
        assert len(lines) <= 16, lines[0]
        assert len(longest) <= 79 or "https://" in longest, longest


def test_chapter_3_runs_the_broken_versions_and_trains_keys(site_dir):
    path = site_dir.parent / "notebooks" / "03-query-key-value.ipynb"
    text = printed(json.loads(path.read_text("utf-8")))
    assert "attention: the course's. Yours is not kept yet." in text
    assert "claim 3.formula: torch difference" in text
    sums = re.search(r"each row sums to \[(.*)\]", text)[1].split()
    assert any(abs(float(x) - 1) > 0.1 for x in sums)
    assert "second call: shape (1, 4)" in text  # values hold one number
    assert "step   0: loss 2.77" in text  # ln 16: all keys look alike
    assert "16 of 16 found" in text
