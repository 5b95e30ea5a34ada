"""Tells whether a matter asks for what another district or city grants, which nobody here can."""

from __future__ import annotations

import re
from functools import lru_cache

from knowledge.question import read_places

# Whoever moves here, or still has a registration there, asks something of this district.
_COMING_HERE = re.compile(r"搬|迁|转[到来入]|落户|还在|原来在|以前在|分公司|过来")
_GRANTED = "补贴|补助|资助|奖励|扶持|优惠|政策|减免|局|委|厅|政府|窗口"


def asked_of_elsewhere(matter: str) -> str | None:
    """The other place whose office or benefit is meant; ``None`` when the matter is one for here.

    A matter that names this district by its name is for here, whatever else it names.
    """
    places = read_places()
    home = [
        name for name in (places.home, *places.names[places.home]) if name not in places.pointing
    ]
    if any(name in matter for name in home) or _COMING_HERE.search(matter):
        return None
    found = _pattern().search(matter)
    return found.group(1) if found else None


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    places = read_places()
    at_home = places.around(places.home)
    others = {
        name
        for place in places.within
        if place not in at_home
        for name in (place, *places.names.get(place, ()))
    } | set(places.elsewhere)
    named = "|".join(map(re.escape, sorted(others, key=lambda name: (-len(name), name))))
    return re.compile(rf"({named})[^，。；！？,;!?]{{0,10}}?(?:{_GRANTED})")
