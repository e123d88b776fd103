"""Time and memory of attention here: what is tried, what is left out."""

import json
import math
import re
import sys

import pytest
import torch

from attn_course import cli
from attn_course.flash import bench, cards
from attn_course.flash.bench import Place, Rates
from attn_course.flash.gpu import Status
from attn_course.functional import attention

# A card that this machine pretends to have, its arrays on the processor.
H100 = Place("cpu", "a card", (9, 0), 80 * 10**9, "bfloat16")
CPU = Place("cpu", "no GPU here", None, 8 * 10**9, "float32")
RATES = Rates(copied=1e12, multiplied=1e14)


@pytest.fixture
def on_a_processor(monkeypatch):
    """Do as if there were no GPU, also where there is one."""
    monkeypatch.setattr(bench, "place", lambda: CPU)


@pytest.fixture
def on_a_card(monkeypatch):
    """Do as if there were a GPU that takes 2 ms for each call."""
    if sys.platform != "linux":
        pytest.skip("Triton is made for Linux")

    def milliseconds(call, device):
        call()
        return 2.0

    monkeypatch.setattr(bench, "place", lambda: H100)
    monkeypatch.setattr(bench, "_milliseconds", milliseconds)
    status = Status("GPU", "a card runs the kernels")
    monkeypatch.setattr(bench, "triton_status", lambda: status)


def test_naive_attention_is_attention():
    q, k, v = torch.randn(3, 1, 2, 9, 4, generator=torch.Generator())
    for causal in (False, True):
        ours = bench.naive(q, k, v, causal=causal)
        torch.testing.assert_close(ours, attention(q, k, v, causal=causal))


@pytest.mark.parametrize("way", ["naive", "SDPA", "NumPy tiles"])
def test_every_way_computes_attention(way):
    q, k, v = torch.randn(3, 1, 2, 70, 16, generator=torch.Generator())
    for causal in (False, True):
        ours = torch.as_tensor(bench.WAYS[way](70, causal, "cpu")(q, k, v))
        theirs = attention(q, k, v, causal=causal)
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_backends_say_what_ran_and_why_others_did_not(on_a_processor):
    rows = {row["backend"]: row for row in bench.backends()}
    for row in rows.values():
        assert row["ran"] == row["expected"] == (row["why"] == "")
    assert rows["FLASH_ATTENTION"]["ran"]
    assert "is for GPUs" in rows["CUDNN_ATTENTION"]["why"]


