"""Addresses that people have: pages and places in them stay, or lead on.

`addresses.json` lists what the site had; nothing is ever taken from it.
"""

import json
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

ADDRESSES = json.loads(
    (Path(__file__).parent / "addresses.json").read_text("utf-8")
)
CLAIM = re.compile(r"claim-(\d+-.*?)(?:-\d+)?")


def ids(site_dir: Path, page: str) -> set[str]:
    soup = BeautifulSoup((site_dir / page).read_text("utf-8"), "html.parser")
    return {element["id"] for element in soup.select("[id]")}


@pytest.mark.parametrize("page", ADDRESSES)
def test_every_place_that_a_link_may_name_is_there(site_dir, page):
    there = ids(site_dir, page)
    ledger = ids(site_dir, "book/claims.html")
    gone = [
        name
        for name in ADDRESSES[page]
        if name not in there
        # The site's script leads to the ledger, see below.
        and not (
            (claim := CLAIM.fullmatch(name)) and f"ledger-{claim[1]}" in ledger
        )
    ]
    assert gone == []


def test_a_claims_cell_that_is_gone_leads_to_the_ledger(open_page):
    page = open_page("book/06-multi-head.html#claim-6-early-14")
    page.wait_for_url("**/book/claims.html#ledger-6-early")
    assert page.locator("#ledger-6-early").is_visible()


def test_a_place_that_is_there_is_not_left(open_page):
    page = open_page("notebooks/03-query-key-value.html#claim-3-formula")
    assert page.url.endswith("03-query-key-value.html#claim-3-formula")
