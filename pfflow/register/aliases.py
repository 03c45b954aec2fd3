"""Every name the register answers to: sheets, columns and words, in Chinese and English. Data only.

The first Chinese name is the one that is written. Names are compared without case, width, spaces, hyphens and
underscores, so each is listed once.
"""

from __future__ import annotations

from pfflow.register.columns import Column, Kind, Sheet, Vocabulary

GUIDE = ("说明", "Guide", "使用说明", "填写说明", "Read me")
"""Titles of sheets that explain the register and hold no facts."""

REQUIRED_SHEETS = ("parties", "contacts", "projects", "participations")

YES_NO: Vocabulary = {
    "yes": ("是", "y", "true", "1", "√", "✓", "有", "同意"),
    "no": ("否", "n", "false", "0", "×", "✗", "x", "无", "不同意"),
}

REALMS: Vocabulary = {"external": ("外部", "ext", "外部客户"), "internal": ("内部", "int", "内部客户", "内部部门")}

PARTY_KINDS: Vocabulary = {
    "investor": ("机构投资者", "投资者", "投资人", "投资机构", "institutional investor", "equity investor"),
    "lender": ("贷款人", "贷款银行", "商业银行", "银行", "bank", "commercial bank"),
    "policy-bank": ("政策性银行", "开发性金融机构", "development bank"),
    "government": ("政府", "政府部门", "主管部门", "government agency"),
    "sponsor": ("发起人", "项目发起人", "控股股东"),
    "borrower": ("借款人", "项目公司", "spv", "project company"),
    "industrial-partner": ("产业合作伙伴", "产业合作方", "产业伙伴", "合作伙伴", "战略合作伙伴", "partner"),
    "contractor": ("施工单位", "承包商", "总承包商", "施工方", "epc", "epc contractor"),
    "designer": ("设计院", "设计单位", "设计方", "design institute"),
    "supervisor": ("监理单位", "监理", "监理方", "owner's engineer"),
    "offtaker": ("最终用户", "购买方", "购电方", "终端用户", "off-taker", "end user"),
    "adviser": ("顾问", "中介机构", "advisor", "consultant"),
    "department": ("内部部门", "部门"),
    "group": ("联合小组", "联合指挥部", "联合指挥小组", "工作组", "committee", "joint group"),
}

TIERS: Vocabulary = {"A": ("A级", "A类", "一级"), "B": ("B级", "B类", "二级"), "C": ("C级", "C类", "三级")}

LEVELS: Vocabulary = {
    "working": ("经办层", "经办", "工作层", "staff"),
    "management": ("管理层", "中层", "manager"),
    "steering": ("决策层", "高层", "领导层", "executive"),
}

CHANNELS: Vocabulary = {
    "email": ("邮件", "电子邮件", "e-mail", "mail"),
    "phone": ("电话", "手机", "call"),
    "chat": ("即时通讯", "微信", "wechat"),
    "sms": ("短信", "手机短信", "text message"),
    "wecom": ("企业微信", "企微"),
    "dingtalk": ("钉钉",),
    "feishu": ("飞书", "lark"),
    "teams": ("microsoft teams", "ms teams"),
    "slack": ("slack.com",),
}

PHASES: Vocabulary = {
    "identification": ("识别", "项目识别", "identify"),
    "assessment": ("评估", "项目评估", "assess"),
    "fundraising": ("筹资", "融资", "资金筹集", "raise", "fund raising"),
    "implementation": ("实施", "建设", "实施监控", "monitor", "monitoring"),
    "exit": ("退出", "项目退出"),
}

