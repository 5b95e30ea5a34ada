"""What a clause is about: headings first, telling words next."""

from __future__ import annotations

import pytest

from knowledge.documents.facets import facet_of, names_facet
from knowledge.policy import Facet


@pytest.mark.parametrize(
    ("headings", "text", "facet"),
    [
        (("第二章 资助标准",), "按前条办理。", Facet.AMOUNT),
        (("第二章 资助标准", "第八条 申报条件"), "独立法人。", Facet.CONDITIONS),
        (("第三章 申报与审核", "应当提交下列材料："), "营业执照。", Facet.MATERIALS),
        (("第三章 申报与审核",), "每年三月集中受理，逾期不予受理。", Facet.WINDOW),
        (("第三章 申报与审核",), "审核结果公示五个工作日。", Facet.PROCESS),
        (("第三章 申报与审核",), "自受理截止之日起三十个工作日内完成审核。", Facet.PROCESS),
        (("一、补助对象",), "本区企业。", Facet.CONDITIONS),
        (("四、申报时间",), "即日起。", Facet.WINDOW),
        (("第四章 附则",), "本措施由区科技创新局负责解释。", Facet.DEPARTMENT),
        (("第四章 附则",), "本措施自2024年4月1日起施行，有效期3年。", Facet.VALIDITY),
        (("六、其他",), "咨询电话：0755-82918333。", Facet.CONTACT),
        (("六、受理部门和咨询方式",), "受理部门：福田区工业和信息化局。", Facet.DEPARTMENT),
        (("（一）支持企业集聚",), "申报企业应当符合下列条件：", Facet.CONDITIONS),
        (("（一）支持企业集聚",), "其他企业参照执行。", Facet.AMOUNT),
        (("五、保障措施",), "加强组织领导。", Facet.OVERVIEW),
        ((), "对首次认定的企业，给予十万元奖励。", Facet.AMOUNT),
        ((), "本措施适用于在福田区登记注册的企业。", Facet.CONDITIONS),
        (("第一章 总则",), "为推动产业发展，制定本措施。", Facet.OVERVIEW),
        (("附件2 申请表",), "企业名称；电话", Facet.MATERIALS),
    ],
)  # fmt: skip
def test_facet(headings: tuple[str, ...], text: str, facet: Facet) -> None:
    assert facet_of(headings, text) is facet


@pytest.mark.parametrize("text", ["申报条件", "申报材料", "受理时间", "咨询电话", "扶持标准"])
def test_name_of_a_facet(text: str) -> None:
    assert names_facet(text)


@pytest.mark.parametrize(
    "text",
    [
        "应当符合下列条件",
        "支持企业上市",
        "营业执照",
        "联系人：陈先生",
        "在受理时间以外提交的一律不予接收",
    ],
)
def test_no_name_of_a_facet(text: str) -> None:
    assert not names_facet(text)
