import sys
import textwrap

import course
import pytest
from distributed import LocalCluster

from attn_course import experiments
from attn_course.data import store
from attn_course.experiments.rules import broken_rules, choices, converged
from attn_course.experiments.runs import Finished
from attn_course.experiments.study import Study

TRIAL = '''
    """Which of two ways adds faster?"""
    import random
    from attn_course.experiments.study import Study

    WAYS = ["slow", "fast"]
    STUDY = Study(
        "trial", chapter=1, question="Which?", design=__doc__,
        arms={"way": WAYS}, sweep={"rate": [1, 2, 3]}, seeds=2,
        chosen_by="loss", baseline="nothing", tolerance=0.01,
    )
    CALLS = []

    @STUDY.run
    def one(way, rate, seed):
        CALLS.append((way, rate, seed))
        noise = random.Random(f"{way} {rate} {seed}").random()
        return {"loss": abs(rate - 2) + noise / 100, "history": [1.0] * 20}

    @STUDY.after
    def longer(records):
        return {"longer": [{"way": "fast", "rate": 2, "seed": 7}]}

    @STUDY.summary
    def content(records, longer):
        return {"baselines": {"nothing": 3.0}, "count": len(records + longer)}

    @STUDY.slice
    def again(recording):
        for way in WAYS:
            [then] = [
                r for r in recording["records"]
                if (r["way"], r["rate"], r["seed"]) == (way, 1, 0)
            ]
            yield way, then["loss"], one(way, 1, 0)["loss"]
'''


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """Declare a study in a module of its own; its recording is nobody's."""
    (tmp_path / "recordings").mkdir()
    monkeypatch.setattr(store, "__file__", str(tmp_path / "store.py"))
    monkeypatch.setattr(
        store.resources, "files", lambda package: tmp_path / "package"
    )
    (tmp_path / "package").mkdir()
    (tmp_path / "package/data").symlink_to(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    # Other processes, which a pool starts, look there as well.
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")

    def declare(old="", new=""):
        sys.modules.pop("trial_study", None)
        text = textwrap.dedent(TRIAL.replace(old, new))
        (tmp_path / "trial_study.py").write_text(text)
        from attn_course.experiments import code_hash

        code_hash._source.cache_clear()
        import trial_study

        return trial_study

    yield declare
    sys.modules.pop("trial_study", None)


def quiet(line):
    pass


def test_a_recording_holds_every_arm_setting_and_seed(trial):
    module = trial()
    module.STUDY.record(say=quiet)
    recording = module.STUDY.recording
    assert [
        (r["way"], r["rate"], r["seed"]) for r in recording["records"]
    ] == [
        (way, rate, seed)
        for way in ("slow", "fast")
        for rate in (1, 2, 3)
        for seed in (0, 1)
    ]
    assert len(recording["longer"]) == 1
    assert recording["count"] == 13
    assert recording["about"] == "Which of two ways adds faster?"
    assert recording["recorded"]["seeds"] == [0, 1]
    assert broken_rules(module.STUDY, recording) == []


def test_runs_side_by_side_give_the_same_numbers(trial):
    study = trial().STUDY
    study.record(say=quiet)
    alone = study.recording
    study.record(jobs=2, say=quiet)
    together = study.recording
    assert together["records"] == alone["records"]
    assert together["longer"] == alone["longer"]


def test_a_cluster_gives_the_same_numbers(trial):
    study = trial().STUDY
    study.record(say=quiet)
    alone = study.recording
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        dashboard_address=None,
    ) as cluster:
        study.record(scheduler=cluster.scheduler_address, say=quiet)
    assert study.recording["records"] == alone["records"]


def test_a_sweep_that_was_stopped_goes_on(trial):
    module = trial("CALLS.append", "pause() or CALLS.append")

    def pause():
        if len(module.CALLS) == 5:
            raise KeyboardInterrupt

    module.pause = pause
    with pytest.raises(KeyboardInterrupt):
        module.STUDY.record(say=quiet)
    module.pause = lambda: None
    lines = []
    module.STUDY.record(say=lines.append)
    assert lines[0] == "  5 of 12 runs are there already"
    assert len(module.CALLS) == 13
    assert not Finished("trial", "").path.exists()


