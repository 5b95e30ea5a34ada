"""Catalogue, hit test, enterprises and dashboard as their people use them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from service.staff.permissions import GRANTS, Permission, Role
from tests.console.conftest import CODE, NAME, SESSION, Seats

PAGES = {
    "/catalogue": Permission.CATALOGUE_READ,
    "/catalogue/FT-001": Permission.CATALOGUE_READ,
    "/hit-test": Permission.CATALOGUE_READ,
    "/enterprises": Permission.ENTERPRISES_READ,
    f"/enterprises/{CODE}": Permission.ENTERPRISES_READ,
    "/dashboard": Permission.DASHBOARD_READ,
}
QUESTION = "首次认定国家高新技术企业在福田能拿多少钱"


@pytest.mark.parametrize("role", list(Role))
def test_each_page_opens_for_its_roles_and_for_no_other(seats: Seats, role: Role) -> None:
    console = seats.of(role)
    for path, permission in PAGES.items():
        allowed = permission in GRANTS[role]
        assert console.open(path) == (200 if allowed else 403), path
        if allowed:
            assert console.complaints == [], path
        console.complaints.clear()  # a refused page is one that could not be loaded


def test_every_page_fits_a_telephone_and_a_desk(seats: Seats) -> None:
    console = seats.of(Role.CENTRE)
    for path in [*PAGES, f"/hit-test?text={QUESTION}", "/enterprises?text=云帆"]:
        for width in (1280, 390):
            console.page.set_viewport_size({"width": width, "height": 900})
            console.open(path)
            wide = console.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path, wide)
            name = path.split("?")[0].strip("/").replace("/", "-").replace(CODE, "one")
            console.screenshot(f"{name}{'-asked' if '?' in path else ''}-{width}")


def test_catalogue_is_searched_and_read_by_keyboard(seats: Seats) -> None:
    console = seats.of(Role.DEPARTMENT)
    page = console.page
    console.open("/catalogue")
    focus_search(page)
    expect(page.get_by_label("查找政策")).to_be_focused()
    page.keyboard.type("国高 培育")
    expect(page.get_by_text("共 1 项")).to_be_visible()
    link = page.locator(".qf-line a").first
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/catalogue/FT-003")
    expect(page.get_by_text("FT-003#amount")).to_be_visible()
    assert console.complaints == []


def test_validity_is_that_of_the_day_chosen(seats: Seats) -> None:
    console = seats.of(Role.ADMIN)
    console.open("/catalogue/FT-001")
    expect(console.page.locator(".qf-tag.bad").first).to_have_text("已过期")
    assert console.open("/catalogue/ZZ-999") == 200
    expect(console.page.get_by_text("目录里没有这项政策")).to_be_visible()


def test_a_question_is_tried_with_enter(seats: Seats) -> None:
    console = seats.of(Role.COMMISSIONER)
    page = console.page
    console.open("/hit-test")
    field = page.get_by_label("企业会怎么问")
    field.fill(QUESTION)
    field.press("Enter")
    expect(page.locator(".qf-decision")).to_have_text("直接答复")
    expect(page.locator(".qf-said").first).to_contain_text("10万元")
    expect(page.locator(".qf-tag", has_text="已引用").first).to_be_visible()
    field.fill("我要找人工")
    field.press("Enter")
    expect(page.locator(".qf-decision")).to_have_text("不查政策目录")
    assert console.complaints == []


def focus_search(page: Page) -> None:
    """Presses / until the page hears it: its socket may still be connecting."""
    field = page.locator(".qf-search input").first
    for _ in range(20):
        page.locator("body").press("/")
        page.wait_for_timeout(300)
        if field.evaluate("field => field === document.activeElement"):
            return
    raise AssertionError("the search field never got the focus")


def test_an_enterprise_is_found_opened_bound_and_the_look_recorded(seats: Seats) -> None:
    console = seats.of(Role.COMMISSIONER)
    page = console.page
    console.open("/enterprises")
    focus_search(page)
    page.keyboard.type("云帆老张")
    link = page.get_by_role("link", name=NAME)
    expect(link).to_be_visible()
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/enterprises/{CODE}?**")
    expect(page.get_by_text("登记资料：86人")).to_be_visible()
    expect(page.get_by_text("用途：接待咨询").first).to_be_visible()
    session = page.get_by_label("会话编号")
    session.fill("web-unknown")
    session.press("Enter")
    expect(page.get_by_text("没有这个会话")).to_be_visible()
    session.fill(SESSION)
    session.press("Enter")
    expect(page.get_by_text("u-commissioner 于")).to_be_visible()
    page.get_by_role("button", name="解除").click()
    expect(page.get_by_text("还没有绑定任何会话")).to_be_visible()
    expect(page.locator("article.qf-clause").first).to_be_visible()
    assert console.complaints == []


def test_a_range_is_chosen_on_the_dashboard(seats: Seats) -> None:
    console = seats.of(Role.CENTRE)
    console.open("/dashboard")
    console.page.get_by_role("button", name="近 7 天").press("Enter")
    expect(console.page.get_by_text("每分钟更新")).to_be_visible()
    expect(console.page.locator(".qf-figure")).to_have_count(11)
    assert console.complaints == []


def test_navigation_leads_to_its_pages(seats: Seats) -> None:
    console = seats.of(Role.CENTRE)
    page = console.page
    console.open("/dashboard")
    expect(page.locator(".qf-figure").first).to_be_visible()
    page.get_by_role("navigation", name="页面").get_by_role("link", name="政策目录").click()
    page.wait_for_url("**/console/catalogue")
    expect(page.get_by_label("查找政策")).to_be_visible()
    page.locator("body").press("Alt+1")
    page.wait_for_url(lambda url: not url.endswith("/catalogue"))
    expect(page.locator(".qf-main")).to_be_visible()
    assert "/console/console/" not in page.url
