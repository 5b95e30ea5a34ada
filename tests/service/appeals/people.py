"""Somebody of each role, for tests of the desk."""

from __future__ import annotations

from service.staff.permissions import Role, Staff

CENTRE = Staff("c1", "李主任", Role.CENTRE)
COMMISSIONER = Staff("s1", "王专员", Role.COMMISSIONER)
ADMIN = Staff("a1", "管理员", Role.ADMIN)
POWER = Staff("p1", "供电张工", Role.DEPARTMENT, "power")
SCIENCE = Staff("k1", "科工赵科", Role.DEPARTMENT, "science_industry_it")
FINANCE = Staff("f1", "金融钱科", Role.DEPARTMENT, "finance")
EVERYBODY = (CENTRE, COMMISSIONER, ADMIN, POWER, SCIENCE, FINANCE)
POWER_NAME = "深圳供电局福田供电局"
SCIENCE_NAME = "福田区科技和工业信息化局"
