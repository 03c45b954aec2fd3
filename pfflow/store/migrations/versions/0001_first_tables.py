"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _decimal() -> TypeEngine[Any]:
    return sa.Text().with_variant(sa.Numeric(), "postgresql")


def _instant() -> TypeEngine[Any]:
    return sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "financial",
        sa.Column("subject_ref", sa.Text(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("value", _decimal(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject_ref", "period_end", "metric", "basis", name=op.f("pk_financial")),
    )
    op.create_table(
        "party",
        sa.Column("party_ref", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("realm", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("jurisdiction", sa.Text(), nullable=False),
        sa.Column("lei", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("registered_capital", _decimal(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("risk_tolerance", sa.Text(), nullable=False),
        sa.Column("preference", sa.Text(), nullable=False),
        sa.Column("capital_size", _decimal(), nullable=True),
        sa.Column("policy_orientation", sa.Text(), nullable=False),
        sa.Column("support_level", sa.Text(), nullable=False),
        sa.Column("parent_ref", sa.Text(), nullable=False),
        sa.Column("ownership_pct", _decimal(), nullable=True),
        sa.Column("owner_ref", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("party_ref", name=op.f("pk_party")),
    )
    op.create_table(
        "playbook",
        sa.Column("adoption", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("adopted_at", _instant(), nullable=False),
        sa.Column("adopted_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("adoption", name=op.f("pk_playbook")),
    )
    op.create_table(
        "project",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("sponsor_ref", sa.Text(), nullable=False),
        sa.Column("borrower_ref", sa.Text(), nullable=False),
        sa.Column("capex", _decimal(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("debt", _decimal(), nullable=True),
        sa.Column("equity", _decimal(), nullable=True),
        sa.Column("loan_rate", _decimal(), nullable=True),
        sa.Column("ep_category", sa.Text(), nullable=False),
        sa.Column("fc_date", sa.Date(), nullable=True),
        sa.Column("cod_date", sa.Date(), nullable=True),
        sa.Column("maturity_date", sa.Date(), nullable=True),
        sa.Column("calendars", sa.Text(), nullable=False),
        sa.Column("convention", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_ref", name=op.f("pk_project")),
    )
    op.create_table(
        "raci_row",
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("phase", "activity", "role", "code", name=op.f("pk_raci_row")),
    )
    op.create_table(
        "assessment",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("factor", sa.Text(), nullable=False),
        sa.Column("grade", sa.BigInteger(), nullable=False),
        sa.Column("weight", _decimal(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_assessment_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", "factor", name=op.f("pk_assessment")),
    )
    op.create_table(
        "budget_line",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("budget_line", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("amount", _decimal(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_budget_line_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", "budget_line", name=op.f("pk_budget_line")),
    )
    op.create_table(
        "conclusion",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("concluded_at", _instant(), nullable=True),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_conclusion_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", "stage", "subject", name=op.f("pk_conclusion")),
    )
    op.create_table(
        "condition_item",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("cp_ref", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("responsible", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("waiver_ref", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_condition_item_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", "cp_ref", name=op.f("pk_condition_item")),
    )
    op.create_table(
        "contact",
        sa.Column("contact_ref", sa.Text(), nullable=False),
        sa.Column("party_ref", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("role_title", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("unsubscribed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["party_ref"], ["party.party_ref"], name=op.f("fk_contact_party_ref")),
        sa.PrimaryKeyConstraint("contact_ref", name=op.f("pk_contact")),
    )
    op.create_index("ix_contact_party_ref", "contact", ["party_ref"], unique=False)
    op.create_table(
        "fund_use",
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("amount", _decimal(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("budget_line", sa.Text(), nullable=False),
        sa.Column("entrusted", sa.Boolean(), nullable=False),
        sa.Column("voucher", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_fund_use_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", "voucher", name=op.f("pk_fund_use")),
    )
    op.create_table(
        "interaction",
        sa.Column("ext_id", sa.Text(), nullable=False),
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("party_ref", sa.Text(), nullable=False),
        sa.Column("contact_ref", sa.Text(), nullable=False),
        sa.Column("at", _instant(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=False),
        sa.Column("obligation_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_interaction_project_ref")),
        sa.PrimaryKeyConstraint("ext_id", name=op.f("pk_interaction")),
    )
    op.create_index("ix_interaction_project_ref", "interaction", ["project_ref"], unique=False)
    op.create_table(
        "ledger_entry",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_ledger_entry_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", "seq", name=op.f("pk_ledger_entry")),
    )
    op.create_table(
        "ledger_head",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_ledger_head_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "letter",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("obligation_key", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("contact_ref", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("noticed_at", _instant(), nullable=False),
        sa.Column("in_reply_to", sa.Text(), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("invitation", sa.JSON(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_try_at", _instant(), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", _instant(), nullable=True),
        sa.Column("sent_at", _instant(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("last_response", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_letter_project_ref")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_letter")),
    )
    op.create_index("ix_letter_claimed_by", "letter", ["claimed_by"], unique=False)
    op.create_index(op.f("ix_letter_project_ref"), "letter", ["project_ref"], unique=False)
    op.create_index("ix_letter_status_noticed_at_key", "letter", ["status", "noticed_at", "key"], unique=False)
    op.create_table(
        "milestone",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("milestone", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("forecast_on", sa.Date(), nullable=True),
        sa.Column("actual_on", sa.Date(), nullable=True),
        sa.Column("owner_role", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_milestone_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", "milestone", name=op.f("pk_milestone")),
    )
    op.create_table(
        "need",
        sa.Column("need_ref", sa.Text(), nullable=False),
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("party_ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("stated_on", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_need_project_ref")),
        sa.PrimaryKeyConstraint("need_ref", name=op.f("pk_need")),
    )
    op.create_index("ix_need_project_ref", "need", ["project_ref"], unique=False)
    op.create_table(
        "obligation",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("due_at", _instant(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("unadjusted_on", sa.Date(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("ladder", sa.Text(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("debtor", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=True),
        sa.Column("period_end", sa.Date(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("held_until", _instant(), nullable=True),
        sa.Column("closed_at", _instant(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("closed_because", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_obligation_project_ref")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_obligation")),
    )
    op.create_index(
        "ix_obligation_project_ref_stage_due_at", "obligation", ["project_ref", "stage", "due_at"], unique=False
    )
    op.create_index("ix_obligation_status_due_at", "obligation", ["status", "due_at"], unique=False)
    op.create_table(
        "participation",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("party_ref", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("share", _decimal(), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("confidentiality", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["party_ref"], ["party.party_ref"], name=op.f("fk_participation_party_ref")),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_participation_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", "party_ref", "role", name=op.f("pk_participation")),
    )
    op.create_index("ix_participation_party_ref", "participation", ["party_ref"], unique=False)
    op.create_table(
        "project_head",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("engaged_at", _instant(), nullable=True),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_project_head_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", name=op.f("pk_project_head")),
    )
    op.create_table(
        "stage_mark",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("decided_to", _instant(), nullable=False),
        sa.Column("decided_version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_stage_mark_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", "stage", name=op.f("pk_stage_mark")),
    )
    op.create_table(
        "survey_answer",
        sa.Column("survey_ref", sa.Text(), nullable=False),
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("respondent_ref", sa.Text(), nullable=False),
        sa.Column("about_ref", sa.Text(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("score", _decimal(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_survey_answer_project_ref")),
        sa.PrimaryKeyConstraint("survey_ref", "respondent_ref", "about_ref", "question", name=op.f("pk_survey_answer")),
    )
    op.create_index("ix_survey_answer_project_ref", "survey_answer", ["project_ref"], unique=False)
    op.create_table(
        "undertaking",
        sa.Column("obligation_ref", sa.Text(), nullable=False),
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("description_zh", sa.Text(), nullable=False),
        sa.Column("clause_ref", sa.Text(), nullable=False),
        sa.Column("debtor_ref", sa.Text(), nullable=False),
        sa.Column("creditor_ref", sa.Text(), nullable=False),
        sa.Column("frequency", sa.Text(), nullable=False),
        sa.Column("offset_days", sa.BigInteger(), nullable=False),
        sa.Column("day_type", sa.Text(), nullable=False),
        sa.Column("convention", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=True),
        sa.Column("last", sa.Date(), nullable=True),
        sa.Column("grace_days", sa.BigInteger(), nullable=False),
        sa.Column("owner_role", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("threshold", _decimal(), nullable=True),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_undertaking_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", "obligation_ref", name=op.f("pk_undertaking")),
    )
    op.create_table(
        "firing",
        sa.Column("obligation_key", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("due_at", _instant(), nullable=False),
        sa.Column("fired_at", _instant(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["obligation_key"], ["obligation.key"], name=op.f("fk_firing_obligation_key")),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_firing_project_ref")),
        sa.PrimaryKeyConstraint("obligation_key", "rung", name=op.f("pk_firing")),
    )
    op.create_index(op.f("ix_firing_project_ref"), "firing", ["project_ref"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("the book of record is not unmade; restore a backup")
