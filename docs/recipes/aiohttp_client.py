"""Prints every event of a generation as a line of JSON: aiohttp_client.py URL GENERATION.

Needs aiohttp and aiohttp-sse-client, whose own reconnect is not used: it keeps the half of an event that was cut, does
not survive a broken transfer, and can't tell "there is no more" from a refusal.
"""

import asyncio
import json
import sys

from aiohttp import ClientError, ClientResponseError, ClientSession, ClientTimeout
from aiohttp_sse_client.client import EventSource

LINE_BYTES_MAX = 8 * 1024 * 1024  # a snapshot is one line, and aiohttp takes 512 KB unless told otherwise


def _ended():
    raise ConnectionError("the stream ended")


async def follow(url, generation_id, *, last_id="0", silence_seconds=45):
    """Every event after `last_id` once, in order, until there is no more. With last_id="" a snapshot comes first."""
    generation_url = f"{url}/api/generations/{generation_id}"
    timeout = ClientTimeout(total=None, sock_connect=10, sock_read=silence_seconds)  # the default ends it after 5 min
    async with ClientSession(timeout=timeout, read_bufsize=LINE_BYTES_MAX, raise_for_status=True) as session:
        while True:
            try:
                async with session.get(generation_url) as answer:
                    generation = await answer.json()
                if generation["completed_at"] and last_id and int(last_id) >= generation["last_event_id"]:
                    return
                headers = {"Last-Event-ID": last_id} if last_id else {}
                source = EventSource(f"{generation_url}/events", session=session, headers=headers, on_error=_ended)
                async with source:
                    async for event in source:
                        if event.type not in {"heartbeat", "bye"}:
                            last_id = event.last_event_id
                            yield event.type, json.loads(event.data)
            except ClientResponseError as error:
                if 400 <= error.status < 500:
                    raise
            except (ClientError, ConnectionError, TimeoutError):
                pass  # Away, silent for too long, or cut: it will be back.
            await asyncio.sleep(1)


async def main():
    silence = float(sys.argv[3]) if len(sys.argv) > 3 else 45
    async for _, data in follow(sys.argv[1], sys.argv[2], silence_seconds=silence):
        print(json.dumps(data), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
