"""Every setting, from environment variables; `.env.example` explains each."""

import base64
import hashlib
import hmac
import re
import sys
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SAMPLE = "change-me"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Settings(BaseSettings):
    """Read once, at import. Sizes are bytes, durations seconds."""

    model_config = SettingsConfigDict(case_sensitive=False, frozen=True, hide_input_in_errors=True)

    database_url: str = "postgresql+asyncpg://toolshare@/toolshare"
    redis_url: str = "redis://127.0.0.1:6379/0"
    redis_prefix: str = "toolshare"
    secret_key: str = ""
    previous_secret_key: str = ""
    public_url: str = ""
    port: int = 8000
    data_dir: Path = Path(".data/own")
    log_file: Path | None = None
    log_level: str = "INFO"
    metrics_token: str = ""
    trusted_proxies: str = ""
    demo: bool = False
    smtp_url: str = ""
    mail_from: str = ""
    push_private_key: str = ""
    push_services: str = (
        "fcm.googleapis.com, .push.services.mozilla.com, .push.apple.com, .notify.windows.com"
    )
    database_pool: int = Field(default=10, ge=1, le=100)
    photo_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    photo_pixels: int = Field(default=50_000_000, ge=10_000)
    s3_bucket: str = ""  # photos; without it they lie in a folder of data_dir
    s3_endpoint: str = ""
    s3_region: str = ""
    s3_access_key: str = ""
    s3_secret_key: str = ""
    live_buffer_bytes: int = Field(default=256 * 1024, ge=16 * 1024)
    live_drain_seconds: float = Field(default=30, gt=0)
    live_message_bytes: int = Field(default=16_384, ge=1024, le=16_384)
    live_messages_a_second: int = Field(default=20, ge=1)
    live_topics: int = Field(default=512, ge=1)
    live_sockets_a_person: int = Field(default=50, ge=1)
    live_sockets_an_address: int = Field(default=1000, ge=1)
    argon2_fast: bool = False  # tests only: cheap password hashes
    clock_file: Path | None = None  # tests only: seconds by which the clock is shifted

    @field_validator("log_file", "clock_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("database_url")
    @classmethod
    def _with_driver(cls, value: str) -> str:
        for plain in ("postgres://", "postgresql://"):
            if value.startswith(plain):
                return "postgresql+asyncpg://" + value.removeprefix(plain)
        return value

    def why_not_start(self) -> str | None:
        """One sentence if the app must not serve with these settings."""
        if not self.secret_key or self.secret_key.startswith(SAMPLE):
            return (
                "SECRET_KEY is missing or still the sample: "
                "set it to a random text, for example from `openssl rand -hex 32`."
            )
        if len(self.secret_key.encode()) < 32:
            return "SECRET_KEY is too short: it needs at least 32 bytes."
        if self.public_url and urlsplit(self.public_url).scheme not in ("http", "https"):
            return "PUBLIC_URL must start with http:// or https://."
        if self.public_url and not urlsplit(self.public_url).hostname:
            return "PUBLIC_URL names no host: write it like https://tools.example.org."
        if self.smtp_url and not _names_a_mail_server(self.smtp_url):
            return "SMTP_URL is no address of a mail server: write it like smtp://mail.example.org."
        if self.smtp_url and "@" not in self.mail_from:
            return "MAIL_FROM is missing: with SMTP_URL it says from which address mail comes."
        if self.smtp_url and not self.public_url:
            return (
                "PUBLIC_URL is missing: links in mails begin with it, so set it to the address "
                "that neighbours use, like https://tools.example.org, or leave SMTP_URL away."
            )
        if self.push_private_key and not _is_a_key(self.push_private_key):
            return (
                "PUSH_PRIVATE_KEY is no key: give 32 bytes in base64url, "
                "or none, and one is made and kept."
            )
        return self._why_no_bucket()

    def _why_no_bucket(self) -> str | None:
        names = (name for name in type(self).model_fields if name.startswith("s3_"))
        given = {name.upper(): getattr(self, name) for name in names}
        if not any(given.values()):
            return None
        for name in ("S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY"):
            if not given[name]:
                return f"{name} is missing: photos go into a bucket only with all that it takes."
        for name, wanted in (("S3_BUCKET", r"[A-Za-z0-9._-]{3,63}"), ("S3_REGION", r"[a-z0-9-]*")):
            if not re.fullmatch(wanted, given[name]):
                return f"{name} is no such name: write it as the service does, in plain letters."
        if not self.s3_endpoint and not self.s3_region:
            return "S3_ENDPOINT is missing; for a bucket at Amazon, S3_REGION is."
        if self.s3_endpoint and not _is_of_the_web(self.s3_endpoint):
            return "S3_ENDPOINT is no address: write it like https://s3.example.org."
        return None

    def key_for(self, purpose: str, *, previous: bool = False) -> bytes:
        """A 32-byte key of its own for each purpose, derived from SECRET_KEY."""
        secret = self.previous_secret_key if previous else self.secret_key
        return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()

    @property
    def behind_tls(self) -> bool:
        return urlsplit(self.public_url).scheme == "https"

    @property
    def root(self) -> str:
        """How links in a mail begin."""
        return self.public_url.rstrip("/") or f"http://127.0.0.1:{self.port}"

    @cached_property
    def public_host(self) -> str:
        return urlsplit(self.public_url).netloc.lower() if self.public_url else ""


def _names_a_mail_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_of_the_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, label = parts.hostname or "", r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
        named = ":" in host or all(re.fullmatch(label, one) for one in host.split("."))
        return parts.scheme in ("http", "https") and named and parts.port != 0
    except ValueError:
        return False


def _is_a_key(text: str) -> bool:
    """For the curve that push uses: a number from 1 up to its order."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return False
    return len(content) == 32 and 0 < int.from_bytes(content) < P256_ORDER


def _read() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        wrong = ", ".join(str(one["loc"][0]).upper() for one in error.errors())
        print(f"These settings cannot be read: {wrong}. See .env.example.", file=sys.stderr)
        raise SystemExit(3) from None


settings = _read()
