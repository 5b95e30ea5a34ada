"""Whether two matters are one: by text, by meaning, and not when a figure differs."""

from __future__ import annotations

import pytest

from knowledge.encoder import Encoder
from service.appeals.repeats import normal_matter, repeats_of
from tests.service.appeals.labelled import labelled_pairs


def test_normal_form_forgets_width_case_blanks_and_marks() -> None:
    assert (
        normal_matter("ＩＰＯ　补贴，怎么领？") == normal_matter("ipo补贴怎么领") == "ipo补贴怎么领"
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("园区停电，影响生产！", "园区停电影响生产", True),
        ("3楼电梯坏了没人修", "5楼电梯坏了没人修", False),
        ("2025年研发补贴没发", "2024年研发补贴没发", False),
        ("稳岗返还的钱没收到", "稳岗返还还没收到钱", True),
        ("国高奖励没到账", "隔壁油烟太大", False),
    ],
)
def test_repeats_by_case(encoder: Encoder, one: str, other: str, same: bool) -> None:
    assert repeats_of(one, [other], encoder) == [same]


def test_nothing_to_compare_with_gives_nothing(encoder: Encoder) -> None:
    assert repeats_of("园区停电", [], encoder) == []


@pytest.mark.parametrize("half", ["calibrate", "held_out"])
def test_no_other_matter_is_taken_for_a_repeat_and_most_repeats_are_seen(
    encoder: Encoder, half: str
) -> None:
    pairs = [pair for pair in labelled_pairs() if pair.half == half]
    found = [repeats_of(pair.one, [pair.other], encoder)[0] for pair in pairs]
    repeats = [seen for pair, seen in zip(pairs, found, strict=True) if pair.same]
    others = [seen for pair, seen in zip(pairs, found, strict=True) if not pair.same]
    assert sum(repeats) / len(repeats) >= 0.8
    assert sum(others) == 0
