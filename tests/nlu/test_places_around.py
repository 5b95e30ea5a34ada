"""A district on file tells the city and the province it lies in."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.fields import read_fields
from knowledge.profile import Known, Profile, Source
from nlu.profile.choices import with_places_around

DAY = date(2026, 11, 16)


def filed(**places: str) -> Profile:
    return Profile({name: Known(place, Source.REGISTRY, DAY) for name, place in places.items()})


def test_city_and_province_follow_from_the_district() -> None:
    found = with_places_around(filed(registered_district="福田区"), read_fields())
    assert found.facts["registered_city"] == Known("深圳市", Source.REGISTRY, DAY)
    assert found.facts["registered_province"] == Known("广东省", Source.REGISTRY, DAY)


@pytest.mark.parametrize(
    "profile",
    [
        filed(),
        filed(registered_city="深圳市"),
        filed(registered_district="天河区"),
        filed(registered_district="福田区", registered_city="广州市", registered_province="湖南省"),
    ],
)
def test_what_is_known_or_cannot_be_told_stays_as_it_is(profile: Profile) -> None:
    assert with_places_around(profile, read_fields()) == profile
