"""Every setting: its default, where it is read from, and how a bad value is refused."""

import os
from pathlib import Path

import pytest

from service import settings
from service.errors import SettingsInvalid
from service.settings import Settings

SECRET = "sk-ant-not-for-logs"
NUMBERS = {
    "PORT": ("65535", "65536"),
    "BATCHES_PER_WORKER": ("1", "0"),
    "LLM_CALLS_MAX": ("10000", "10001"),
    "GENERATION_RETRIES_MAX": ("1", "0"),
    "CORRECTIONS_MAX": ("0", "-1"),
    "LLM_TIMEOUT_SECONDS": ("0.5", "0"),
    "PROVIDER_WAIT_SECONDS": ("0", "-1"),
    "GENERATION_TIMEOUT_MINUTES": ("0.1", "0"),
    "LEASE_SECONDS": ("0.3", "0.2"),
    "QUESTIONS_PER_BATCH_MAX": ("1", "0"),
    "BATCHES_PER_GENERATION_MAX": ("10000", "10001"),
    "UPLOAD_MB_MAX": ("1", "0"),
    "BODY_KB_MAX": ("1", "0"),
}
"""The last number that is allowed, and the first that is not."""


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty environment in a directory without `.env`."""
    for name in os.environ:
        if name.startswith(("QUIZMILL_", "ANTHROPIC_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refused(**environment: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with pytest.raises(SettingsInvalid) as caught:
            settings.load()
    return str(caught.value)


def test_without_any_setting_everything_runs_on_this_machine_without_a_key(tmp_path: Path) -> None:
    chosen = settings.load()
    assert (chosen.host, chosen.port, chosen.auth) == ("127.0.0.1", 8000, "none")
    assert chosen.resolved_database_url == f"sqlite+aiosqlite:///{tmp_path}/quizmill-data/quizmill.db"
    assert chosen.is_sqlite
    assert chosen.redis_url == ""
    assert chosen.resolved_provider == "offline"
    assert chosen.models == (settings.DEFAULT_MODEL,)


def test_the_defaults_are_those_of_the_contract() -> None:
    chosen = settings.load()
    assert (chosen.batches_per_worker, chosen.llm_calls_max) == (20, 50)
    assert (chosen.generation_retries_max, chosen.corrections_max) == (3, 2)
    assert (chosen.llm_timeout_seconds, chosen.provider_wait_seconds) == (120, 600)
    assert (chosen.generation_timeout_minutes, chosen.lease_seconds) == (240, 15)
    assert (chosen.questions_per_batch_max, chosen.batches_per_generation_max) == (50, 1000)
    assert (chosen.upload_mb_max, chosen.body_kb_max) == (50, 2048)


def test_settings_come_from_the_environment_with_their_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUIZMILL_PORT", "9000")
    monkeypatch.setenv("PORT", "7000")
    monkeypatch.setenv("QUIZMILL_FALLBACK_MODELS", "claude-b, claude-c,,")
    monkeypatch.setenv("QUIZMILL_MODEL", "claude-a")
    chosen = settings.load()
    assert chosen.port == 9000
    assert chosen.models == ("claude-a", "claude-b", "claude-c")


def test_settings_come_from_a_file_when_the_environment_is_silent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("QUIZMILL_PORT=9000\nQUIZMILL_HOST=::1\nOTHER=thing\n", encoding="utf-8")
    monkeypatch.setenv("QUIZMILL_PORT", "9001")
    chosen = settings.load()
    assert (chosen.host, chosen.port) == ("::1", 9001)


def test_options_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUIZMILL_PORT", "9000")
    monkeypatch.setenv("QUIZMILL_HOST", "::1")
    chosen = settings.load(port=0, host=None)
    assert (chosen.host, chosen.port) == ("::1", 0)


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QUIZMILL_PORT", "QUIZMILL_DATABASE_URL", "ANTHROPIC_API_KEY", "QUIZMILL_PROVIDER"):
        monkeypatch.setenv(name, "")
    chosen = settings.load()
    assert chosen.port == 8000
    assert chosen.resolved_provider == "offline"


def test_a_key_chooses_the_provider_that_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9999")
    chosen = settings.load()
    assert chosen.resolved_provider == "anthropic"
    assert chosen.anthropic_base_url == "http://127.0.0.1:9999"
    assert settings.load(provider="offline").resolved_provider == "offline"


def test_a_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    chosen = settings.load()
    assert chosen.anthropic_api_key is not None
    assert chosen.anthropic_api_key.get_secret_value() == SECRET
    assert SECRET not in f"{chosen!r} {chosen} {chosen.model_dump_json()}"
    assert SECRET not in refused(ANTHROPIC_API_KEY=SECRET, QUIZMILL_PORT="abc", QUIZMILL_PROVIDER="other")


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_has_its_bounds(name: str) -> None:
    allowed, forbidden = NUMBERS[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(f"QUIZMILL_{name}", allowed)
        assert float(getattr(settings.load(), name.lower())) == float(allowed)
    assert f"QUIZMILL_{name}='{forbidden}' is not allowed: Input should be" in refused(
        **{f"QUIZMILL_{name}": forbidden}
    )
    assert f"QUIZMILL_{name}='nan'" in refused(**{f"QUIZMILL_{name}": "nan"})


def test_a_bad_value_names_variable_value_and_what_is_allowed() -> None:
    assert refused(QUIZMILL_PORT="abc").startswith(
        "QUIZMILL_PORT='abc' is not allowed: Input should be a valid integer"
    )
    found = refused(QUIZMILL_PROVIDER="openai")
    assert found == "QUIZMILL_PROVIDER='openai' is not allowed: Input should be 'anthropic', 'offline' or ''."
    assert refused(QUIZMILL_LOG_FORMAT="xml").startswith("QUIZMILL_LOG_FORMAT='xml' is not allowed")
    assert refused(QUIZMILL_AUTH="magic").startswith("QUIZMILL_AUTH='magic' is not allowed")


def test_every_bad_value_is_named_at_once() -> None:
    lines = refused(QUIZMILL_PORT="abc", QUIZMILL_LEASE_SECONDS="0").splitlines()
    assert [line.split("=")[0] for line in lines] == ["QUIZMILL_PORT", "QUIZMILL_LEASE_SECONDS"]


def test_the_anthropic_provider_needs_a_key() -> None:
    found = refused(QUIZMILL_PROVIDER="anthropic")
    assert found == "QUIZMILL_PROVIDER: anthropic needs ANTHROPIC_API_KEY; set it, or use offline"


@pytest.mark.parametrize(
    ("name", "url", "allowed"),
    [
        ("DATABASE_URL", "postgres://user:secret@db/quizmill", "postgresql+asyncpg://"),
        ("DATABASE_URL", "sqlite:///quizmill.db", "sqlite+aiosqlite:///"),
        ("REDIS_URL", "http://user:secret@cache", "redis://, rediss:// or unix://"),
        ("REDIS_URL", "user:secret@cache", "redis://, rediss:// or unix://"),
    ],
)
def test_an_address_of_another_kind_is_refused_without_showing_its_password(name: str, url: str, allowed: str) -> None:
    found = refused(**{f"QUIZMILL_{name}": url})
    kind = url.partition("://")[0] + "://" if "://" in url else ""
    assert found.startswith(f"QUIZMILL_{name}={kind}... is not allowed: it must start with")
    assert allowed in found
    assert "secret" not in found


@pytest.mark.parametrize("url", ["redis://cache:6379/0", "rediss://cache", "unix:///run/valkey.sock"])
def test_every_kind_of_redis_address_is_accepted(url: str) -> None:
    assert settings.load(redis_url=url).redis_url == url


def test_another_database_can_be_named() -> None:
    chosen = settings.load(database_url="postgresql+asyncpg://db/quizmill")
    assert chosen.resolved_database_url == "postgresql+asyncpg://db/quizmill"
    assert not chosen.is_sqlite


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_without_authentication_this_machine_may_connect(host: str) -> None:
    settings.load().require_safe_host(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "quizmill.example", "localhost.example", ""])
def test_without_authentication_nobody_else_may_connect(host: str) -> None:
    with pytest.raises(SettingsInvalid, match="QUIZMILL_AUTH=none is refused on host"):
        settings.load().require_safe_host(host)


def test_a_lease_is_renewed_and_swept_three_times_before_it_ends() -> None:
    chosen = settings.load(lease_seconds=30)
    assert chosen.heartbeat_seconds == chosen.sweep_seconds == 10


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.load().port = 1  # type: ignore[misc] # what the type checker forbids, the program does too


def test_every_setting_has_a_default() -> None:
    assert all(not field.is_required() for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("", ()),
        ("quizmill.example.org", ("quizmill.example.org",)),
        (" One.example ,two.example,, ", ("one.example", "two.example")),
        ("10.0.0.7", ("10.0.0.7",)),
    ],
)
def test_further_hosts_are_names_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("QUIZMILL_HOSTS", value)
    chosen = settings.load()
    assert chosen.public_hosts == names
    # They open nothing.
    assert chosen.host == "127.0.0.1"


@pytest.mark.parametrize(
    "name", ["https://quizmill.example.org", "quizmill.example.org:8443", "*", "*.example.org", "a b", "a/b", ".", "-a"]
)
def test_a_further_host_that_is_no_name_is_refused(name: str) -> None:
    said = refused(QUIZMILL_HOSTS=f"fine.example,{name}")
    assert said == (
        f"QUIZMILL_HOSTS='{name}' is not allowed:"
        " it must be names separated by commas, without http:// and without a port"
    )


def test_a_public_name_does_not_make_a_public_address_safe() -> None:
    chosen = settings.load(hosts="quizmill.example.org")
    with pytest.raises(SettingsInvalid, match="AUTH=none is refused"):
        chosen.require_safe_host("0.0.0.0")
