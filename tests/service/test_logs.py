"""Logs: one JSON line per event, with nobody's number in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from service import logs
from service.logs import mask_values, masked
from service.settings import Settings


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:], logging.root.level = handlers, level


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13800138000", "138****8000"),
        ("电话13912345678。", "电话139****5678。"),
        ("+8613800138000", "+86138****8000"),
        ("138 0013 8000", "138 **** 8000"),
        ("138-0013-8000", "138-****-8000"),
        ("a13800138000b", "a138****8000b"),
        ("两个:13800138000,13900139000", "两个:138****8000,139****9000"),
        ("12800138000", "12800138000"),
        ("1380013800", "1380013800"),
        ("138001380001", "138001380001"),
        ("91440300708461136T", "9144**********36T"),
        ("代码91440300MA5DC7XX12，", "代码9144**********X12，"),
        ("91440300ma5dc7xx12", "9144**********x12"),
        ("440304199001011234", "4403**********234"),
        ("914403007084611360000", "914403007084611360000"),
    ],
)
def test_numbers_of_people_and_companies_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_masking_reaches_every_value() -> None:
    event = {
        "event": "来电13800138000",
        "nested": {"list": ["13800138000", {"13800138000": 1}], "number": 13800138000},
        "error": ValueError("13800138000"),
        "message_id": "a13800138000f",
    }
    out = repr(mask_values(None, "info", event))
    assert out.count("13800138000") == 1  # our own random id stays whole
    assert "138****8000" in out


def test_a_line_is_one_json_object(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(settings)
    structlog.get_logger().info("turn", phone="13800138000", n=3)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["phone"], line["n"], line["level"]) == (
        "turn",
        "138****8000",
        3,
        "info",
    )


def test_tracebacks_and_other_loggers_are_masked_too(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(settings)
    try:
        raise ValueError("13800138000")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("some.library").warning("caller %s", "13800138000", exc_info=True)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 2
    assert "13800138000" not in repr(lines)
    assert all("ValueError: 138****8000" in line["exception"] for line in lines)


def test_a_lower_level_is_left_out(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(settings.model_copy(update={"log_level": "warning"}))
    structlog.get_logger().info("quiet")
    assert capsys.readouterr().err == ""


def test_console_style_is_for_people(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(settings.model_copy(update={"log_format": "console"}))
    structlog.get_logger().info("turn", phone="13800138000")
    err = capsys.readouterr().err
    assert not err.startswith("{")
    assert "138****8000" in err
