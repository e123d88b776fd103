"""What a cell calls to report the numbers of a claim."""

from collections.abc import Mapping, Sequence
from typing import Any

from attn_course.claims.chapters import look_up
from attn_course.claims.numbers import measured, show
from attn_course.handover import hand_over

__all__ = ["report", "report_of"]


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
    content = report_of(claim_id, values, seeds)
    print(_line(content))
    hand_over(content)


def report_of(
    claim_id: str,
    values: Mapping[str, Any],
    seeds: Sequence[int] | None = None,
    command: str | None = None,
) -> dict[str, Any]:
    """Make plain data of a claim's numbers, as they travel to the website.

    `command` is what recorded them, where they are recorded.

    Raises
    ------
    ValueError
        As `report` does.
    """
    claim = look_up(claim_id)
    checked = _checked(claim.id, values, seeds)
    content = {"kind": "claim", "id": claim.id, "values": checked}
    if seeds:
        content["seeds"] = list(seeds)
    if command:
        content["recorded"] = command
    return content


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
    return f"claim {content['id']}: {words}"