def test_a_backend_that_should_run_and_does_not_gives_torchs_reason(on_a_card):
    rows = {row["backend"]: row for row in bench.backends()}
    cudnn = rows["CUDNN_ATTENTION"]
    assert (cudnn["expected"], cudnn["ran"]) == (True, False)
    assert cudnn["why"]


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Run the command once, on small sizes."""
    folder = tmp_path_factory.mktemp("bench")
    files = [folder / "found.json", folder / "found.png"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "place", lambda: CPU)
        said = []
        patch.setattr("builtins.print", lambda *a, **k: said.append(*a))
        status = cli.main(
            ["bench", "--quick", "--lengths", "512", "128",
             "--json", str(files[0]), "--plot", str(files[1])]
        )  # fmt: skip
    assert status == 0
    return "\n".join(said), json.loads(files[0].read_text("utf-8")), files[1]


def test_the_command_prints_progress_tables_and_reasons(command):
    said, _, _ = command
    assert said.startswith("no GPU here")
    assert "EFFICIENT_ATTENTION: does not run: is for GPUs" in said
    assert "Triton: skipped, needs a GPU" in said
    assert "flex: skipped, compiles for up to minutes" in said
    assert "Milliseconds\n      n        naive         SDPA" in said
    assert "\n    128 " in said


def test_the_command_writes_numbers_and_a_figure(command):
    _, found, figure = command
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert found["place"]["capability"] is found["rates"] is None
    assert found["versions"]["torch"]
    rows = found["rows"]
    assert [(row["way"], row["n"]) for row in rows] == [
        (way, n) for way in bench.WAYS for n in (128, 512)
    ]
    for row in rows:
        assert (row["ms"] is None) == (row["why"] != "")
    assert {row["way"] for row in rows if row["ms"]} == {
        "naive",
        "SDPA",
        "NumPy tiles",
    }


def test_naive_attention_takes_the_memory_of_its_scores(command):
    _, found, _ = command
    peaks = {row["way"]: row["mb"] for row in found["rows"] if row["n"] == 512}
    if peaks["naive"] is None:
        return  # told on Linux only
    scores = 8 * 512 * 512 * 4 / 1e6
    assert 2 * scores < peaks["naive"] < 6 * scores
    assert peaks["SDPA"] < scores
    assert peaks["NumPy tiles"] < scores


def test_gradients_are_measured_where_there_are_some(on_a_processor):
    rows = bench.compare(
        [64], ways=["SDPA", "NumPy tiles", "flex"], backward=True, say=str
    )
    fused, numpy, flex = rows
    assert fused["ms"] > 0
    assert "NumPy has no autograd" in numpy["why"]
    assert "goes forward only" in flex["why"]


def test_a_card_relates_times_to_its_own_rates(on_a_card):
    [row] = bench.compare([64], ways=["naive"], most=RATES, say=str)
    # 2 ms: half of 4·n²·d operations of 8 heads, four arrays moved once.
    operations = 8 * 4 * 64 * 64 * 64 / 2
    assert row["ms"] == 2.0
    assert row["of_multiplying"] == round(operations / 2e-3 / 1e14, 4)
    assert row["of_copying"] == round(4 * 8 * 64 * 64 * 2 / 2e-3 / 1e12, 4)


def test_what_a_card_refuses_is_a_row_and_not_the_end(on_a_card):
    said = []
    rows = bench.compare(
        [64, 128], ways=["Triton", "naive"], most=RATES, say=said.append
    )
    for row in rows[:2]:
        assert row["ms"] is row["of_copying"] is None
        assert row["why"].startswith("RuntimeError: expected something that")
    assert all(row["ms"] for row in rows[2:])
    assert any("n = 64: skipped, RuntimeError" in line for line in said)


def test_tiles_that_do_not_fit_are_a_row(on_a_card, monkeypatch):
    from triton.runtime.errors import OutOfResources

    def refuse(n, causal, device):
        raise OutOfResources(80_000, 65_536, "shared memory")

    monkeypatch.setitem(bench.WAYS, "Triton", refuse)
    [row] = bench.compare([64], ways=["Triton"], most=RATES, say=str)
    assert row["why"].startswith("OutOfResources: out of resource: shared")


@pytest.mark.parametrize(
    "way, n, place, message",
    [
        ("naive", 8192, CPU, r"free 8\.0 GB: at most n = 5\d\d\d here"),
        ("SDPA", 8192, CPU, "^$"),
        ("naive", 2**20, H100, "over half of the free 80.0 GB"),
        ("NumPy tiles", 64, H100, "does not use the GPU"),
        ("Triton", 64, CPU, "the interpreter's time says nothing"),
        ("flex", 64, CPU, "not in --quick"),
        ("flex", 64, H100, "^$"),
    ],
)
def test_what_is_left_out_and_why(way, n, place, message, monkeypatch):
    why = bench._why_not(way, n, place, backward=False, quick=True)
    assert re.search(message, why)


def test_an_old_card_says_why_triton_is_left_out(monkeypatch):
    old = Status("none", cards.triton_obstacle((6, 0)))
    monkeypatch.setattr(bench, "triton_status", lambda: old)
    p100 = H100._replace(capability=(6, 0))
    why = bench._why_not("Triton", 64, p100, backward=False, quick=False)
    assert "need compute capability 7.5" in why


def test_the_card_is_asked_for_its_peak_from_a_fresh_start(monkeypatch):
    """The peak counts from what is held before the call."""
    held = {"now": 100, "most": 900}

    def reset():
        held["most"] = held["now"]

    for name, fake in {
        "synchronize": lambda: None,
        "reset_peak_memory_stats": reset,
        "memory_allocated": lambda: held["now"],
        "max_memory_allocated": lambda: held["most"],
    }.items():
        monkeypatch.setattr(bench.torch.cuda, name, fake)

    def call():
        held["most"] = 350

    assert bench._peak_of_card(call) == 250


def test_rates_are_what_was_moved_and_multiplied_by_the_time(monkeypatch):
    made = []
    monkeypatch.setattr(
        bench, "_milliseconds", lambda call, device: made.append(1) or 4.0
    )
    monkeypatch.setattr(bench.torch, "empty", lambda n, **_: torch.zeros(1))
    monkeypatch.setattr(
        bench.torch, "randn", lambda *s, **_: torch.zeros(2, 1)
    )
    found = bench.rates(H100)
    assert len(made) == 2
    assert found.multiplied == 2 * 4096**3 / 4e-3
    assert found.copied == 2 / 4e-3


def test_lengths_suit_the_place(monkeypatch):
    for gpu in (True, False):
        monkeypatch.setattr(bench.torch.cuda, "is_available", lambda g=gpu: g)
        all_of_them, few = bench.lengths_here(), bench.lengths_here(quick=True)
        assert few == all_of_them[: len(few)]
        assert max(few) < max(all_of_them)


def test_curves_have_nan_where_a_number_is_missing():
    rows = [
        {"way": "a", "n": 2, "ms": 1.0},
        {"way": "a", "n": 4, "ms": None},
        {"way": "b", "n": 2, "ms": None},
    ]
    found = bench.curves_of(rows)
    assert list(found) == ["a"]
    assert found["a"][0] == 1.0
    assert math.isnan(found["a"][1])


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda: bench.compare([64], ways=["fast"]), "got 'fast'"),
        (lambda: bench.compare([0]), "n of at least 1, got 0"),
    ],
)
def test_bad_input_is_named(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def test_the_command_wants_a_folder_that_is_there(capsys):
    assert cli.main(["bench", "--json", "/nowhere/at/all.json"]) == 1
    assert "expected a folder that is there" in capsys.readouterr().err


def test_the_command_explains_itself(capsys):
    with pytest.raises(SystemExit):
        cli.main(["bench", "--help"])
    said = capsys.readouterr().out
    assert all(x in said for x in ("--quick", "--json FILE", "--plot FILE"))
