"""Appeals through the pages of both sides: filed, dispatched, answered, reopened, rated."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from service.db import Database
from service.staff.permissions import Role
from tests.browser.pages import ARTIFACTS, ChatPage
from tests.console.appeal_samples import fill_appeals
from tests.console.conftest import Console, Seats, _fill
from tests.server import Server, prepare_data, running

FINANCE = "福田区金融工作局"
MATTER = "我要反映一个问题：贷款贴息申请交了三个月，窗口一直没有回音，联系电话13800138000"
NUMBERS: dict[str, list[str]] = {}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = prepare_data(tmp_path_factory.mktemp("appeals"))
    _fill(data)
    database = Database.open(f"sqlite:///{data / 'qifu.db'}")
    NUMBERS.update(fill_appeals(database, ages=(9, 1)))
    database.close()
    with running(data) as server:
        yield server


@pytest.fixture(scope="module")
def visitor(browser: Browser, product: Server) -> Iterator[Page]:
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def choose(page: Page, label: str, name: str) -> None:
    """Picks from a select by typing a part of the name."""
    field = page.get_by_role("dialog").get_by_label(label)
    field.click()
    field.fill(name)
    page.get_by_role("option", name=name, exact=True).click()


def confirm(page: Page, step: str) -> None:
    page.get_by_role("button", name=f"确定{step}").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def shot(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png", animations="disabled", full_page=True)


def test_an_appeal_goes_from_the_chat_to_its_rating(
    seats: Seats, visitor: Page, product: Server
) -> None:
    complaints: list[str] = []
    visitor.context.on("weberror", lambda error: complaints.append(str(error.error)))
    chat = ChatPage(visitor, product.url).open()
    chat.ask(MATTER)
    no = chat.appeals.locator(".digits").first.inner_text()
    with visitor.context.expect_page() as opened:
        chat.appeals.get_by_role("link", name="打开进度页").first.click()
    progress = opened.value
    expect(progress.locator(".card h2.digits")).to_have_text(no)

    centre = seats.of(Role.CENTRE)
    centre.open("/appeals")
    centre.page.get_by_label("搜索诉求").fill(no)
    row = centre.page.locator(f".qa-row[data-no='{no}']")
    expect(centre.page.locator(".qa-row")).to_have_count(1)
    row.focus()
    row.press("Enter")
    centre.page.wait_for_url(f"**/appeals/{no}")
    centre.page.get_by_role("button", name="分派", exact=True).click()
    choose(centre.page, "主办部门", FINANCE)
    confirm(centre.page, "分派")
    expect(centre.page.locator(".qa-side")).to_contain_text(FINANCE)

    department = seats.of(Role.DEPARTMENT)
    answer(department, no, "已联系经办窗口，材料齐全，本周内拨付。")
    expect(chat.notes.last).to_contain_text("本周内拨付")

    staff_clock = department.page.locator(".qa-big > span").first.inner_text()
    progress.reload()
    expect(progress.locator(".timeline")).to_contain_text("本周内拨付")
    expect(progress.locator(".clock strong")).to_have_text(staff_clock)
    progress.get_by_role("button", name="没解决").click()
    progress.get_by_role("button", name="提交，请重新办理").click()
    expect(progress.get_by_role("alert").filter(has_text="请先写明内容")).to_be_visible()
    progress.get_by_label("没有解决的是什么？").fill("钱还没有到账")
    shot(progress, "appeal-progress-asked-390")
    progress.get_by_role("button", name="提交，请重新办理").click()
    expect(progress.locator(".stamp")).to_have_text("重新办理")
    expect(progress.locator(".clock strong")).to_have_text(re.compile(r"剩余[123]个工作日"))
    expect(chat.notes.last).to_contain_text("钱还没有到账")

    answer(department, no, "已于今日拨付，请查收。", accept=False)
    progress.reload()
    progress.get_by_role("button", name="已解决").click()
    progress.get_by_role("button", name="非常满意").click()
    expect(progress.locator(".stamp")).to_have_text("已办结")
    expect(progress.locator(".timeline")).to_contain_text("您评价满意度5分")
    department.page.reload()
    expect(department.page.locator(".qa-side")).to_contain_text("已解决 · 满意度 5 分")
    expect(department.page.locator(".qa-timeline")).to_contain_text("钱还没有到账")
    assert complaints == [] and department.complaints == [] and centre.complaints == []
    progress.close()


def answer(department: Console, no: str, text: str, accept: bool = True) -> None:
    page = department.page
    assert department.open(f"/appeals/{no}") == 200
    if accept:
        page.get_by_role("button", name="签收").click()
        confirm(page, "签收")
    page.get_by_role("button", name="答复", exact=True).click()
    page.get_by_role("button", name="确定答复").click()
    expect(page.get_by_role("alert").filter(has_text="请填写“答复内容”。")).to_be_visible()
    page.get_by_label("答复内容").fill(text)
    confirm(page, "答复")
    expect(page.locator(".qa-timeline")).to_contain_text(text)


def test_many_are_picked_by_keyboard_and_dispatched_with_a_result_for_each(seats: Seats) -> None:
    console = seats.of(Role.CENTRE)
    page = console.page
    console.open("/appeals?state=returned")
    rows = page.locator(".qa-row")
    expect(rows).to_have_count(4)
    rows.first.focus()
    for _ in range(4):
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
    expect(page.locator(".qa-row.picked")).to_have_count(4)
    expect(page.get_by_text("已选 4 件")).to_be_visible()
    page.get_by_label("主办部门").fill(FINANCE)
    page.get_by_role("option", name=FINANCE, exact=True).click()
    page.get_by_role("button", name="分派", exact=True).click()
    expect(page.get_by_text("已分派 2 件，2 件没有成功")).to_be_visible()
    expect(page.locator(".qa-results")).to_contain_text("请由企服中心仲裁确定主办部门")
    expect(page.locator(".qa-row")).to_have_count(2)
    expect(page.locator(".qa-row.picked")).to_have_count(2)
    console.screenshot("appeals-dispatched-1280")
    assert console.complaints == []


def test_the_list_is_filtered_and_turned_into_a_board(seats: Seats) -> None:
    console = seats.of(Role.CENTRE)
    page = console.page
    console.open("/appeals?overdue=1")
    expect(page.locator(".qa-clock.late").first).to_be_visible()
    expect(page.locator(".qa-clock.calm")).to_have_count(0)
    console.open("/appeals?paused=1")
    expect(page.locator(".qa-clock.still").first).to_contain_text("等待企业补充材料")
    page.get_by_role("button", name="看板").click()
    expect(page.locator(".qa-card")).to_have_count(2)
    page.get_by_label("搜索诉求").fill("没有这样的诉求")
    expect(page.locator(".qa-card")).to_have_count(0)
    assert console.complaints == []


def test_a_telephone_number_is_shown_only_when_asked_and_that_is_recorded(seats: Seats) -> None:
    no = NUMBERS["accepted"][0]
    console = seats.of(Role.COMMISSIONER)
    console.open(f"/appeals/{no}")
    expect(console.page.locator(".qa-phone")).to_contain_text("138****8000")
    assert "13800138000" not in console.page.content()
    console.page.get_by_role("button", name="显示").click()
    expect(console.page.locator(".qa-phone")).to_contain_text("13800138000")
    centre = seats.of(Role.CENTRE)
    centre.open("/audit")
    line = centre.page.locator(".qf-line", has_text="查看诉求人电话").first
    expect(line).to_contain_text(no)


def test_pages_open_for_their_roles_and_show_no_department_what_is_anothers(seats: Seats) -> None:
    admin = seats.of(Role.ADMIN)
    no = NUMBERS["filed"][0]
    for path in ("/appeals", f"/appeals/{no}", "/common-issues", "/debt", "/faq"):
        assert admin.open(path) == 403, path
    department = seats.of(Role.DEPARTMENT)
    assert department.open("/common-issues") == 403
    department.complaints.clear()
    assert department.open("/appeals/FT-20200101-0001") == 200
    expect(department.page.get_by_text("没有找到这个诉求。")).to_be_visible()


def test_alike_appeals_are_grouped_confirmed_and_answered_together(seats: Seats) -> None:
    console = seats.of(Role.CENTRE)
    page = console.page
    console.open("/common-issues")
    page.get_by_role("button", name="立即归集").click()
    expect(page.locator(".qg-left .qi-row").first).to_be_visible(timeout=30_000)
    page.locator(".qg-left .qi-row").first.click()
    members = page.locator(".qg-member")
    page.get_by_label("共性问题的标题").fill("贷款贴息流程不清")
    page.get_by_role("button", name="确认为共性问题").click()
    expect(page.locator(".qg-right .qf-tag").first).to_have_text("已确认")
    before = members.count()
    page.get_by_role("button", name=re.compile("移出")).first.click()
    expect(members).to_have_count(before - 1)
    console.screenshot("common-issues-1280")
    with page.expect_download() as download:
        page.get_by_role("link", name="导出专办会清单").click()
    assert download.value.suggested_filename == "common-issues.xlsx"
    page.get_by_label("统一答复").fill("贴息流程已统一：先由银行放款，再由区里审核盖章。")
    page.get_by_role("button", name="统一答复", exact=True).click()
    expect(page.locator(".qg-right .qf-tag").first).to_have_text("已统一答复")
    expect(page.get_by_text(re.compile(r"^已答复 [1-9]\d* 件$")).first).to_be_visible()
    assert console.complaints == []


def test_a_refused_question_is_owed_until_a_signed_answer_pays_it(
    seats: Seats, visitor: Page, product: Server
) -> None:
    question = "福田有没有给企业养的锦鲤办理上户口的补助"
    ChatPage(visitor, product.url).open().ask(question)
    writer, signer = seats.of(Role.COMMISSIONER), seats.of(Role.CENTRE)
    page = writer.page
    writer.open("/faq")
    page.get_by_role("button", name="写一条").click()
    page.get_by_label("企业怎么问").fill(question)
    page.get_by_label("答复", exact=True).fill("目前没有这类补助；宠物登记请咨询区市场监管部门。")
    clauses = page.get_by_label("依据的条款编号")
    clauses.fill("FT-003#amount, FT-000#amount")
    expect(page.locator(".qg-member")).to_have_count(2)
    expect(page.locator(".qg-member .qf-tag.bad")).to_have_text(["政策已过期", "目录里没有"])
    clauses.fill("FT-005#amount")
    expect(page.locator(".qg-member .qf-clip")).to_have_count(1)
    expect(page.locator(".qg-member .qf-tag.bad")).to_have_count(0)
    page.get_by_role("button", name="提交审定").click()
    expect(page.locator(".qg-right .qf-tag").first).to_have_text("待审定")
    signer.open("/faq")
    signer.page.locator(".qi-row", has_text="锦鲤").click()
    signer.page.get_by_role("button", name="审定生效").click()
    expect(signer.page.locator(".qg-right .qf-tag").first).to_have_text("生效中")
    signer.screenshot("faq-1280")

    writer.open("/debt")
    page.locator(".qi-row", has_text="锦鲤").click()
    expect(page.locator(".qg-member")).to_contain_text(question)
    expect(page.get_by_role("link", name="看会话")).to_have_attribute(
        "href", re.compile(r"/console/inbox\?id=web-")
    )
    writer.screenshot("debt-1280")
    page.get_by_role("button", name="不需处理").click()
    page.get_by_label("为什么不需处理").fill("太短")
    page.get_by_role("button", name="关闭这条欠账").click()
    expect(page.get_by_text("至少 10 个字。")).to_be_visible()
    page.get_by_role("button", name="已有审定答复").click()
    page.get_by_label("审定答复（生效中的）").fill("锦鲤")
    page.get_by_role("option", name=re.compile("锦鲤")).click()
    page.get_by_role("button", name="关闭这条欠账").click()
    expect(page.locator(".qf-said")).to_contain_text("已有审定答复")
    assert writer.complaints == [] and signer.complaints == []


def test_a_number_and_four_digits_open_the_page_and_wrong_ones_do_not(
    browser: Browser, product: Server
) -> None:
    no = NUMBERS["paused"][0]
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{product.url}/appeals/")
    expect(page.get_by_label("诉求编号")).to_be_focused()
    page.keyboard.type(no.lower())
    page.keyboard.press("Tab")
    page.keyboard.type("0000")
    page.keyboard.press("Enter")
    expect(page.locator("#find-problem")).to_contain_text("没有找到这个诉求")
    page.get_by_label("手机号后四位").fill("8000")
    page.keyboard.press("Enter")
    expect(page.locator(".clock")).to_contain_text("等待企业补充材料")
    assert page.url.endswith(f"/appeals/{no}")
    expect(page.get_by_text("补充或撤回")).to_have_count(0)
    page.reload()
    expect(page.locator(".timeline")).to_contain_text("请补充贷款合同复印件")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        shot(page, f"appeal-progress-{width}")
    context.close()


def test_every_page_fits_a_telephone_and_a_desk(seats: Seats) -> None:
    console = seats.of(Role.CENTRE)
    pages = ["/appeals", "/appeals?view=board", f"/appeals/{NUMBERS['extension'][0]}"]
    for path in [*pages, "/common-issues", "/debt", "/faq"]:
        for width in (1280, 390):
            console.page.set_viewport_size({"width": width, "height": 900})
            console.open(path)
            wide = console.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path, wide)
            name = path.strip("/").replace("/", "-").replace("?view=", "-")
            if "FT-" in name:
                name = "appeal"
            console.screenshot(f"{name}-{width}")
    assert console.complaints == []
