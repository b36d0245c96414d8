"""The only reader of the environment: every setting of CONTRACT 3, with its default and what is allowed."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import SettingsInvalid

PREFIX = "QUIZMILL_"
DEFAULT_MODEL = "claude-sonnet-5-5"
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class Settings(BaseSettings):
    """Read once at the start; the fields are the variables without the prefix, in lower case."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, frozen=True, extra="ignore", populate_by_name=True
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    hosts: str = ""
    data_dir: Path = Path("quizmill-data")
    database_url: str = ""
    redis_url: str = ""
    provider: Literal["anthropic", "offline", ""] = ""
    model: str = DEFAULT_MODEL
    fallback_models: str = ""
    anthropic_api_key: Annotated[SecretStr | None, Field(validation_alias="ANTHROPIC_API_KEY")] = None
    anthropic_base_url: Annotated[str | None, Field(validation_alias="ANTHROPIC_BASE_URL")] = None
    batches_per_worker: Annotated[int, Field(ge=1, le=1000)] = 20
    llm_calls_max: Annotated[int, Field(ge=1, le=10_000)] = 50
    hedge: bool = False
    requests_per_minute: Annotated[int | None, Field(ge=1, le=10_000_000)] = None
    input_tokens_per_minute: Annotated[int | None, Field(ge=1, le=10_000_000_000)] = None
    output_tokens_per_minute: Annotated[int | None, Field(ge=1, le=10_000_000_000)] = None
    generation_retries_max: Annotated[int, Field(ge=1, le=20)] = 3
    corrections_max: Annotated[int, Field(ge=0, le=20)] = 2
    llm_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 120
    provider_wait_seconds: Annotated[float, Field(ge=0, le=86_400)] = 600
    generation_timeout_minutes: Annotated[float, Field(gt=0)] = 240
    lease_seconds: Annotated[float, Field(ge=0.3, le=600)] = 15
    questions_per_batch_max: Annotated[int, Field(ge=1, le=1000)] = 50
    batches_per_generation_max: Annotated[int, Field(ge=1, le=10_000)] = 1000
    upload_mb_max: Annotated[int, Field(ge=1, le=1024)] = 50
    body_kb_max: Annotated[int, Field(ge=1, le=1_048_576)] = 2048
    auth: Literal["none"] = "none"
    streams_max: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    streams_per_owner_max: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    log_format: Literal["console", "json", ""] = ""
    failpoint: Annotated[str, Field(pattern=r"^(\w+:\w+:.+)?$")] = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.database_url and not self.database_url.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
            allowed = "it must start with sqlite+aiosqlite:/// or postgresql+asyncpg://"
            raise ValueError(f"DATABASE_URL={_kind(self.database_url)} is not allowed: {allowed}")
        if self.redis_url and not self.redis_url.startswith(("redis://", "rediss://", "unix://")):
            allowed = "it must start with redis://, rediss:// or unix://"
            raise ValueError(f"REDIS_URL={_kind(self.redis_url)} is not allowed: {allowed}")
        if self.anthropic_api_key and not _is_sendable(self.anthropic_api_key.get_secret_value()):
            raise ValueError("ANTHROPIC_API_KEY is not allowed: it must be visible ASCII characters only")
        if self.anthropic_base_url and not self.anthropic_base_url.startswith(("http://", "https://")):
            raise ValueError("ANTHROPIC_BASE_URL is not allowed: it must start with http:// or https://")
        if self.provider == "anthropic" and not self.anthropic_api_key:
            raise ValueError("PROVIDER: anthropic needs ANTHROPIC_API_KEY; set it, or use offline")
        return self

    @model_validator(mode="after")
    def _names_only(self) -> Self:
        for name in self.public_hosts:
            if not HOST_NAME.fullmatch(name):
                allowed = "it must be names separated by commas, without http:// and without a port"
                raise ValueError(f"HOSTS={name!r} is not allowed: {allowed}")
        return self

    def require_safe_host(self, host: str) -> None:
        """Without authentication only this machine may connect. Raises SettingsInvalid."""
        if self.auth == "none" and not is_loopback(host):
            raise SettingsInvalid(
                f"{PREFIX}AUTH=none is refused on host {host!r}: anyone could read and write."
                " Use a loopback address (127.0.0.1, ::1, localhost)."
            )

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'quizmill.db'}"

    @property
    def is_sqlite(self) -> bool:
        return self.resolved_database_url.startswith("sqlite")

    @property
    def resolved_provider(self) -> Literal["anthropic", "offline"]:
        if self.provider:
            return self.provider
        return "anthropic" if self.anthropic_api_key else "offline"

    @property
    def can_see(self) -> bool:
        """Whether the provider's models look at pictures."""
        return self.resolved_provider == "anthropic"

    @property
    def models(self) -> tuple[str, ...]:
        """The model of a batch's first attempt, then those of its later ones."""
        fallbacks = (name.strip() for name in self.fallback_models.split(","))
        return (self.model, *(name for name in fallbacks if name))

    @property
    def public_hosts(self) -> tuple[str, ...]:
        """Names under which a reverse proxy on this machine passes requests on, beside those of the machine itself."""
        names = (name.strip().lower() for name in self.hosts.split(","))
        return tuple(name for name in names if name)

    @property
    def rate_limits(self) -> dict[str, int]:
        """What was set by hand, per minute; what is missing is learned from the provider's answers."""
        by_hand = {
            "requests": self.requests_per_minute,
            "input_tokens": self.input_tokens_per_minute,
            "output_tokens": self.output_tokens_per_minute,
        }
        return {kind: limit for kind, limit in by_hand.items() if limit}

    @property
    def heartbeat_seconds(self) -> float:
        return self.lease_seconds / 3

    @property
    def sweep_seconds(self) -> float:
        return self.lease_seconds / 3


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_sendable(key: str) -> bool:
    return key.isascii() and key.isprintable() and " " not in key


def _kind(url: str) -> str:
    """What can be shown of an address: the rest may hold a password."""
    scheme, separator, _ = url.partition("://")
    return f"{scheme}://..." if separator else "..."


def load(**overrides: object) -> Settings:
    """The settings from environment, `.env` and overrides. Raises SettingsInvalid in words an operator can act on."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type] # the values are validated here
    except ValidationError as error:
        raise SettingsInvalid("\n".join(_sentence(problem) for problem in error.errors())) from None


def _sentence(problem: object) -> str:
    assert isinstance(problem, dict), "pydantic reports errors as mappings"
    if not problem["loc"]:
        return PREFIX + str(problem["msg"]).removeprefix("Value error, ")
    name = str(problem["loc"][0])
    variable = name if name.isupper() else PREFIX + name.upper()
    return f"{variable}={problem['input']!r} is not allowed: {problem['msg']}."