ROLES: Vocabulary = {
    "sponsor": ("发起人", "项目发起人"),
    "borrower": ("借款人", "项目公司"),
    "lender": ("贷款人", "贷款银行"),
    "lenders": ("全体贷款人",),
    "policy-bank": ("政策性银行",),
    "investor": ("投资人", "投资者", "机构投资者"),
    "investors": ("全体投资人",),
    "facility-agent": ("代理行", "agent"),
    "mandated-lead-arranger": ("牵头行", "牵头安排行", "mla", "lead arranger"),
    "technical-adviser": ("技术顾问", "technical advisor"),
    "legal-adviser": ("法律顾问", "legal advisor"),
    "industrial-partner": ("产业合作伙伴", "产业合作方"),
    "contractor": ("施工单位", "承包商", "总承包商"),
    "designer": ("设计院", "设计单位"),
    "supervisor": ("监理单位", "监理"),
    "offtaker": ("最终用户", "购买方", "off-taker"),
    "guarantor": ("担保人", "保证人"),
    "insurer": ("保险人", "保险公司"),
    "government": ("政府", "主管部门"),
    "finance": ("财务部", "财务", "财务部门"),
    "engineering": ("工程部", "工程", "工程部门"),
    "legal": ("法务部", "法务", "法律部"),
    "operations": ("运营部", "运营", "运营部门"),
    "joint-command": ("联合指挥部", "联合指挥小组", "joint command group"),
    "head-of-relationship": ("客户关系负责人", "客户关系主管", "head of relationship"),
}

MILESTONES: Vocabulary = {
    "financial-close": ("融资关闭", "财务关闭", "fc"),
    "first-utilisation": ("首次提款", "首笔提款", "first drawdown"),
    "completion": ("完工", "竣工", "交工验收"),
    "cod": ("商业运营", "投入运营", "通车", "commercial operation"),
    "maturity": ("到期", "贷款到期"),
}

CONDITION_STATUSES: Vocabulary = {
    "outstanding": ("未落实", "未提交", "open"),
    "agreed-form": ("格式已议定", "in agreed form"),
    "received": ("已收到", "已提交"),
    "satisfied": ("已落实", "已满足", "fulfilled"),
    "waived": ("已豁免", "豁免"),
    "subsequent": ("转为后续条件", "后续条件", "condition subsequent", "cs"),
}

METRICS: Vocabulary = {
    "cfads": ("可用于偿债的现金流", "可用于还本付息的现金流", "偿债可用现金流"),
    "interest": ("利息",),
    "principal": ("本金", "还本", "scheduled principal"),
    "debt_service": ("还本付息", "偿债额"),
    "revenue": ("收入", "营业收入"),
    "opex": ("运营成本", "经营成本", "operating costs"),
    "net_assets": ("净资产",),
    "debt": ("债务余额", "贷款余额"),
    "equity": ("权益", "资本金"),
    "dscr": ("偿债备付率", "债务保障比率"),
    "llcr": ("贷款期偿债覆盖率", "贷款存续期覆盖率"),
    "plcr": ("项目期偿债覆盖率", "项目寿命期覆盖率"),
}

BASES: Vocabulary = {
    "actual": ("实际", "实际值", "actuals"),
    "forecast": ("预测", "预测值"),
    "base-case": ("基准", "基准情景", "base"),
}

NEED_STATUSES: Vocabulary = {"open": ("待处理", "未满足"), "met": ("已满足", "已完成"), "declined": ("不予满足",)}

RACI_CODES: Vocabulary = {
    "R": ("R 执行", "执行", "responsible"),
    "A": ("A 负责", "负责", "accountable"),
    "C": ("C 咨询", "咨询", "consulted"),
    "I": ("I 知会", "知会", "informed"),
}

FREQUENCIES: Vocabulary = {
    "once": ("一次", "一次性", "one-off"),
    "monthly": ("月度", "每月", "按月", "month"),
    "half-monthly": ("半月度", "半月", "每半月", "semi-monthly"),
    "quarterly": ("季度", "每季", "按季", "quarter"),
    "semi-annual": ("半年度", "半年", "每半年", "semi-annually", "half-yearly"),
    "annual": ("年度", "每年", "按年", "annually", "yearly"),
}

DAY_TYPES: Vocabulary = {
    "calendar": ("自然日", "日历日", "cal", "calendar days"),
    "business": ("工作日", "营业日", "bus", "business days"),
}

CONVENTIONS: Vocabulary = {
    "unadjusted": ("不调整",),
    "following": ("顺延", "下一工作日"),
    "modified-following": ("修正顺延", "经调整的下一工作日"),
    "preceding": ("提前", "上一工作日"),
    "modified-preceding": ("修正提前",),
    "half-month-modified-following": ("半月修正顺延",),
    "nearest": ("最近工作日",),
}

OPERATORS: Vocabulary = {
    ">=": ("不低于", "≥", "=>", "at least"),
    ">": ("高于", "大于", "above"),
    "<=": ("不高于", "≤", "=<", "at most"),
    "<": ("低于", "小于", "below"),
}

