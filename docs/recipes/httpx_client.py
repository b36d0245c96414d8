"""Prints every event of a generation as a line of JSON: httpx_client.py URL GENERATION. Needs httpx and httpx-sse."""

import json
import sys
import time

import httpx
from httpx_sse import SSEError, connect_sse


def follow(url, generation_id, *, last_id="0", silence_seconds=45):
    """Every event after `last_id` once, in order, until there is no more. With last_id="" a snapshot comes first.

    httpx-sse does not reconnect: this does, with the last id, after the time that the service asked for.
    """
    wait_seconds = 1
    with httpx.Client(base_url=url, timeout=silence_seconds) as http:
        while True:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            try:
                with connect_sse(http, "GET", f"/api/generations/{generation_id}/events", headers=headers) as source:
                    if source.response.status_code == 204:
                        return
                    source.response.raise_for_status()
                    for event in source.iter_sse():
                        if event.retry is not None:
                            wait_seconds = event.retry / 1000
                        if event.event not in {"heartbeat", "bye"}:
                            last_id = event.id
                            yield event.event, json.loads(event.data)
            except httpx.HTTPStatusError as error:
                if error.response.is_client_error:
                    raise
            except (httpx.TransportError, SSEError):
                pass  # Away, silent for too long, or a proxy's page: it will be back.
            time.sleep(wait_seconds)


if __name__ == "__main__":
    silence = float(sys.argv[3]) if len(sys.argv) > 3 else 45
    for _, data in follow(sys.argv[1], sys.argv[2], silence_seconds=silence):
        print(json.dumps(data), flush=True)
