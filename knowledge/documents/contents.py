"""Finds a document's table of contents, whose lines are no clauses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.documents.blocks import Block, Paragraph, bare

_LEADER = re.compile(r"(.+?)\s?(?:[.．·…‥⋯・_]\s?){3,}\s?[-—]?\s?\d{1,4}\s?[-—]?$")
_PAGE_AT_END = re.compile(r"(.+?)\s\d{1,4}$")


def without_contents(blocks: Sequence[Block]) -> tuple[list[Block], list[str]]:
    """The blocks without the table of contents, and the lines taken out.

    Lines with leaders and a page number go wherever they stand. After 目录 go those that end in a page number, or
    that come again further down as a heading.
    """
    kept: list[Block] = []
    taken: list[str] = []
    is_inside = False
    later = _later_beginnings(blocks)
    for at, block in enumerate(blocks):
        if not isinstance(block, Paragraph):
            is_inside = False
            kept.append(block)
            continue
        text = block.text
        if bare(text) in {"目录", "目次"}:
            is_inside = True
            taken.append(text)
        elif _LEADER.match(text) or (
            is_inside and (_PAGE_AT_END.match(text) or later.get(bare(text), -1) > at)
        ):
            taken.append(text)
        else:
            is_inside = False
            kept.append(block)
    return kept, taken


def _later_beginnings(blocks: Sequence[Block]) -> dict[str, int]:
    """The last place every paragraph's wording stands at."""
    return {bare(block.text): at for at, block in enumerate(blocks) if isinstance(block, Paragraph)}