def test_what_other_code_left_is_not_taken_up(trial):
    first = Finished("trial", "of old")
    first.add({"way": "slow"}, {"loss": 1}, 0.1)
    assert Finished("trial", "of old").done
    assert not Finished("trial", "of new").done


@pytest.mark.parametrize("left", [b"", b"no archive", None])
def test_a_file_that_can_not_be_read_is_as_good_as_none(trial, left):
    kept = Finished("trial", "f")
    kept.add({"seed": 0}, {"loss": 1}, 0.1)
    whole = kept.path.read_bytes()
    kept.path.write_bytes(whole[:-20] if left is None else left)
    again = Finished("trial", "f")
    assert again.done == {}
    again.add({"seed": 2}, {"loss": 3}, 0.1)
    assert list(Finished("trial", "f").done) == ['{"seed": 2}']


# Which code a recording is of


def test_code_that_means_the_same_keeps_a_recording_current(trial):
    trial().STUDY.record(say=quiet)
    study = trial("    noise =", "    # A comment.\n        noise =").STUDY
    assert study.is_current()
    assert trial(
        'question="Which?"', 'question="Which one?"'
    ).STUDY.is_current()
    assert not trial("rate - 2", "rate - 2.001").STUDY.is_current()
    assert not trial("[1, 2, 3]", "[1, 2, 4]").STUDY.is_current()


def test_a_stale_recording_is_stamped_where_a_slice_comes_out_the_same(trial):
    trial().STUDY.record(say=quiet)
    near = trial("rate - 2", "rate - 2.001").STUDY
    assert near.differences() == []
    assert near.is_same_today()
    near.stamp()
    assert near.is_current()
    assert "same_slice_at" in near.recording["recorded"]
    far = trial("rate - 2", "rate - 2.5").STUDY
    assert len(far.differences()) == 2
    assert not far.is_same_today()


def test_in_a_hurry_what_is_quick_is_measured_in_place_of_the_slice(trial):
    module = trial()
    study = module.STUDY
    study.record(say=quiet)
    module.CALLS.clear()
    study.quick(lambda recording: iter([("count", recording["count"], 2)]))
    [told] = study.differences(seconds=1)
    assert told.startswith("count:") and module.CALLS == []
    assert study.differences() == []
    assert len(module.CALLS) == 2


# Studies without chance

READS = """
    from attn_course.experiments.study import Study

    STUDIES = [
        Study(f"reads-{word}", chapter=1, question="How long?", design="Look.",
              arms={"word": [word]}, seeds=0)
        for word in ("cat", "horse")
    ]

    def one(word):
        return {"length": len(word)}

    for study in STUDIES:
        study.run(one)
"""


def test_a_single_run_is_the_recording_itself(trial):
    for study in trial(TRIAL, READS).STUDIES:
        study.record(say=quiet)
        recording = study.recording
        assert recording["word"] == study.name.partition("-")[2]
        assert recording["length"] == len(recording["word"])
        assert "records" not in recording
        assert recording["recorded"]["seeds"] == []
        assert broken_rules(study, recording) == []
        assert study.is_current()


def test_the_seeds_of_a_control_are_told(trial):
    settings = 'settings={"seeds": [0, 1]}, seeds=0)'
    [study, _] = trial(TRIAL, READS.replace("seeds=0)", settings)).STUDIES
    study.record(say=quiet)
    assert study.recording["recorded"]["seeds"] == [0, 1]
    assert broken_rules(study, study.recording) == []
    assert study.is_current()


# The rules


@pytest.fixture
def recorded(trial):
    study = trial().STUDY
    study.record(say=quiet)
    return study, study.recording


def broken(study, recording):
    return [one.rule for one in broken_rules(study, recording)]


def test_a_missing_run_is_found(recorded):
    study, recording = recorded
    del recording["records"][3]
    assert broken(study, recording) == ["complete"]


def test_a_best_setting_at_the_edge_is_found(recorded):
    study, recording = recorded
    for record in recording["records"]:
        if record["way"] == "fast":
            record["loss"] = record["rate"]
    [fault] = broken_rules(study, recording)
    assert fault.rule == "inside the grid"
    assert fault.what == "fast: best at rate 1, the edge of what was tried"


