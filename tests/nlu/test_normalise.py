"""One written form, with offsets that lead back to what was typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.normalise import MAX_CHARS, normalise, normalise_text


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("国高补贴多少钱", "国高补贴多少钱"),
        ("營收３２００萬，國家高新技術企業", "营收3200万，国家高新技术企业"),
        ("ＦＴ－２０２６１１２３－０００１", "FT-20261123-0001"),
        ("15％", "15%"),
        ("你好，（请问）！？", "你好，（请问）！？"),
        ("国\u200b高\u2060补\ufeff贴", "国高补贴"),
        ("\u202e国高\u202c补贴", "国高补贴"),
        ("国\x00高\x07", "国高"),
        ("国高\ud800", "国高"),
        ("  国高 \n\t 补贴\u3000 多少 ", "国高 补贴 多少"),
        ("👍\ufe0f好", "👍好"),
        ("嗰個補貼幾多", "嗰个补贴几多"),
        ("", ""),
        (" \u200b\n", ""),
    ],
)
def test_text_gets_one_written_form(typed: str, plain: str) -> None:
    assert normalise_text(typed) == plain


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("@小福 国高补贴", "国高补贴"),
        ("@小福\u2005国高补贴", "国高补贴"),
        ("@企服小福\xa0国高补贴", "国高补贴"),
        ("＠小福国高补贴", "国高补贴"),
        ("@小福 @机器人 国高补贴", "国高补贴"),
        ("@小福，国高补贴", "国高补贴"),
        ("国高补贴 @小福", "国高补贴 @小福"),
        ("@机器人行业协会 你好", "@机器人行业协会 你好"),
        ("@小福田科技 你好", "@小福田科技 你好"),
        ("@王专员 你好", "@王专员 你好"),
    ],
)
def test_leading_mention_of_the_bot_goes(typed: str, plain: str) -> None:
    assert normalise_text(typed) == plain


@pytest.mark.parametrize("typed", ["@小福", "@小福 ", "@小福 @小福"])
def test_mention_alone_leaves_the_name(typed: str) -> None:
    assert normalise_text(typed) == "小福"


@pytest.mark.parametrize(
    "typed",
    ["／restart", "\u200b/restart", "@小福 /restart", " /restart", "/restart", "//restart"],
)
def test_result_is_never_a_command(typed: str) -> None:
    assert not normalise_text(typed).startswith("/")


def test_long_text_is_cut() -> None:
    assert len(normalise_text("國" * 100_000)) == MAX_CHARS


def test_origin_leads_back_over_removed_characters() -> None:
    typed = "@小福 我\u200b司ｗ營收 １２００萬"
    normalised = normalise(typed)
    start = normalised.text.index("营收")
    assert typed[slice(*normalised.origin(start, start + 2))] == "營收"
    start = normalised.text.index("1200万")
    assert typed[slice(*normalised.origin(start, start + 5))] == "１２００萬"


@given(st.text(max_size=300))
def test_offsets_are_true_for_any_text(typed: str) -> None:
    normalised = normalise(typed)
    assert len(normalised.offsets) == len(normalised.text) + 1
    assert list(normalised.offsets) == sorted(normalised.offsets)
    start, end = normalised.origin(0, len(normalised.text))
    assert 0 <= start <= end <= len(typed)


@given(st.text(max_size=100))
def test_white_space_never_doubles_or_hangs(typed: str) -> None:
    plain = normalise_text(typed)
    assert "  " not in plain
    assert plain == plain.strip()
