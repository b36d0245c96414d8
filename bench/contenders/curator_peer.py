"""bespokelabs-curator, told the provider's limits by hand: without them it does not get beyond a few calls at once."""

import asyncio
import importlib.util
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.contenders.peer import Ask, Body, Setup

_LITELLM = importlib.util.find_spec("litellm")
assert _LITELLM, "curator brings LiteLLM"
assert _LITELLM.origin, "it is a package in files"
# All of it stays on this machine: prices, tokenizer (LiteLLM ships it), telemetry, cache.
os.environ.update(
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    TIKTOKEN_CACHE_DIR=str(Path(_LITELLM.origin).parent / "litellm_core_utils" / "tokenizers"),
    TELEMETRY_ENABLED="False",
    CURATOR_DISABLE_RICH_DISPLAY="1",
    CURATOR_CACHE_DIR=tempfile.mkdtemp(),
    HF_HUB_OFFLINE="1",
    ANTHROPIC_API_KEY="sk-bench",
)

from bespokelabs import curator  # noqa: E402 # it reads the environment when it is imported


class _Writer(curator.LLM):
    def prompt(self, row: dict[str, Any]) -> str:
        return str(row["prompt"])

    def parse(self, row: dict[str, Any], response: str) -> dict[str, Any]:
        return {"place": row["place"], "answer": response}


def _prompt(body: Body) -> str:
    """All in one: it would send a system prompt as a message of a role that the API does not have."""
    return "\n\n".join((*(block["text"] for block in body["system"]), body["messages"][0]["content"]))


def prepared(setup: Setup) -> Ask:
    def ask_all(bodies: Sequence[Body]) -> list[str | BaseException]:
        writer = _Writer(
            model_name=bodies[0]["model"],
            backend="anthropic",
            generation_params={"max_tokens": bodies[0]["max_tokens"]},
            backend_params={
                "base_url": f"{setup.base_url}/v1",
                "request_timeout": int(setup.timeout_seconds),
                "require_all_responses": False,
                "max_requests_per_minute": setup.limits["requests"],
                "max_input_tokens_per_minute": setup.limits["input_tokens"],
                "max_output_tokens_per_minute": setup.limits["output_tokens"],
            },
        )
        rows = [{"place": place, "prompt": _prompt(body)} for place, body in enumerate(bodies)]
        found = {row["place"]: row["answer"] for row in writer(rows).dataset}
        lost = RuntimeError("curator gave it up")
        return [found.get(place, lost) for place in range(len(bodies))]

    async def ask(bodies: Sequence[Body]) -> list[str | BaseException]:
        return await asyncio.to_thread(ask_all, bodies)

    return ask
