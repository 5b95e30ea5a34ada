"""What the office has set: hours, patience, limits; defaults where nothing was changed."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.errors import InvalidInput
from service.staff.audit import record
from service.staff.models import OfficeSetting


class Office(BaseModel):
    """The settings of the office, all with defaults.

    ``working_hours`` are spans of a working day in Asia/Shanghai, in order. ``person_wait_minutes``
    is how long a request for a person may wait before it becomes an appeal. ``warning_share`` is
    the share of an appeal's time after which its department is warned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    working_hours: tuple[tuple[time, time], ...] = (
        (time(9), time(12)),
        (time(14), time(18)),
    )
    person_wait_minutes: int = Field(10, ge=1, le=240)
    warning_share: float = Field(0.8, ge=0.5, le=0.95)

    @field_validator("working_hours")
    @classmethod
    def _in_order(cls, spans: tuple[tuple[time, time], ...]) -> tuple[tuple[time, time], ...]:
        edges = [edge for span in spans for edge in span]
        if not spans or edges != sorted(set(edges)):
            raise ValueError("工作时间应按先后排列，互不重叠")
        return spans


OFFICE_LABELS = {
    "working_hours": "工作时间",
    "person_wait_minutes": "转人工最长等待（分钟）",
    "warning_share": "期限用去多少时预警（比例）",
}


def office_of(db: Session) -> Office:
    """The settings in force."""
    rows = db.execute(select(OfficeSetting.key, OfficeSetting.value)).all()
    return Office.model_validate({key: value for key, value in rows if key in Office.model_fields})


def change_office(db: Session, key: str, value: Any, by: str, now: datetime) -> Office:
    """Changes one setting; ``InvalidInput`` when there is none of that name or the value does not fit."""
    if key not in Office.model_fields:
        raise InvalidInput(f"没有名为 {key[:48]} 的设置。", "key")
    before = office_of(db)
    try:
        after = Office.model_validate({**before.model_dump(mode="json"), key: value})
    except ValidationError as error:
        said = str(error.errors(include_url=False)[0]["msg"])
        raise InvalidInput(f"{OFFICE_LABELS[key]}：{said}", key) from error
    stored = after.model_dump(mode="json")[key]
    row = db.get(OfficeSetting, key) or OfficeSetting(key=key)
    row.value, row.changed_by, row.changed_at = stored, by, now
    db.add(row)
    db.flush()
    detail = {"before": before.model_dump(mode="json")[key], "after": stored}
    record(db, by, "setting_changed", ("setting", key), now, detail=detail)
    return after
