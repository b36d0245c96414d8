"""What the Messages API says about its rate limits in the headers of every answer.

Source: Anthropic's API reference, "Rate limits", "Response headers". All limits are per minute.
"""

import re

import httpx2

from jobs.providers.base import Allowance, RateLimits

RETRY_AFTER_SECONDS_MAX = 600.0


def told_by(headers: httpx2.Headers) -> RateLimits:
    return RateLimits(
        requests=_allowance(headers, "requests"),
        input_tokens=_allowance(headers, "input-tokens"),
        output_tokens=_allowance(headers, "output-tokens"),
    )


def retry_after_seconds(headers: httpx2.Headers) -> float | None:
    """Seconds in `retry-after-ms` or `retry-after`; a date is not sent by this API and counts as nothing."""
    for name, unit_seconds in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", value := headers.get(name, "")):
            return min(float(value) * unit_seconds, RETRY_AFTER_SECONDS_MAX)
    return None


def _allowance(headers: httpx2.Headers, kind: str) -> Allowance | None:
    limit, remaining = (headers.get(f"anthropic-ratelimit-{kind}-{part}", "") for part in ("limit", "remaining"))
    if not (re.fullmatch(r"[1-9]\d{0,11}", limit) and re.fullmatch(r"\d{1,12}", remaining)):
        return None
    return Allowance(limit=int(limit), remaining=int(remaining))
