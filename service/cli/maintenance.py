"""What `migrate`, `verify`, `backup` and `doctor` do."""

from pathlib import Path
from uuid import UUID

from redis import RedisError

from schemas.reports import Diagnosis, DiagnosisLine, Verification
from service import queue
from service.cli import lock
from service.errors import NotFound, QuizmillError, SettingsInvalid
from service.settings import PREFIX, Settings
from service.store import backup as backups
from service.store import schema, sqlite_build, verification
from service.store.database import Database


async def migrate(settings: Settings) -> None:
    database = Database(settings.resolved_database_url)
    try:
        await schema.migrate(database)
    finally:
        await database.close()


async def verify(settings: Settings, generation_id: UUID | None) -> Verification:
    database = Database(settings.resolved_database_url)
    try:
        await schema.require_current(database)
        async with database.read() as tx:
            report = await verification.verify(tx, generation_id)
    finally:
        await database.close()
    if generation_id and not report.generations:
        raise NotFound(f"there is no generation {generation_id}")
    return report


async def backup(settings: Settings, target: Path) -> int:
    """Returns the size of the copy in bytes."""
    return await backups.backup(settings.resolved_database_url, target)


async def diagnose(settings: Settings) -> Diagnosis:
    """Looks, and changes nothing."""
    return Diagnosis(lines=(await _database(settings), await _redis(settings), _provider(settings), _address(settings)))


async def _database(settings: Settings) -> DiagnosisLine:
    shown = settings.resolved_database_url.rsplit("@", 1)[-1]
    if settings.is_sqlite and not _is_there(settings):
        return DiagnosisLine(subject="database", is_fine=True, message=f"{shown} is new; `quizmill up` will set it up")
    try:
        database = Database(settings.resolved_database_url)
        try:
            await schema.require_current(database)
        finally:
            await database.close()
    except QuizmillError as error:
        return DiagnosisLine(subject="database", is_fine=False, message=f"{shown}: {error}")
    version = f" (SQLite {'.'.join(map(str, sqlite_build.version()))})" if settings.is_sqlite else ""
    return DiagnosisLine(subject="database", is_fine=True, message=f"{shown}{version}, schema is current")


def _is_there(settings: Settings) -> bool:
    return Path(settings.resolved_database_url.split(":///", 1)[1]).exists()


async def _redis(settings: Settings) -> DiagnosisLine:
    if not settings.redis_url:
        return DiagnosisLine(subject="redis", is_fine=True, message="embedded Valkey, started by `quizmill up`")
    shown = settings.redis_url.rsplit("@", 1)[-1]
    try:
        async with queue.connect(settings.redis_url) as redis:
            await redis.ping()
    except (RedisError, OSError) as error:
        message = f"{shown} does not answer ({error}): check {PREFIX}REDIS_URL"
        return DiagnosisLine(subject="redis", is_fine=False, message=message)
    return DiagnosisLine(subject="redis", is_fine=True, message=f"{shown} answers")


def _provider(settings: Settings) -> DiagnosisLine:
    if settings.resolved_provider == "offline":
        message = "offline: recall-level questions without an LLM; set ANTHROPIC_API_KEY for better ones"
        return DiagnosisLine(subject="provider", is_fine=True, message=message)
    where = settings.anthropic_base_url or "its own address"
    return DiagnosisLine(subject="provider", is_fine=True, message=f"anthropic at {where}, model {settings.model}")


def _address(settings: Settings) -> DiagnosisLine:
    try:
        settings.require_safe_host(settings.host)
    except SettingsInvalid as error:
        return DiagnosisLine(subject="address", is_fine=False, message=str(error))
    running = lock.address_of(settings.data_dir)
    message = f"running at {running}" if running else f"would serve on {settings.host} port {settings.port}"
    if settings.public_hosts:
        message += (
            f", also as {', '.join(settings.public_hosts)}: whoever the proxy lets in may read and write everything"
        )
    return DiagnosisLine(subject="address", is_fine=True, message=message)
