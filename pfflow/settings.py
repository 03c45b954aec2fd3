"""Settings: the only reader of the environment. Every name begins with PFFLOW_; nothing is read at import."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Where things are kept and how mail leaves; the defaults keep everything on this machine."""

    model_config = SettingsConfigDict(env_prefix="PFFLOW_", extra="ignore", frozen=True)

    home: Path = Field(default=Path(".pfflow"), description="The folder of the embedded default.")
    db: str = Field(default="", description="Database URL; empty: SQLite in the home folder.")
    templates: Path | None = Field(default=None, description="The house's own templates, which go first.")

    mail: Literal["local", "live"] = Field(default="local", description="live is the only way out of this machine.")
    mailbox: Path | None = Field(default=None, description="The local mailbox; empty: mailbox in the home folder.")
    mail_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Addresses or @domains live mail may go to, separated by commas."
    )
    mail_cap: int = Field(default=500, ge=0, description="How many letters may leave in one run.")
    mail_stop: bool = Field(default=False, description="The stop switch: nothing leaves while it is on.")
    mail_lease: float = Field(default=30.0, gt=0, description="Seconds a worker holds the letters it has taken.")

    smtp_host: str = Field(default="", description="The relay for live mail.")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="none: for servers on this machine."
    )
    smtp_timeout: float = Field(default=30.0, gt=0)

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
    def _templates_are_a_folder(self) -> Settings:
        if self.templates is not None and not self.templates.is_dir():
            raise ValueError(f"PFFLOW_TEMPLATES={self.templates} is no folder")
        return self

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