TOUCHES: Vocabulary = {
    "meeting": ("会议", "拜访", "visit"),
    "call": ("电话", "通话"),
    "mail": ("邮件", "email", "e-mail"),
    "feedback": ("反馈", "意见反馈"),
    "issue": ("问题", "投诉", "complaint"),
    "acknowledgement": ("确认收到", "收悉", "acknowledgment", "ack"),
    "fulfilment": ("履行", "已提交", "fulfillment"),
    "waiver": ("豁免",),
    "approval": ("批准", "同意", "approved"),
    "rejection": ("否决", "不同意", "rejected"),
    "rework": ("退回修改", "退回"),
    "handover": ("移交", "转交", "hand over"),
    "resolution": ("已解决", "解决方案", "resolved", "solution"),
    "confirmation": ("确认解决", "已确认", "confirmed"),
}

DIRECTIONS: Vocabulary = {
    "inbound": ("来访", "收到", "in", "incoming"),
    "outbound": ("外发", "发出", "out", "outgoing"),
}

SEVERITIES: Vocabulary = {
    "critical": ("紧急", "特别严重", "urgent"),
    "high": ("严重", "高"),
    "normal": ("一般", "中", "medium"),
    "low": ("轻微", "低", "minor"),
}

QUESTIONS: Vocabulary = {
    "nps": ("推荐意愿", "净推荐值", "net promoter score"),
    "csat": ("满意度", "satisfaction"),
    "ces": ("费力度", "customer effort score"),
}

_PROJECT = Column("project_ref", Kind.REF, "项目编号", "Project ref", "PRJ-001", ("项目", "project", "project id"))
_PARTY = Column("party_ref", Kind.REF, "参与方编号", "Party ref", "P-001", ("参与方", "party", "party id", "客户编号"))
_CURRENCY = Column("currency", Kind.CURRENCY, "币种", "Currency", "CNY", ("货币", "ccy"))
_NAME = Column(
    "name", Kind.TEXT, "英文名称", "Name", "Example Bank Ltd", ("名称", "英文名", "name (en)", "名称（英文）")
)
_NAME_ZH = Column("name_zh", Kind.TEXT, "中文名称", "Chinese name", "示例银行", ("中文名", "name (zh)", "名称（中文）"))
_SOURCE = Column("source", Kind.TEXT, "来源", "Source", "年度报告", ("数据来源",))
_CONVENTION = Column(
    "convention", Kind.CHOICE, "日期调整", "Convention", "modified-following", ("营业日惯例", "roll"), CONVENTIONS
)
_HANGS_ON = Column(
    "milestone", Kind.WORD, "所依据节点", "Milestone", "", ("节点", "里程碑", "依据节点", "counted from"), MILESTONES
)
_OWNER_ROLE = Column("owner_role", Kind.WORD, "负责角色", "Owner role", "engineering", ("负责部门", "owner"), ROLES)

