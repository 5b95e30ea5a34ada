"""Made-up enterprises as people would describe them: few facts, many left out, some at the edge of a condition."""

from __future__ import annotations

from typing import Any

_FUTIAN = {
    "registered_district": "福田区",
    "registered_city": "深圳市",
    "registered_province": "广东省",
}
_ALL_FUTIAN = {**_FUTIAN, "tax_district": "福田区", "stat_district": "福田区"}
_CLEAN = {"legal_person": True, "credit_ok": True}
_GAOQI = "国家高新技术企业"

ENTERPRISES: tuple[dict[str, Any], ...] = (
    # A software house that tells only what it was asked first.
    {**_FUTIAN, "industry": "软件", "annual_revenue_cny": 32_000_000, "qualifications": [_GAOQI], "employees": 86},
    # Says nothing at all, and one that says only where it is.
    {"employees": 30},
    {"registered_district": "福田区"},
    # A high-tech company of last year's certificate, with every fact that Futian's award asks.
    {**_FUTIAN, **_CLEAN, "qualifications": [_GAOQI], "gaoqi_cert_last_year": True, "self_use_office": True},
    # Moved in last year and above scale.
    {**_FUTIAN, **_CLEAN, "qualifications": [_GAOQI, "规上服务业"], "moved_in_last_year": True},
    # Refused with 69.5 points: both ends of the range hold; with 70 the upper end fails.
    {**_FUTIAN, "credit_ok": True, "qualifications": [], "gaoqi_score_last_year": 69.5},
    {**_FUTIAN, "credit_ok": True, "qualifications": [], "gaoqi_score_last_year": 70},
    # R&D of exactly the amount that has to be exceeded, and one yuan more.
    {**_FUTIAN, "credit_ok": True, "rd_expense_cny": 500_000, "negative_list_industry": False},
    {**_FUTIAN, "credit_ok": True, "rd_expense_cny": 500_001, "negative_list_industry": True},
    # A loan at the limit of five million: the alternative needs a profit then.
    {**_ALL_FUTIAN, "loan_amount_cny": 5_000_000, "loan_filed_same_year": True, "loan_repaid_on_time": True,
     "loan_months": 6, "net_profit_positive": False},
    {**_ALL_FUTIAN, "loan_amount_cny": 4_999_999, "loan_filed_same_year": True, "loan_repaid_on_time": True},
    {**_ALL_FUTIAN, "loan_amount_cny": 5_000_000, "loan_filed_same_year": True, "loan_repaid_on_time": True},
    # A pledge of patents; twelve months are still within a year, thirteen are not.
    {**_FUTIAN, "ip_pledge_patent": True, "loan_months": 12, "loan_filed_same_year": True,
     "loan_repaid_on_time": True, "qualifications": ["科技型企业"]},
    {**_FUTIAN, "ip_pledge_patent": True, "loan_months": 13, "loan_filed_same_year": True,
     "loan_repaid_on_time": True, "qualifications": ["科技型企业"]},
    # A start-up with equity just below and at ten million.
    {**_ALL_FUTIAN, "legal_person": True, "competition_award_top3": False, "excellent_startup_filed": False,
     "equity_financing_cny": 9_999_999.5},
    {**_ALL_FUTIAN, "legal_person": True, "competition_award_top3": False, "equity_financing_cny": 10_000_000},
    {**_ALL_FUTIAN, "legal_person": True, "competition_award_top3": False, "equity_financing_cny": 3_000_000},
    # A law firm, a credit bureau, a fashion house, an exhibition organiser.
    {**_FUTIAN, "industry": "法律服务", "annual_tax_cny": 2_000_000, "annual_revenue_cny": 20_000_000, "bought_office": True},
    {"industry": "信用服务业", "annual_revenue_cny": 10_000_000, "self_use_office": True, "legal_person": True},
    {**_ALL_FUTIAN, "industry": "时尚", "store_area_sqm": 200, "store_settle_futian": True, "bought_office": False},
    {"industry": "会展", "exhibition_h1_2023": True, "operating_city": "深圳市", "overseas_exhibition": True, **_CLEAN},
    # Going public: at each stage.
    {**_ALL_FUTIAN, **_CLEAN, "listing_stage": "辅导完成", "is_private_or_sme": True},
    {**_ALL_FUTIAN, **_CLEAN, "listing_stage": "境内上市", "listing_year": 2019, "from_outside_city": True,
     "moved_in_years": 1, "annual_revenue_cny": 500_000_000, "moved_in_within_5y": True},
    {**_ALL_FUTIAN, **_CLEAN, "listing_stage": "境外上市", "listing_year": 2018, "overseas_direct_listing": True,
     "raised_back_ratio_pct": 29.9, "is_private_or_sme": True},
    {**_FUTIAN, **_CLEAN, "listing_stage": "新三板创新层", "is_private_or_sme": True},
    # Chips and drugs with alternatives: a project, or a share of R&D.
    {**_FUTIAN, "industry": "集成电路", "rd_expense_ratio_pct": 15},
    {**_FUTIAN, "industry": "集成电路", "rd_expense_ratio_pct": 14.9},
    {**_FUTIAN, "industry": "人工智能", "upper_project_last_year": False, "ai_platform_provincial": False,
     "rd_expense_ratio_pct": 14},
    {**_FUTIAN, "industry": "生物医药", "upper_project_accepted_last_year": True, "legal_person": True},
    # The little giant of 2026, complete; then with the title already; then short of one patent.
    {"registered_province": "广东省", "qualifications": ["专精特新中小企业"], "market_years": 3, "annual_revenue_cny": 50_000_000,
     "main_business_ratio_pct": 90, "revenue_cagr_2y_pct": 5, "debt_ratio_pct": 75, "rd_expense_2y_cny": 12_000_000,
     "rd_expense_ratio_pct": 3, "ip_class1_count": 4, "market_share_pct": 10, "zjtx_score": 60},
    {"qualifications": ["专精特新中小企业", "专精特新小巨人"], "market_years": 9, "registered_city": "深圳市"},
    {"qualifications": ["专精特新中小企业"], "market_years": 5, "annual_revenue_cny": 80_000_000, "ip_class1_count": 3},
    # The national high-tech certificate: enough points, too few, none told.
    {"registered_years": 1, "core_ip": True, "tech_staff_ratio_pct": 10, "rd_tier_ok": True,
     "hitech_income_ratio_pct": 60, "gaoqi_score": 70, "no_major_violation_1y": True},
    {"registered_years": 0.9, "core_ip": True, "tech_staff_ratio_pct": 20, "rd_tier_ok": True,
     "hitech_income_ratio_pct": 80, "gaoqi_score": 90, "no_major_violation_1y": True},
    {"registered_years": 4, "core_ip": True, "hitech_income_ratio_pct": 61, "gaoqi_score": 71},
    # Technology SME: by its score, by its certificate, by neither.
    {"employees": 500, "annual_revenue_cny": 200_000_000, "assets_total_cny": 200_000_000, "tech_sme_score": 60,
     "prohibited_product": False, "credit_ok": True},
    {"employees": 120, "annual_revenue_cny": 60_000_000, "assets_total_cny": 90_000_000, "tech_sme_score": 30,
     "qualifications": [_GAOQI], "prohibited_product": False, "credit_ok": True},
    {"employees": 120, "annual_revenue_cny": 60_000_000, "assets_total_cny": 90_000_000, "tech_sme_score": 59.5,
     "qualifications": [], "sci_award_top3_5y": False, "provincial_rd_platform": False, "standard_lead_5y": False,
     "prohibited_product": False, "credit_ok": True},
    {"employees": 501, "annual_revenue_cny": 60_000_000, "assets_total_cny": 50_000_000, "tech_sme_score": 88},
    # Small taxpayers.
    {"taxable_income_cny": 3_000_000, "employees": 300, "assets_total_cny": 50_000_000, "taxpayer_type": "一般纳税人",
     "monthly_sales_cny": 90_000},
    {"taxable_income_cny": -200_000, "employees": 30, "assets_total_cny": 800_000, "taxpayer_type": "小规模纳税人",
     "monthly_sales_cny": 100_000},
    {"taxable_income_cny": 3_000_001, "employees": 31, "taxpayer_type": "小规模纳税人", "monthly_sales_cny": 100_001},
    # Neighbours: Longgang, Luohu, Nanshan, Guangming, Qianhai.
    {"registered_district": "龙岗区", "registered_city": "深圳市", "qualifications": ["重点小巨人", "绿色工厂"], "rd_expense_cny": 3_000_000,
     "rd_superdeduction_filed": True, "in_incubator": True},
    {"registered_district": "罗湖区", "registered_city": "深圳市", "moved_in": True, "qualifications": ["专精特新中小企业"]},
    {"registered_district": "南山区", "registered_city": "深圳市", "qualifications": ["科技型中小企业"], "rd_expense_ratio_pct": 4,
     "loan_months": 3, "loan_repaid_on_time": True, "rd_stat_enterprise": False},
    {"stat_district": "光明区", "industry": "批发", "new_xianshang": True, "next_year_growth_positive": True},
    {"park": "前海合作区", "org_type": "研发中心"},
    {"park": "深圳高新区", "rd_expense_ratio_pct": 5, "revenue_growth_pct": 20, "industry_20_8": True, "torch_stat_done": True,
     "from_outside_city": True, "paid_in_capital_cny": 99_999_999},
    # Factories: an upgrade of twenty million, of half a billion less one yuan; an output of ten billion.
    {"registered_city": "深圳市", **_CLEAN, "is_industrial": True, "project_investment_cny": 20_000_000},
    {"registered_city": "深圳市", **_CLEAN, "is_industrial": True, "project_investment_cny": 499_999_999,
     "smart_factory_project": True, "tech_reform_loan": True},
    {"registered_city": "深圳市", "is_industrial": True, "industrial_output_cny": 10_000_000_000, "legal_person": True},
    {"registered_city": "深圳市", "is_industrial": False, "project_investment_cny": 900_000_000},
    {"registered_city": "深圳市", "is_industrial": True, "in_first_set_catalog": True, "payment_received_ratio_pct": 60,
     "invention_patent_granted": True, "localization_ratio_pct": 69, "credit_ok": True},
    # Design centres, vouchers, demonstrations.
    {"registered_city": "深圳市", "qualifications": ["市级工业设计中心", "省级工业设计中心"]},
    {"registered_city": "深圳市", "compute_contract": True, "corpus_via_exchange": True, "corpus_non_related": False,
     "model_filed": True, "model_demand_side": True, "ai_demo_project": True},
    # Services for others: score and years.
    {"operating_city": "深圳市", "operating_years": 3, "digital_service_type": "综合型", "review_score": 60, "credit_ok": True},
    {"operating_city": "深圳市", "operating_years": 2, "digital_service_type": "非综合型", "review_score": 59, "credit_ok": True},
    # People: founders, graduates, those hard to employ.
    {"registered_city": "深圳市", "registered_years": 3, "operating_months": 6, "founder_type": "在校学生",
     "startup_subsidy_never": True, "hired_social_insurance_months": 6, "rent_paid_months": 2},
    {"registered_city": "深圳市", "registered_years": 3.5, "founder_type": "港澳居民", "rent_paid_months": 12},
    {"registered_city": "深圳市", "is_sme": True, "hired_graduates": 0, "hired_difficult": 1, "hired_social_insurance_months": 9},
    {"registered_city": "深圳市", "unemployment_insurance_months": 12, "layoff_rate_pct": 5.6, "small30_layoff_ok": True,
     "serious_dishonesty": False},
    {"registered_city": "深圳市", "unemployment_insurance_months": 24, "layoff_rate_pct": 5.5, "serious_dishonesty": True},
    {"registered_city": "深圳市", "borrower_type": "小微企业", "is_small_micro": True, "founder_overseas": True,
     "founder_share_cny": 300_000},
    # Shops and headquarters.
    {"registered_city": "深圳市", "industry": "餐饮", "chain_large": True, "new_direct_stores": 1, "qualifications": ["限上商贸"],
     "project_district": "福田区", "pre_filed": True, "brand_high_end": False},
    {**_FUTIAN, "qualifications": ["市级总部企业", "区级总部企业"], "no_own_office": True, "bought_office": True, "hq_type1": False,
     "hq_signed_agreement": True},
    {**_FUTIAN, "tax_district": "福田区", "legal_person": True, "hq_functions": True, "subsidiaries": 5,
     "district_contribution_cny": 10_000_000},
    # Outside: Guangzhou, and Suzhou.
    {"registered_city": "广州市", "registered_province": "广东省", "is_sme": True, "qualifications": ["创新型中小企业"]},
    {"registered_city": "苏州市", "registered_province": "江苏省", "registered_district": "吴中区", "qualifications": [_GAOQI],
     "is_sme": True, "employees": 200},
    # The excellent culture company, a third year at 25 %.
    {"registered_city": "深圳市", "legal_person": True, "registered_years": 3, "industry": "动漫游戏", "annual_revenue_cny": 10_000_000,
     "annual_tax_cny": 1_000_000, "revenue_cagr_3y_pct": 25, "culture_award_never_3y": True},
    # Specialised SME of the city: money instead of revenue, an award instead of points.
    {"registered_city": "深圳市", **_CLEAN, "qualifications": ["创新型中小企业"], "is_sme": True, "market_years": 2,
     "rd_expense_cny": 1_000_000, "rd_expense_ratio_pct": 3, "annual_revenue_cny": 9_000_000,
     "equity_financing_2y_cny": 20_000_000, "zjtx_score": 55, "sci_award_prov": True, "no_major_violation_3y": True},
    {"registered_city": "深圳市", **_CLEAN, "qualifications": ["创新型中小企业"], "is_sme": True, "market_years": 2,
     "rd_expense_cny": 1_000_000, "rd_expense_ratio_pct": 3, "annual_revenue_cny": 9_000_000,
     "equity_financing_2y_cny": 19_000_000, "no_major_violation_3y": True},
)  # fmt: skip
