"""Matches a profile that is sent along; nothing of it is kept."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from knowledge.labels import Day
from knowledge.live import Live
from knowledge.matching import TOP
from knowledge.profile import one_width, read_profile
from knowledge.similarity import similarity_to
from service.errors import TooManyRequests
from service.limits import TokenBuckets, caller
from service.matching.operations import Wish, find_matches
from service.matching.schemas import MatchAnswer
from service.settings import Settings

MAX_NEED_CHARS = 2000
MOST_RESULTS = 50


def _object(value: object) -> object:
    """A JSON object whatever its keys: what is wrong with a fact is told beside the matches, not instead of them."""
    if not isinstance(value, dict):
        raise PydanticCustomError("profile", "profile 应为 JSON 对象：字段名和值。")
    return value


class MatchRequest(BaseModel):
    """Whom to match. ``as_of`` absent means today; ``asked`` are fields not to be asked again, refused ones as well."""

    profile: Annotated[Any, BeforeValidator(_object)] = Field(
        description="facts by field name; null is unknown", json_schema_extra={"type": "object"}
    )
    need: Annotated[str, Field(max_length=MAX_NEED_CHARS)] | None = None
    as_of: Day | None = None
    top: int = Field(TOP, ge=1, le=MOST_RESULTS, strict=True)
    asked: list[str] = Field(default_factory=list, max_length=500)


def matching_router(live: Live, buckets: TokenBuckets) -> APIRouter:
    """The endpoint of this room; ``request.app.state`` holds ``settings``, ``buckets`` limit each address."""
    router = APIRouter(tags=["matching"])

    @router.post("/api/match")
    def match(request: Request, body: MatchRequest) -> MatchAnswer:
        """The best items for a profile with every condition met, failed or unknown, and the question that settles most.

        A fact that cannot be used is named in ``problems``; the others are used.
        """
        _limit(buckets, request)
        settings: Settings = request.app.state.settings
        answerer, day = live.now, body.as_of or settings.today()
        matcher = answerer.matcher
        profile, problems = read_profile(body.profile, matcher.fields, day=settings.today())
        need = one_width(body.need or "")
        similarity = similarity_to(need, answerer.retriever, day) if need else None
        wish = Wish(profile, day, similarity, body.top, frozenset(body.asked))
        return find_matches(matcher, wish, problems)

    return router


def _limit(buckets: TokenBuckets, request: Request) -> None:
    address = caller(request)
    wait_s = buckets.wait_s(address) if address else 0.0
    if wait_s:
        raise TooManyRequests("操作太频繁了，请稍后再试。", "", math.ceil(wait_s))
