from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from pfflow.settings import Settings

LIVE = {"MAIL": "live", "SMTP_HOST": "relay.example", "MAIL_ALLOW": "ana@bank.example, @house.example,"}


def settings(monkeypatch: pytest.MonkeyPatch, **named: str) -> Settings:
    """Give the settings of an environment that holds these names, and no other of ours."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PFFLOW_{name.upper()}", raising=False)
    for name, value in named.items():
        monkeypatch.setenv(f"PFFLOW_{name}", value)
    return Settings()


def test_without_a_word_in_the_environment_nothing_leaves_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    default = settings(monkeypatch)
    assert (default.mail, default.mail_allow, default.smtp_host, default.smtp_tls) == ("local", (), "", "starttls")
    assert default.mailbox_folder == Path(".pfflow/mailbox")
    assert default.database_url == f"sqlite:///{Path('.pfflow/pfflow.db').resolve()}"


def test_live_mail_goes_to_the_allow_list_by_the_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    live = settings(monkeypatch, **LIVE)
    assert (live.mail, live.mail_allow) == ("live", ("ana@bank.example", "@house.example"))


@pytest.mark.parametrize(("name", "value"), [("SMTP_HOST", ""), ("MAIL_ALLOW", ""), ("MAIL_ALLOW", " , ")])
def test_live_mail_without_a_relay_or_an_allow_list_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ValidationError, match=f"PFFLOW_MAIL=live needs PFFLOW_{name}"):
        settings(monkeypatch, **{**LIVE, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAIL", "yes"), ("SMTP_TLS", "off"), ("MAIL_CAP", "-1"), ("MAIL_LEASE", "0"), ("SMTP_PORT", "0")],
)
def test_a_value_that_means_nothing_is_refused_and_not_taken_for_the_default(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ValidationError):
        settings(monkeypatch, **{name: value})


def test_templates_that_are_no_folder_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert settings(monkeypatch, TEMPLATES=str(tmp_path)).templates == tmp_path
    with pytest.raises(ValidationError, match="nowhere is no folder"):
        settings(monkeypatch, TEMPLATES=str(tmp_path / "nowhere"))


def test_the_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = settings(monkeypatch, SMTP_PASSWORD="correct-horse")  # noqa: S106 - a word of the test
    assert "correct-horse" not in f"{shown!r} {shown}"


@pytest.mark.parametrize("missing", ["DKIM_DOMAIN", "DKIM_SELECTOR", "DKIM_KEY"])
def test_signing_is_set_up_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    whole = {"DKIM_DOMAIN": "bank.example", "DKIM_SELECTOR": "mail", "DKIM_KEY": "mail.pem"}
    assert settings(monkeypatch, **whole).dkim_key == Path("mail.pem")
    with pytest.raises(ValidationError, match=f"needs PFFLOW_{missing} too"):
        settings(monkeypatch, **{name: value for name, value in whole.items() if name != missing})


def test_chat_addresses_are_found_by_channel_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    named = settings(monkeypatch, CHAT_JOINT_COMMAND="wecombot://correct-horse", CHAT_SMS=" ", CHAT="live")
    assert named.chat == "live"
    assert {name: secret.get_secret_value() for name, secret in named.chat_addresses.items()} == {
        "joint-command": "wecombot://correct-horse"
    }
    assert "correct-horse" not in f"{named!r} {named} {named.model_dump()} {named.chat_addresses}"


def test_live_mail_is_not_live_chat(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, **LIVE, CHAT_OPS="wecombot://x").chat == "local"
