"""What a cell calls to report the numbers of a claim."""

from collections.abc import Mapping, Sequence
from typing import Any

from attn_course.claims.chapters import look_up, nearest
from attn_course.claims.numbers import measured, show
from attn_course.handover import hand_over

__all__ = ["report", "report_recording"]


def report(
    claim_id: str, *, seeds: Sequence[int] | None = None, **values: Any
) -> None:
    """Print what was measured for a claim, and hand it to the website.

    Parameters
    ----------
    claim_id
        As in the ledger: `3.tie`.
    seeds
        The seeds, when a value is a list of one number for each of them.
    **values
        The numbers by name. Those that the ledger names are listed on the
        page of claims; others can be used in the prose.

    Raises
    ------
    ValueError
        When the ledger has no such claim, or a value is not finite or does
        not have one number for each seed.
    """
    _report(claim_id, values, seeds)


def report_recording(claim_id: str, recording: Mapping[str, Any]) -> None:
    """Report what a recording holds for a claim.

    The recording has an entry `claims`: for each id, the values as `report`
    takes them. Its seeds are those it was recorded with.

    Raises
    ------
    ValueError
        When the recording holds nothing for that claim.
    """
    held = recording.get("claims", {})
    if claim_id not in held:
        raise ValueError(
            f"expected a recording that holds values for {claim_id!r}, got "
            f"one with values for: {nearest(claim_id, held)}"
        )
    recorded = recording["recorded"]
    _report(claim_id, held[claim_id], recorded["seeds"], recorded["command"])


def _report(
    claim_id: str,
    values: Mapping[str, Any],
    seeds: Sequence[int] | None,
    command: str | None = None,
) -> None:
    claim = look_up(claim_id)
    content = {"kind": "claim", "id": claim.id, "values": _checked(
        claim.id, values, seeds
    )}  # fmt: skip
    if seeds:
        content["seeds"] = list(seeds)
    if command:
        content["recorded"] = command
    print(_line(content))
    hand_over(content)


def _checked(
    claim_id: str, values: Mapping[str, Any], seeds: Sequence[int] | None
) -> dict[str, Any]:
    if not values:
        raise ValueError(f"claim {claim_id}: expected values, got none")
    checked = {}
    for name, given in values.items():
        try:
            value = measured(given)
        except ValueError as error:
            raise ValueError(f"claim {claim_id}, {name}: {error}") from None
        if isinstance(value, Mapping):
            count = len(value["each"])
            if count != len(seeds or ()):
                raise ValueError(
                    f"claim {claim_id}, {name}: expected seeds=[…] with one "
                    f"seed for each of {count} numbers, got {seeds}"
                )
        checked[name] = value
    return checked


def _line(content: Mapping[str, Any]) -> str:
    words = ", ".join(
        f"{name.replace('_', ' ')} "
        + show(value, field="spread" if isinstance(value, Mapping) else "")
        for name, value in content["values"].items()
    )
    recorded = ", recorded" if "recorded" in content else ""
    return f"claim {content['id']}{recorded}: {words}"