def test_a_diverged_seed_is_never_the_best(recorded):
    study, recording = recorded
    for record in recording["records"]:
        if record["rate"] == 2 and record["seed"] == 1:
            record["loss"] = None
    assert all(
        c.setting["rate"] != 2 for c in choices(study, recording["records"])
    )


def test_too_few_seeds_are_found(recorded):
    study, recording = recorded
    recording["recorded"]["seeds"] = [0]
    faults = broken_rules(study, recording)
    assert faults[0].what == "1 of 2 seeds"


def test_one_setting_or_two_are_no_grid(recorded):
    study, recording = recorded
    study.sweep = {"rate": [1, 2]}
    whats = [fault.what for fault in broken_rules(study, recording)]
    assert "slow: best at rate 2, of 2 that were tried" in whats
    study.sweep, study.chosen_by, study.trains = {}, None, True
    whats = [fault.what for fault in broken_rules(study, recording)]
    assert whats == ["one setting only was tried, set beforehand"]


def test_training_that_was_not_over_is_found(recorded):
    study, recording = recorded
    for record in recording["records"]:
        if record["way"] == "slow":
            record["history"] = [3 - i / 10 for i in range(20)]
    [fault] = broken_rules(study, recording)
    assert (fault.rule, fault.what) == (
        "converged", "slow: the loss was still falling",
    )  # fmt: skip


def test_a_missing_curve_or_baseline_is_found(recorded):
    study, recording = recorded
    for record in recording["records"]:
        if record["way"] == "slow":
            del record["history"]
    [fault] = broken_rules(study, recording)
    assert fault.what == "slow: convergence not recorded"
    for record in recording["records"]:
        record.pop("history", None)
    [fault] = broken_rules(study, recording)
    assert fault.what == "every arm: convergence not recorded"
    recording["baselines"] = {}
    assert broken(study, recording) == ["converged", "baselines"]


@pytest.mark.parametrize(
    "curve, told",
    [
        ([2.0, 1.0, *[0.5] * 20], True),
        ([2.0 - i / 10 for i in range(10)], False),
        ([2.0, 1.5, *[1.0] * 18, 0.99, 0.985], True),
        ([2.0, 1.5, *[1.0] * 18, 0.99, 0.95], False),
        ([2.0] * 20, False),  # nothing was learned
        ([2.0, 1.0, *[0.5] * 30, 0.9, 0.9, 0.9], False),  # it got worse
        ([1.99] * 50, False),
        ([2.0, 1.0, *[0.5, 0.52] * 20], True),  # noise
        ([1.0], None),
        ([1.0, None, 2.0], None),
    ],
)
def test_converged_means_the_last_tenth_gains_less_than_two_percent(
    curve, told
):
    assert converged(curve, baseline=2.0) is told


# Every study of the course


@pytest.fixture(params=experiments.studies().values(), ids=lambda s: s.name)
def study(request) -> Study:
    return request.param


def test_a_study_says_what_it_asks_and_how(study):
    assert study.question.endswith("?")
    assert study.design and study.chapter in range(1, 10)
    assert study.module.startswith("attn_course.experiments.")


def test_a_study_stands_on_one_evidence_page(study):
    pages = sorted((course.ROOT / "book" / "evidence").glob("*.md"))
    shown = [
        page.name
        for page in pages
        if f"```{{study}} {study.name}\n" in page.read_text("utf-8")
    ]
    assert len(shown) == 1 and shown[0].startswith(f"{study.chapter:02}-")


def test_a_study_is_recorded_whole(study):
    assert "complete" not in broken(study, study.recording)
    assert len(study.recording["recorded"]["seeds"]) >= study.seeds


def test_a_recording_is_of_the_code_of_today(study):
    assert study.is_current()


@pytest.fixture
def sliced(study) -> Study:
    if study.name == "triton-kernels" and sys.platform != "linux":
        pytest.skip("Triton is made for Linux")
    return study


def test_a_little_of_a_study_comes_out_again(sliced):
    assert sliced.differences(seconds=1) == []


@pytest.mark.slow
def test_a_slice_of_every_arm_comes_out_again(sliced):
    assert sliced.differences() == []
