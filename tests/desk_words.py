"""Made-up sentences as enterprises write them, from many templates; equal seeds say equal things."""

from __future__ import annotations

import random

SURNAMES = "张王李赵陈林黄周吴徐孙胡朱高何郭马罗"
_FIRST = "云帆智海天宇华中科鹏飞腾达星辰光远卓越创新汇通金源恒盛鼎立博雅思维联众合力宏图瑞康泰和润丰德信诚安顺利民生"
_TRADES = (
    "智能",
    "信息",
    "生物",
    "网络",
    "软件",
    "文化",
    "贸易",
    "物流",
    "餐饮",
    "投资",
    "设计",
    "医疗器械",
    "新材料",
)
TOPICS = (
    "国高认定", "专精特新", "租金减免", "装修补贴", "停电", "噪音扰民", "上市辅导", "知识产权质押", "人才住房",
    "贷款贴息", "展会补贴", "研发费用加计扣除", "数字化改造", "员工食堂", "停车位", "社保减免", "稳岗返还",
    "子女入学", "消防验收", "环评批复", "电梯故障", "物业收费", "出口退税", "工商变更", "招聘会", "厂房续租",
    "用电增容", "污水排放", "跨境电商", "孵化器入驻", "高企培育库", "设备更新", "绿色工厂", "质量奖", "商标注册",
    "专利年费", "应急周转金", "供应链金融", "欠薪纠纷", "劳动仲裁", "工伤认定", "落户积分", "公租房", "网络故障",
    "垃圾清运", "道路占用", "户外广告", "食品许可", "医疗器械备案", "特种设备检验",
)  # fmt: skip
_PLACES = (
    "车公庙泰然工业园", "八卦岭", "梅林街道", "香蜜湖", "华强北", "福田保税区", "深圳国际创新中心", "上沙创新科技园",
    "天安数码城", "莲花街道", "南园路", "福华三路", "景田北", "下梅林", "沙头街道", "彩田路",
)  # fmt: skip
_ASKING = (
    "怎么申请", "需要什么材料", "什么时候开始受理", "补贴多少钱", "能不能和市里的叠加", "找哪个部门办", "去年没通过今年还能报吗",
    "截止到哪天", "小微企业可以吗", "刚成立一年够不够条件", "要不要现场核查", "多久到账", "被退回了怎么补正", "网上能办吗",
)  # fmt: skip
_SENTENCES = (
    "请问{topic}{asking}？",
    "我们公司在{place}，想了解{topic}，{asking}",
    "{topic}的事情{asking}，麻烦看一下",
    "老师好，{company}想申请{topic}，{asking}？",
    "{place}这边{topic}的问题反映了{n}次，一直没人处理",
    "上次说的{topic}，合同编号{number}，现在到哪一步了",
    "员工{n}人，营收{n}万，{topic}{asking}",
    "订单{number}的发票还没开，另外{topic}{asking}",
    "好的，谢谢",
    "收到",
    "还是没明白，{topic}到底{asking}",
    "你们电话打不通，{surname}经理让我问{topic}",
    "{year}年的{topic}通知在哪里看",
    "材料已提交，受理号{number}，请查收",
)
_MATTERS = (
    "{company}反映：{place}近期{topic}，已影响生产经营{n}天，请协调解决。",
    "我司位于{place}，{topic}事项于{year}年提交，受理号{number}，至今没有答复，{asking}。",
    "关于{topic}：多次致电未果，{surname}先生要求书面答复，并说明{asking}。",
    "{place}多家企业联名，希望解决{topic}和{other}，涉及员工{n}人。",
    "申请{topic}被退回，理由是材料不全，但窗口未说明{asking}，请核实。",
    "{topic}与{other}政策口径不一致，请明确{asking}，合同编号{number}。",
)


def company(rng: random.Random) -> str:
    """The name of an enterprise."""
    first = "".join(rng.choices(_FIRST, k=rng.choice((2, 3, 4))))
    return f"深圳市{first}{rng.choice(_TRADES)}{rng.choice(('科技', '实业', ''))}有限公司"


def sentence(rng: random.Random, number: int) -> str:
    """What a visitor writes; ``number`` may appear as a number of theirs."""
    return _filled(rng, rng.choice(_SENTENCES), number)


def matter(rng: random.Random, number: int) -> str:
    """What an appeal is about, one to four sentences."""
    return "".join(_filled(rng, rng.choice(_MATTERS), number) for _ in range(rng.randint(1, 4)))


def _filled(rng: random.Random, template: str, number: int) -> str:
    if "{" not in template:
        return template
    return template.format(
        topic=rng.choice(TOPICS),
        other=rng.choice(TOPICS),
        asking=rng.choice(_ASKING),
        place=rng.choice(_PLACES),
        company=company(rng) if "{company}" in template else "",
        surname=rng.choice(SURNAMES),
        number=f"{number:07d}",
        n=rng.randint(1, 300),
        year=rng.randint(2023, 2026),
    )