SHEETS: tuple[Sheet, ...] = (
    Sheet(
        "parties",
        "参与方",
        "Parties",
        ("party", "客户", "客户表", "参与方名录", "accounts"),
        "每个法人、部门或小组一行，不论担任几个角色。",
        "One row a legal entity, department or group, whatever roles it holds.",
        (
            Column("party_ref", Kind.REF, "参与方编号", "Party ref", "P-001", ("编号", "客户编号", "party id", "id")),
            _NAME,
            _NAME_ZH,
            Column(
                "kind",
                Kind.CHOICE,
                "类型",
                "Kind",
                "policy-bank",
                ("type", "参与方类型", "客户类型", "party type"),
                PARTY_KINDS,
            ),
            Column("realm", Kind.CHOICE, "内外部", "Realm", "external", ("内部/外部", "范围"), REALMS),
            Column("tier", Kind.CHOICE, "等级", "Tier", "A", ("客户等级", "分级", "rating"), TIERS),
            Column("jurisdiction", Kind.TEXT, "注册地", "Jurisdiction", "CN", ("注册国家", "司法辖区")),
            Column("lei", Kind.LEI, "LEI编码", "LEI", "969500KSV493XWY0PS33", ("全球法人识别编码", "lei code")),
            Column(
                "uscc",
                Kind.USCC,
                "统一社会信用代码",
                "USCC",
                "91110000600037341L",
                ("信用代码", "unified social credit code"),
            ),
            Column("registered_capital", Kind.AMOUNT, "注册资本", "Registered capital", "1.2亿", ("注册资金",)),
            _CURRENCY,
            Column("sector", Kind.TEXT, "行业", "Sector", "公路", ("所属行业", "industry")),
            Column("risk_tolerance", Kind.TEXT, "风险承受能力", "Risk tolerance", "中", ("风险偏好等级",)),
            Column(
                "preference", Kind.TEXT, "投资偏好", "Preference", "长期稳定收益", ("偏好", "investment preference")
            ),
            Column("capital_size", Kind.AMOUNT, "资金规模", "Capital size", "50亿", ("可投资金额",)),
            Column("policy_orientation", Kind.TEXT, "政策导向", "Policy orientation", "交通强国", ()),
            Column("support_level", Kind.TEXT, "支持力度", "Support level", "高", ()),
            Column(
                "parent_ref",
                Kind.REF,
                "上级编号",
                "Parent ref",
                "P-000",
                ("母公司编号", "控股方编号", "上级单位", "parent"),
            ),
            Column(
                "ownership_pct",
                Kind.PERCENT,
                "持股比例",
                "Ownership",
                "60%",
                ("股权比例", "ownership %", "ownership percent"),
            ),
            Column(
                "owner_ref", Kind.REF, "关系负责人", "Relationship owner", "C-001", ("owner_user", "客户经理", "owner")
            ),
            _SOURCE,
            Column("as_of", Kind.DATE, "数据日期", "As of", "2026-03-15", ("截至日期", "更新日期")),
        ),
    ),
    Sheet(
        "contacts",
        "联系人",
        "Contacts",
        ("contact", "通讯录", "联系人名录", "people"),
        "每个人一行；一格只写一个邮箱。",
        "One row a person; one e-mail address a cell.",
        (
            Column("contact_ref", Kind.REF, "联系人编号", "Contact ref", "C-001", ("编号", "contact id", "id")),
            _PARTY,
            Column("name", Kind.TEXT, "姓名", "Name", "李华", ("联系人", "full name")),
            Column(
                "email",
                Kind.EMAIL,
                "邮箱",
                "E-mail",
                "li.hua@bank.example",
                ("电子邮箱", "电子邮件", "邮件地址", "mail"),
            ),
            Column("phone", Kind.TEXT, "电话", "Phone", "+86 10 5555 0100", ("手机", "联系电话", "mobile")),
            Column("role_title", Kind.TEXT, "职务", "Title", "客户经理", ("职位", "role title", "job title")),
            Column("level", Kind.CHOICE, "层级", "Level", "working", ("seniority", "级别"), LEVELS),
            Column("language", Kind.LANGUAGE, "语言", "Language", "zh-CN", ("首选语言",)),
            Column("timezone", Kind.TIMEZONE, "时区", "Time zone", "Asia/Shanghai", ("tz",)),
            Column("channel", Kind.CHOICE, "渠道", "Channel", "email", ("联系方式", "沟通渠道"), CHANNELS),
            Column("consent", Kind.YES_NO, "同意联系", "Consent", "yes", ("授权同意",)),
            Column("unsubscribed", Kind.YES_NO, "已退订", "Unsubscribed", "no", ("退订", "opted out")),
        ),
    ),
    Sheet(
        "projects",
        "项目",
        "Projects",
        ("project", "项目表", "项目清单"),
        "每个融资项目一行。",
        "One row a financing.",
        (
            Column("project_ref", Kind.REF, "项目编号", "Project ref", "PRJ-001", ("编号", "project id", "id")),
            Column(
                "name",
                Kind.TEXT,
                "英文名称",
                "Name",
                "Example Expressway",
                ("名称", "项目名称", "英文名", "project name", "name (en)", "名称（英文）"),
            ),
            Column(
                "name_zh",
                Kind.TEXT,
                "中文名称",
                "Chinese name",
                "示例高速公路",
                ("中文名", "name (zh)", "名称（中文）"),
            ),
            Column("sector", Kind.TEXT, "行业", "Sector", "公路", ("所属行业", "industry")),
            Column("country", Kind.TEXT, "国家", "Country", "CN", ("国别", "所在国")),
            Column("phase", Kind.CHOICE, "阶段", "Phase", "implementation", ("项目阶段", "融资阶段"), PHASES),
            Column("sponsor_ref", Kind.REF, "发起人编号", "Sponsor ref", "P-002", ("发起人", "sponsor")),
            Column("borrower_ref", Kind.REF, "借款人编号", "Borrower ref", "P-003", ("借款人", "borrower")),
            Column("capex", Kind.AMOUNT, "总投资", "Capex", "86亿", ("投资总额", "总投资额", "total investment")),
            _CURRENCY,
            Column("debt", Kind.AMOUNT, "债务", "Debt", "60.2亿", ("债务资金", "贷款金额", "贷款总额")),
            Column("equity", Kind.AMOUNT, "资本金", "Equity", "25.8亿", ("权益资金", "项目资本金")),
            Column("loan_rate", Kind.RATE, "贷款利率", "Loan rate", "4.5%", ("利率", "interest rate")),
            Column(
                "ep_category",
                Kind.TEXT,
                "赤道原则类别",
                "EP category",
                "B",
                ("赤道原则分类", "equator principles category"),
            ),
            Column("fc_date", Kind.DATE, "融资关闭日", "Financial close", "2025-12-18", ("融资关闭日期", "fc")),
            Column(
                "cod_date",
                Kind.DATE,
                "商业运营日",
                "COD",
                "2028-06-30",
                ("投运日期", "通车日期", "commercial operation date"),
            ),
            Column("maturity_date", Kind.DATE, "到期日", "Maturity", "2045-12-18", ("贷款到期日", "final maturity")),
            Column("calendars", Kind.TEXT, "日历", "Calendars", "CN", ("calendar", "calendar(s)", "假日历")),
            _CONVENTION,
            Column("status", Kind.TEXT, "状态", "Status", "active", ("项目状态",)),
        ),
    ),
    Sheet(
        "participations",
        "项目角色",
        "Participations",
        ("participation", "参与关系", "项目参与方", "roles"),
        "某参与方在某项目中担任的一个角色一行。",
        "One row a role that a party holds in a project.",
        (
            _PROJECT,
            _PARTY,
            Column("role", Kind.WORD, "角色", "Role", "facility-agent", ("项目中角色", "担任角色"), ROLES),
            Column("share", Kind.PERCENT, "份额", "Share", "25%", ("比例", "承贷份额", "share %")),
            Column("since", Kind.DATE, "起始日", "Since", "2026-01-01", ("开始日期", "from")),
            Column("until", Kind.DATE, "截止日", "Until", "2045-12-18", ("结束日期", "to")),
            Column("confidentiality", Kind.TEXT, "保密级别", "Confidentiality", "内部", ("密级",)),
        ),
    ),
    Sheet(
        "milestones",
        "里程碑",
        "Milestones",
        ("milestone", "节点", "关键节点"),
        "每个关键节点一行；预计日晚于计划日即为延误。",
        "One row a dated fact; it slips when the forecast passes the plan.",
        (
            _PROJECT,
            Column("milestone", Kind.WORD, "节点编号", "Milestone", "completion", ("里程碑", "节点"), MILESTONES),
            Column("name", Kind.TEXT, "英文名称", "Name", "Completion", ("名称", "节点名称")),
            Column("name_zh", Kind.TEXT, "中文名称", "Chinese name", "交工验收", ("中文名",)),
            Column("planned_on", Kind.DATE, "计划日期", "Planned", "2028-03-31", ("计划", "planned date", "baseline")),
            Column("forecast_on", Kind.DATE, "预计日期", "Forecast", "2028-06-30", ("预计", "forecast date")),
            Column("actual_on", Kind.DATE, "实际日期", "Actual", "", ("实际", "actual date")),
            _OWNER_ROLE,
            Column("reason", Kind.NOTE, "延误原因", "Reason", "征地延迟", ("原因",)),
        ),
    ),
    Sheet(
        "conditions",
        "先决条件",
        "Conditions",
        ("condition", "CP", "CP/CS", "提款条件", "先决条件清单", "conditions precedent"),
        "每项先决或后续条件一行。",
        "One row a condition precedent or subsequent, or an item of a phase gate.",
        (
            _PROJECT,
            Column("cp_ref", Kind.REF, "条件编号", "CP ref", "CP-01", ("编号", "条款编号")),
            Column("text", Kind.NOTE, "英文内容", "Text", "Construction permit in place", ("内容", "条件内容")),
            Column("text_zh", Kind.NOTE, "中文内容", "Chinese text", "取得施工许可证", ()),
            Column("responsible", Kind.WORD, "责任方", "Responsible", "borrower", ("责任人",), ROLES),
            Column("status", Kind.CHOICE, "状态", "Status", "outstanding", (), CONDITION_STATUSES),
            Column("due", Kind.DATE, "到期日", "Due", "2026-05-31", ("截止日期", "due date", "due on")),
            _HANGS_ON,
            Column("offset_days", Kind.INTEGER, "节点后天数", "Offset days", "-30", ("天数", "offset")),
            Column("evidence", Kind.NOTE, "证明材料", "Evidence", "许可证编号", ("证据",)),
            Column("waiver_ref", Kind.REF, "豁免文号", "Waiver ref", "", ("豁免编号",)),
        ),
    ),
    Sheet(
        "financials",
        "财务数据",
        "Financials",
        ("financial", "财务", "现金流", "财务指标"),
        "某参与方或项目某期的一个数一行。",
        "One row a figure of a party or project for a period.",
        (
            Column(
                "subject_ref",
                Kind.REF,
                "主体编号",
                "Subject ref",
                "PRJ-001",
                ("party_or_project_ref", "参与方或项目编号", "项目编号", "参与方编号", "project ref", "party ref"),
            ),
            Column(
                "period_end", Kind.PERIOD, "期末日", "Period end", "2026年3月", ("期间", "期末", "截止期", "period")
            ),
            Column("metric", Kind.WORD, "指标", "Metric", "cfads", ("科目",), METRICS),
            Column("value", Kind.SIGNED_AMOUNT, "数值", "Value", "1.2亿", ("金额", "amount")),
            _CURRENCY,
            Column("basis", Kind.CHOICE, "口径", "Basis", "actual", ("数据口径",), BASES),
            _SOURCE,
        ),
    ),
    Sheet(
        "budget",
        "预算",
        "Budget",
        ("budgets", "预算表", "budget lines"),
        "每个预算科目一行。",
        "One row an approved budget line.",
        (
            _PROJECT,
            Column("budget_line", Kind.REF, "预算科目", "Budget line", "B-01", ("科目编号", "预算编号")),
            Column("name", Kind.TEXT, "英文名称", "Name", "Civil works", ("名称", "科目名称")),
            Column("name_zh", Kind.TEXT, "中文名称", "Chinese name", "土建工程", ("中文名",)),
            Column("amount", Kind.AMOUNT, "预算金额", "Amount", "12亿", ("金额", "预算")),
            _CURRENCY,
        ),
    ),
    Sheet(
        "fund_use",
        "资金使用",
        "Fund use",
        ("资金使用表", "资金支付", "资金使用明细", "payments"),
        "项目账户的每笔支付一行；退款写负数。",
        "One row a payment out of a project account; a refund is negative.",
        (
            Column(
                "paid_on", Kind.DATE, "支付日期", "Paid on", "2026-03-15", ("date", "日期", "付款日期", "payment date")
            ),
            _PROJECT,
            Column("account", Kind.TEXT, "账户", "Account", "建设资金专户", ("付款账户",)),
            Column("payee", Kind.TEXT, "收款人", "Payee", "某路桥公司", ("收款方", "收款单位")),
            Column("amount", Kind.SIGNED_AMOUNT, "金额", "Amount", "3,200万", ("支付金额", "付款金额")),
            _CURRENCY,
            Column("purpose", Kind.NOTE, "用途", "Purpose", "路基工程进度款", ("资金用途",)),
            Column("budget_line", Kind.REF, "预算科目", "Budget line", "B-01", ("科目编号", "预算编号")),
            Column("entrusted", Kind.YES_NO, "受托支付", "Entrusted", "yes", ("是否受托支付", "entrusted payment")),
            Column("voucher", Kind.REF, "凭证号", "Voucher", "V-2026-0001", ("凭证", "凭证编号")),
        ),
    ),
    Sheet(
        "assessments",
        "风险评估",
        "Assessments",
        ("assessment", "风险评分", "评级"),
        "每个风险因素的评分一行，1（强）至4（弱）。",
        "One row the grade of a risk factor, 1 (strong) to 4 (weak).",
        (
            _PROJECT,
            Column("factor", Kind.TEXT, "风险因素", "Factor", "financial-strength", ("因素",)),
            Column("grade", Kind.INTEGER, "评分", "Grade", "2", ("等级", "得分")),
            Column("weight", Kind.PERCENT, "权重", "Weight", "30%", ("weight %",)),
            Column("evidence", Kind.NOTE, "依据", "Evidence", "DSCR 1.35", ("证据",)),
            Column("assessed_on", Kind.DATE, "评估日期", "Assessed on", "2026-03-31", ("评估日",)),
        ),
    ),
    Sheet(
        "needs",
        "需求",
        "Needs",
        ("need", "客户需求"),
        "客户的每项需求一行，用客户自己的话。",
        "One row a need, in the customer's words.",
        (
            Column("need_ref", Kind.REF, "需求编号", "Need ref", "N-001", ("编号", "need id", "id")),
            _PROJECT,
            _PARTY,
            Column("kind", Kind.TEXT, "需求类型", "Kind", "guarantee", ("类型", "type")),
            Column("text", Kind.NOTE, "需求内容", "Text", "希望有完工担保", ("内容", "需求")),
            Column("stated_on", Kind.DATE, "提出日期", "Stated on", "2026-02-10", ("日期", "date")),
            Column("status", Kind.WORD, "状态", "Status", "open", (), NEED_STATUSES),
        ),
    ),
    Sheet(
        "raci",
        "职责分工",
        "RACI",
        ("raci矩阵", "职责矩阵", "责任矩阵", "责任分工"),
        "每个活动恰有一个A（负责）。",
        "Exactly one A (Accountable) an activity.",
        (
            Column("phase", Kind.CHOICE, "阶段", "Phase", "implementation", ("项目阶段",), PHASES),
            Column("activity", Kind.TEXT, "活动", "Activity", "fund-use-report", ("工作事项", "任务")),
            Column("role", Kind.WORD, "角色", "Role", "operations", ("部门", "岗位"), ROLES),
            Column("code", Kind.CHOICE, "职责", "Code", "A", ("raci", "职责代码"), RACI_CODES),
        ),
    ),
    Sheet(
        "obligations",
        "合同义务",
        "Obligations",
        ("obligation", "承诺事项", "信息承诺", "undertakings", "covenants"),
        "合同中的每项信息义务或财务约束一行。",
        "One row an information undertaking or covenant of the documents.",
        (
            Column("obligation_ref", Kind.REF, "义务编号", "Obligation ref", "OB-01", ("编号", "obligation id", "id")),
            _PROJECT,
            Column("kind", Kind.TEXT, "类型", "Kind", "report", ("type", "义务类型")),
            Column("description", Kind.NOTE, "英文说明", "Description", "Annual audited accounts", ("说明", "内容")),
            Column("description_zh", Kind.NOTE, "中文说明", "Chinese description", "年度审计报告", ()),
            Column("clause_ref", Kind.TEXT, "条款", "Clause", "20.1(a)", ("clause ref", "合同条款")),
            Column("debtor_ref", Kind.REF, "义务人编号", "Debtor ref", "P-003", ("义务人", "debtor")),
            Column("creditor_ref", Kind.REF, "权利人编号", "Creditor ref", "P-001", ("权利人", "creditor")),
            Column("frequency", Kind.CHOICE, "频率", "Frequency", "annual", ("周期",), FREQUENCIES),
            Column("offset_days", Kind.INTEGER, "期后天数", "Offset days", "120", ("天数", "offset")),
            Column("day_type", Kind.CHOICE, "天数口径", "Day type", "calendar", ("日类型",), DAY_TYPES),
            _CONVENTION,
            Column("first", Kind.DATE, "起始日期", "First", "2026-12-31", ("首期", "首期期末", "first period end")),
            Column("last", Kind.DATE, "终止日期", "Last", "2045-12-31", ("末期", "末期期末", "last period end")),
            _HANGS_ON,
            Column("grace_days", Kind.INTEGER, "宽限天数", "Grace days", "10", ("宽限期", "grace")),
            _OWNER_ROLE,
            Column("metric", Kind.WORD, "指标", "Metric", "dscr", (), METRICS),
            Column("operator", Kind.CHOICE, "比较", "Operator", ">=", ("比较符", "运算符"), OPERATORS),
            Column("threshold", Kind.NUMBER, "阈值", "Threshold", "1.15", ("限值",)),
        ),
    ),
    Sheet(
        "interactions",
        "往来记录",
        "Interactions",
        ("interaction", "沟通记录", "接触记录", "activities"),
        "与参与方的每次往来一行；时间写明时区。",
        "One row a touch with a party; the time says its zone.",
        (
            Column("ext_id", Kind.REF, "外部编号", "External id", "I-0001", ("编号", "记录编号", "id")),
            _PROJECT,
            _PARTY,
            Column("contact_ref", Kind.REF, "联系人编号", "Contact ref", "C-001", ("联系人", "contact", "contact id")),
            Column("at", Kind.INSTANT, "时间", "When", "2026-03-15T10:00+08:00", ("日期时间", "发生时间", "date time")),
            Column("kind", Kind.CHOICE, "类型", "Kind", "meeting", ("type", "方式"), TOUCHES),
            Column("direction", Kind.CHOICE, "方向", "Direction", "inbound", (), DIRECTIONS),
            Column("subject", Kind.TEXT, "主题", "Subject", "资金使用报告", ("标题",)),
            Column("outcome", Kind.NOTE, "结果", "Outcome", "已确认", ("结论",)),
            Column("next_step", Kind.NOTE, "下一步", "Next step", "补充合同附件", ("后续事项",)),
            Column("obligation_key", Kind.TEXT, "对应义务", "Obligation key", "", ("义务键", "answers")),
            Column("to_ref", Kind.REF, "移交对象", "Handed to", "", ("移交给", "接手人", "hand over to")),
            Column("severity", Kind.WORD, "严重程度", "Severity", "", ("问题等级", "优先级", "priority"), SEVERITIES),
        ),
    ),
    Sheet(
        "surveys",
        "满意度调查",
        "Surveys",
        ("survey", "调查", "问卷", "满意度"),
        "每人每题的答案一行。",
        "One row an answer to one question.",
        (
            Column("survey_ref", Kind.REF, "调查编号", "Survey ref", "S-2026Q1", ("编号", "问卷编号", "survey id")),
            _PROJECT,
            Column(
                "respondent_ref",
                Kind.REF,
                "答卷方编号",
                "Respondent ref",
                "P-001",
                ("party_ref", "参与方编号", "答卷人", "respondent"),
            ),
            Column(
                "about_ref", Kind.REF, "被评方编号", "About ref", "D-FIN", ("department", "部门", "被评部门", "about")
            ),
            Column("answered_on", Kind.DATE, "答卷日期", "Answered on", "2026-03-31", ("date", "日期")),
            Column("question", Kind.CHOICE, "题目", "Question", "nps", ("问题",), QUESTIONS),
            Column("score", Kind.NUMBER, "得分", "Score", "9", ("分数", "评分")),
            Column("comment", Kind.NOTE, "意见", "Comment", "响应及时", ("备注", "评论")),
        ),
    ),
    Sheet(
        "absences",
        "缺勤代理",
        "Absences",
        ("absence", "请假", "休假", "缺勤", "代理", "leave", "out of office"),
        "联系人不在岗的日期一行，首尾均含；写明代理人，不写则改送同一参与方的其他联系人。",
        "One row a contact's days away, both ends included; without a substitute others of the party are written to.",
        (
            Column("contact_ref", Kind.REF, "联系人编号", "Contact ref", "C-001", ("联系人", "contact", "contact id")),
            Column("since", Kind.DATE, "开始日期", "Since", "2026-02-02", ("from", "自", "起", "开始", "first day")),
            Column("until", Kind.DATE, "结束日期", "Until", "2026-02-13", ("to", "至", "止", "结束", "last day")),
            Column(
                "substitute_ref", Kind.REF, "代理人编号", "Substitute ref", "C-002", ("代理人", "substitute", "deputy")
            ),
            Column("reason", Kind.NOTE, "事由", "Reason", "年假", ("原因", "备注")),
        ),
    ),
)
