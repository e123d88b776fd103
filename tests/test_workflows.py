"""What runs on GitHub: it runs our commands, and publishes what passed."""

import re

import course
import pytest
import yaml

FOLDER = course.ROOT / ".github"
WORKFLOWS = {
    path.name: yaml.safe_load(path.read_text("utf-8"))
    for path in sorted((FOLDER / "workflows").glob("*.yml"))
}
NAMES = ["links.yml", "publish.yml", "release.yml", "test.yml"]
each = pytest.mark.parametrize("name", NAMES)


def triggers(name: str) -> dict:
    # YAML 1.1 reads the key `on` as true.
    return WORKFLOWS[name][True]


def steps(name: str) -> list[dict]:
    jobs = WORKFLOWS[name]["jobs"].values()
    return [step for job in jobs for step in job.get("steps", [])]


def needed(name: str, job: str) -> set[str]:
    """Name every job that ends before another one starts."""
    jobs = WORKFLOWS[name]["jobs"]
    needs = jobs[job].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(needed(name, other) for other in direct))


def test_these_are_all():
    assert sorted(WORKFLOWS) == NAMES


@each
def test_what_runs_is_what_everybody_can_run(name):
    makefile = (course.ROOT / "Makefile").read_text("utf-8")
    for line in (step["run"] for step in steps(name) if "run" in step):
        program, *rest = line.split()
        if program == "make":
            assert f"\n{rest[0]}:" in makefile
        else:
            known = ("python tools/course.py ", "gh release create ")
            assert line.startswith(known)


@each
def test_actions_are_pinned(name):
    jobs = WORKFLOWS[name]["jobs"].values()
    for one in [*jobs, *steps(name)]:
        used = one.get("uses", "./")
        assert used.startswith("./") or re.search(r"@v\d+(\.\d+)*$", used)


@each
def test_a_job_may_do_no_more_than_it_must(name):
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    allowed = {
        ("publish.yml", "site"): {"pages": "write", "id-token": "write"},
        ("release.yml", "github"): {"contents": "write"},
        ("release.yml", "pypi"): {"id-token": "write"},
    }
    for job, settings in WORKFLOWS[name]["jobs"].items():
        given = settings.get("permissions", {})
        writes = {key: how for key, how in given.items() if how == "write"}
        assert writes == allowed.get((name, job), {}), job
        assert settings.get("timeout-minutes") or "uses" in settings, job


def test_nothing_is_published_before_the_tests_passed():
    assert "push" not in triggers("test.yml"), "publish.yml calls it"
    assert {"pull_request", "workflow_call"} <= set(triggers("test.yml"))
    assert triggers("publish.yml")["push"] == {"branches": ["main"]}
    for name, job in [
        ("publish.yml", "site"),
        ("release.yml", "github"),
        ("release.yml", "pypi"),
    ]:
        before = needed(name, job)
        called = [WORKFLOWS[name]["jobs"][one].get("uses") for one in before]
        assert "./.github/workflows/test.yml" in called, job


def test_a_tag_releases():
    assert triggers("release.yml") == {"push": {"tags": ["v*"]}}
    assert needed("release.yml", "pypi") == {"github", "build", "tests"}
    [uploaded] = [
        step["with"]["path"].split()
        for step in steps("release.yml")
        if "upload-artifact" in step.get("uses", "")
    ]
    # Where course.py puts them; GitHub drops the folder that both share.
    assert uploaded == ["_build/dist", "_build/release-notes.md"]


def test_links_are_asked_by_the_clock_alone():
    assert set(triggers("links.yml")) == {"schedule", "workflow_dispatch"}
    assert any("lychee" in step.get("uses", "") for step in steps("links.yml"))


def test_dependabot_knows_every_kind_of_dependency():
    text = (FOLDER / "dependabot.yml").read_text("utf-8")
    updates = yaml.safe_load(text)["updates"]
    assert {one["package-ecosystem"]: one["directory"] for one in updates} == {
        "pip": "/",
        "npm": "/web",
        "github-actions": "/",
    }
    assert (course.ROOT / "web" / "package-lock.json").is_file()
