"""Settings: the only reader of the environment. Every name begins with PFFLOW_; nothing is read at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_CHAT_PREFIX = "PFFLOW_CHAT_"


def _addresses_named() -> Mapping[str, SecretStr]:
    named = {
        name.removeprefix(_CHAT_PREFIX).lower().replace("_", "-"): SecretStr(value.strip())
        for name, value in os.environ.items()  # noqa: TID251 - this module owns the environment
        if name.startswith(_CHAT_PREFIX) and value.strip()
    }
    return MappingProxyType(named)


class Settings(BaseSettings):
    """Where things are kept and how mail leaves; the defaults keep everything on this machine."""

    # An error must not repeat what was given: among it are passwords.
    model_config = SettingsConfigDict(env_prefix="PFFLOW_", extra="ignore", frozen=True, hide_input_in_errors=True)

    home: Path = Field(default=Path(".pfflow"), description="The folder of the embedded default.")
    db: str = Field(default="", repr=False, description="Database URL; empty: SQLite in the home folder.")
    templates: Path | None = Field(default=None, description="The house's own templates, which go first.")

    mail: Literal["local", "live"] = Field(default="local", description="live is the only way out of this machine.")
    mailbox: Path | None = Field(default=None, description="The local mailbox; empty: mailbox in the home folder.")
    mail_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Addresses or @domains live mail may go to, separated by commas."
    )
    mail_cap: int = Field(default=500, ge=0, description="How many letters may leave in one run.")
    mail_cap_recipient: int = Field(default=50, ge=1, description="How many letters a reader is sent in a day.")
    mail_cap_domain: int = Field(default=1000, ge=1, description="How many letters a domain is sent in an hour.")
    mail_stop: bool = Field(default=False, description="Nothing leaves while it is on; stands above pfflow mail start.")
    mail_lease: float = Field(
        default=3.0, ge=1, description="Seconds for which a worker that died keeps others from its letters."
    )
    mail_batch: int = Field(
        default=50, ge=1, description="How many letters are marked at a time; twice as many are taken."
    )

    chat: Literal["local", "live"] = Field(
        default="local", description="live lets chat texts leave, each by the address its channel has."
    )

    smtp_host: str = Field(default="", description="The relay for live mail.")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str = Field(default="", repr=False)
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="none: for servers on this machine."
    )
    smtp_connections: int = Field(default=4, ge=1, description="How many letters are on their way at once.")
    smtp_timeout: float = Field(default=30.0, gt=0)

    dkim_domain: str = Field(default="", description="The domain letters are signed for (DKIM); empty: not signed.")
    dkim_selector: str = Field(default="", description="Where its public key stands: SELECTOR._domainkey.DOMAIN.")
    dkim_key: Path | None = Field(default=None, description="The private RSA key, a PEM file without a pass phrase.")

    portal_url: str = Field(default="", description="Where the portal is reached from outside; https.")
    portal_secret: SecretStr = Field(default=SecretStr(""), description="What links are signed with; 32 characters.")

    _chat_addresses: Mapping[str, SecretStr] = PrivateAttr(default_factory=_addresses_named)

    @field_validator("mail_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _live_needs_a_relay(self) -> Settings:
        if self.mail == "live" and not self.smtp_host:
            raise ValueError("PFFLOW_MAIL=live needs PFFLOW_SMTP_HOST, the relay to send by")
        if self.mail == "live" and not self.mail_allow:
            raise ValueError("PFFLOW_MAIL=live needs PFFLOW_MAIL_ALLOW, the addresses or @domains mail may go to")
        return self

    @model_validator(mode="after")
    def _signing_is_whole_or_not_at_all(self) -> Settings:
        given = {"DOMAIN": self.dkim_domain, "SELECTOR": self.dkim_selector, "KEY": self.dkim_key}
        missing = [f"PFFLOW_DKIM_{name}" for name, value in given.items() if not value]
        if 0 < len(missing) < len(given):
            raise ValueError(f"signing letters needs {' and '.join(missing)} too, or none of PFFLOW_DKIM_…")
        return self

    @model_validator(mode="after")
    def _templates_are_a_folder(self) -> Settings:
        if self.templates is not None and not self.templates.is_dir():
            raise ValueError(f"PFFLOW_TEMPLATES={self.templates} is no folder")
        return self

    @property
    def chat_addresses(self) -> Mapping[str, SecretStr]:
        """The Apprise URLs of chat channels: that of joint-command is in PFFLOW_CHAT_JOINT_COMMAND."""
        return self._chat_addresses

    @property
    def database_url(self) -> str:
        """The database URL, the embedded one where none is named."""
        return self.db or f"sqlite:///{(self.home / 'pfflow.db').resolve()}"

    @property
    def mailbox_folder(self) -> Path:
        """Where the local mailbox keeps its messages."""
        return self.mailbox or self.home / "mailbox"


def child_environment(**changes: str) -> dict[str, str]:
    """Give this process's environment with changes, for a program that is started."""
    return {**os.environ, **changes}  # noqa: TID251 - this module owns the environment
