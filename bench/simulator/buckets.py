"""Token buckets with continuous refill, and the headers that tell of them."""

import math
from datetime import UTC, datetime, timedelta

from bench.simulator.scenario import Limit, Scenario


class Bucket:
    """Full at first. What is charged afterwards (output) may take it below zero."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.level = float(limit.burst)
        self._per_second = limit.per_minute / 60
        self._seen = 0.0

    def refill(self, now: float) -> None:
        self.level = min(self.limit.burst, self.level + (now - self._seen) * self._per_second)
        self._seen = now

    def lack(self, amount: float) -> float:
        """Seconds until it holds this much. What never fits has to wait for a full bucket."""
        return max(0.0, (min(amount, self.limit.burst) - self.level) / self._per_second)

    def take(self, amount: float) -> None:
        self.level -= amount

    @property
    def reset_seconds(self) -> float:
        return max(0.0, (self.limit.burst - self.level) / self._per_second)


class Buckets:
    """Requests and input tokens are charged when a call is admitted, output tokens as they are generated.

    A call is admitted when there is a request left, its input fits, and the output bucket is not empty.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.requests = Bucket(scenario.requests)
        self.input_tokens = Bucket(scenario.input_tokens)
        self.output_tokens = Bucket(scenario.output_tokens)
        self._all = {
            "requests": self.requests,
            "input-tokens": self.input_tokens,
            "output-tokens": self.output_tokens,
        }

    def wait_seconds(self, now: float, input_tokens: int) -> float:
        """0: the call can be admitted now."""
        for bucket in self._all.values():
            bucket.refill(now)
        return max(self.requests.lack(1), self.input_tokens.lack(input_tokens), self.output_tokens.lack(1))

    def admit(self, input_tokens: int) -> None:
        self.requests.take(1)
        self.input_tokens.take(input_tokens)

    def generate(self, now: float, output_tokens: int) -> None:
        self.output_tokens.refill(now)
        self.output_tokens.take(output_tokens)

    def headers(self, now: float) -> str:
        lines = []
        clock = datetime.now(UTC)
        for name, bucket in self._all.items():
            bucket.refill(now)
            reset = clock + timedelta(seconds=bucket.reset_seconds)
            lines.append(
                f"anthropic-ratelimit-{name}-limit: {bucket.limit.per_minute}\r\n"
                f"anthropic-ratelimit-{name}-remaining: {max(0, math.floor(bucket.level))}\r\n"
                f"anthropic-ratelimit-{name}-reset: {reset:%Y-%m-%dT%H:%M:%SZ}\r\n"
            )
        return "".join(lines)
