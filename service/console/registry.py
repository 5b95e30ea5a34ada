"""The list of console pages: where each is, what it is called, who may open it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from service.console.seat import Seat
from service.staff.permissions import Permission

Build = Callable[[Seat], Awaitable[None]]


@dataclass(frozen=True)
class ConsolePage:
    """One page. ``path`` is below /console; ``icon`` present: it stands in the navigation, by ``order``."""

    path: str
    permission: Permission
    title: str
    build: Build
    icon: str | None = None
    order: int = 100


PAGES: list[ConsolePage] = []


def console_page(
    path: str, permission: Permission, title: str, *, icon: str | None = None, order: int = 100
) -> Callable[[Build], Build]:
    """Adds the decorated builder to the pages; it fills the frame's content area."""

    def add(build: Build) -> Build:
        PAGES.append(ConsolePage(path, permission, title, build, icon, order))
        return build

    return add


def navigation(seat: Seat) -> list[ConsolePage]:
    """The pages to offer somebody, in order."""
    offered = [page for page in PAGES if page.icon and seat.may(page.permission)]
    return sorted(offered, key=lambda page: page.order)
