"""LiteLLM's Router with three retries, behind a semaphore."""

import os
from collections.abc import Sequence

from bench.contenders.peer import Ask, Body, Setup, each

# Otherwise it fetches a list of prices when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

from litellm import Router

RETRIES = 3


def prepared(setup: Setup) -> Ask:
    parameters = {
        "model": "anthropic/claude-sonnet-4-5",
        "api_key": "sk-bench",
        "api_base": setup.base_url,
        "timeout": setup.timeout_seconds,
    }
    router = Router(model_list=[{"model_name": "bench", "litellm_params": parameters}], num_retries=RETRIES)

    async def one(body: Body) -> str:
        messages = [{"role": "system", "content": body["system"]}, *body["messages"]]
        answer = await router.acompletion(model="bench", messages=messages, max_tokens=body["max_tokens"])
        return str(answer.choices[0].message.content)

    async def ask(bodies: Sequence[Body]) -> list[str | BaseException]:
        return await each(bodies, setup, one)

    return ask
