"""What an order will probably cost and how long it will take. Pure: lengths, prices and experience are given."""

import math
from collections.abc import Mapping, Sequence
from uuid import UUID

from schemas.base import Frozen
from schemas.estimates import Estimate, Experience, Span
from schemas.plans import BatchPlan
from schemas.states import QuestionType
from service.rules import prices
from service.rules.prices import Tokens

QUESTIONS_PER_CALL_MAX = 10
"""As jobs/asking.py asks for them."""

EXPERIENCE_QUESTIONS_MIN = 20
"""With fewer accepted questions of a type and model, the defaults below are used."""

CHARACTERS_PER_TOKEN = 4
"""English prose; other languages take up to twice the tokens, which `high` allows for."""

# jobs/prompts: the frame has about 1,700 characters; a task, its rules and the schema of the answer about 2,800.
FRAME_TOKENS = 450
TASK_TOKENS = 700
AVOIDED_TOKENS = 25
"""One question that the model is told not to ask again: its stem of about 100 characters."""
AVOIDED_MAX = 200

CACHED_TOKENS_MIN = 1024
"""Shorter prompts are not kept in the provider's cache (Anthropic's documentation)."""

# What one question takes as JSON: its content, a quote and an explanation of about 150 characters each, tags and names
# of fields, at four characters a token.
TOKENS_PER_QUESTION: Mapping[QuestionType, int] = {
    QuestionType.MULTIPLE_CHOICE: 220,
    QuestionType.MULTIPLE_RESPONSE: 240,
    QuestionType.TRUE_FALSE: 140,
    QuestionType.FILL_IN_BLANK: 140,
    QuestionType.SHORT_ANSWER: 140,
    QuestionType.MATCHING: 260,
    QuestionType.NUMERIC: 150,
    QuestionType.FLASHCARD: 140,
    QuestionType.VOCABULARY: 150,
}
assert set(TOKENS_PER_QUESTION) == set(QuestionType), "every type needs its tokens"
THINKING_TOKENS = 400
"""What a model that thinks at low effort writes before each answer."""
WASTED_SHARE = 0.15
"""Of what is written: questions that do not pass the checks, calls that break."""

SECONDS_TO_FIRST_TOKEN = 2.0
TOKENS_PER_SECOND = 70.0
OFFLINE_SECONDS_PER_QUESTION = 0.05

GUESSED = (0.6, 2.0)
"""By how much an estimate from these defaults may be too high or too low."""
EXPERIENCED = (0.75, 1.5)


class Surroundings(Frozen):
    """Where the order would run. `provider`: its name; `calls_max`: calls at the same time."""

    provider: str
    is_metered: bool
    model: str
    calls_max: int


class _Answer(Frozen):
    """What one call for some questions of one type writes, and how long it takes."""

    output_tokens: float
    seconds: float
    is_experienced: bool


def of_order(
    plans: Sequence[BatchPlan],
    lengths: Mapping[UUID, int],
    where: Surroundings,
    experience: Mapping[QuestionType, Experience],
) -> Estimate:
    """`lengths`: characters by module. `experience`: with this model, by type."""
    if not where.is_metered:
        return _free(plans, where)
    answers = [
        _answer(plan.question_type, count, experience.get(plan.question_type), where.model)
        for plan in plans
        for count in _portions(plan.target_count)
    ]
    tokens = _tokens(plans, lengths, sum(answer.output_tokens for answer in answers))
    low, high = EXPERIENCED if all(answer.is_experienced for answer in answers) else GUESSED
    cost_usd = prices.cost_usd(where.model, tokens)
    return Estimate(
        provider=where.provider,
        model=where.model,
        questions=sum(plan.target_count for plan in plans),
        calls=len(answers),
        input_tokens=tokens.input + tokens.cache_write,
        output_tokens=tokens.output,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_write,
        cost_usd=None if cost_usd is None else _span(cost_usd, low, high, places=6),
        seconds=_span(_seconds(answers, where.calls_max), low, high, places=1),
        prices_as_of=None if cost_usd is None else prices.price_list().as_of,
        assumptions=tuple(_assumptions(answers, where, is_priced=cost_usd is not None)),
    )


def call_cost_usd(model: str, question_type: QuestionType, characters: int, count: int) -> float | None:
    """One call that finds nothing in the cache. None: the price is unknown."""
    answer = _answer(question_type, count, None, model)
    prompt_tokens = FRAME_TOKENS + TASK_TOKENS + characters // CHARACTERS_PER_TOKEN
    return prices.cost_usd(model, Tokens(cache_write=prompt_tokens, output=round(answer.output_tokens)))


def _portions(count: int) -> list[int]:
    calls = math.ceil(count / QUESTIONS_PER_CALL_MAX)
    return [count // calls + (place < count % calls) for place in range(calls)]


def _answer(question_type: QuestionType, count: int, known: Experience | None, model: str) -> _Answer:
    if known and known.accepted_count >= EXPERIENCE_QUESTIONS_MIN:
        output_tokens = known.output_tokens / known.accepted_count * count
        seconds_per_token = known.seconds / max(1, known.output_tokens)
        return _Answer(output_tokens=output_tokens, seconds=output_tokens * seconds_per_token, is_experienced=True)
    price = prices.price_of(model)
    thinking_tokens = THINKING_TOKENS if price and price.effort else 0
    output_tokens = thinking_tokens + count * TOKENS_PER_QUESTION[question_type] / (1 - WASTED_SHARE)
    seconds = SECONDS_TO_FIRST_TOKEN + output_tokens / TOKENS_PER_SECOND
    return _Answer(output_tokens=output_tokens, seconds=seconds, is_experienced=False)


def _tokens(plans: Sequence[BatchPlan], lengths: Mapping[UUID, int], output_tokens: float) -> Tokens:
    """The first calls about a module write what they share into the cache, those that come later find it there."""
    fresh = written = found = 0
    for module_id in dict.fromkeys(plan.module_id for plan in plans):
        calls = sum(len(_portions(plan.target_count)) for plan in plans if plan.module_id == module_id)
        shared_tokens = FRAME_TOKENS + lengths[module_id] // CHARACTERS_PER_TOKEN
        if shared_tokens < CACHED_TOKENS_MIN:
            fresh += shared_tokens * calls
        else:
            written += shared_tokens
            found += shared_tokens * (calls - 1)
        fresh += TASK_TOKENS * calls
    return Tokens(
        input=fresh + _avoided_tokens(plans), cache_write=written, cache_read=found, output=round(output_tokens)
    )


def _avoided_tokens(plans: Sequence[BatchPlan]) -> int:
    """On average a call is told of half of what the order asks of its type about its module."""
    together: dict[tuple[UUID, QuestionType], list[int]] = {}
    for plan in plans:
        together.setdefault((plan.module_id, plan.question_type), []).append(plan.target_count)
    tokens = 0
    for counts in together.values():
        calls = sum(len(_portions(count)) for count in counts)
        tokens += calls * min(AVOIDED_MAX, sum(counts) // 2) * AVOIDED_TOKENS
    return tokens


def _seconds(answers: Sequence[_Answer], calls_max: int) -> float:
    """Calls run beside each other; nothing is quicker than its slowest call."""
    return max(sum(answer.seconds for answer in answers) / calls_max, *(answer.seconds for answer in answers), 0.0)


def _span(expected: float, low: float, high: float, *, places: int) -> Span:
    return Span(
        low=round(expected * low, places), expected=round(expected, places), high=round(expected * high, places)
    )


def _free(plans: Sequence[BatchPlan], where: Surroundings) -> Estimate:
    questions = sum(plan.target_count for plan in plans)
    return Estimate(
        provider=where.provider,
        model=None,
        questions=questions,
        calls=0,
        input_tokens=0,
        output_tokens=0,
        cache_read_tokens=0,
        cache_write_tokens=0,
        cost_usd=Span(low=0, expected=0, high=0),
        seconds=_span(questions * OFFLINE_SECONDS_PER_QUESTION, *GUESSED, places=1),
        prices_as_of=None,
        assumptions=("questions are made on this machine, without a model",),
    )


def _assumptions(answers: Sequence[_Answer], where: Surroundings, *, is_priced: bool) -> list[str]:
    experienced = sum(answer.is_experienced for answer in answers)
    told = [
        f"{experienced} of {len(answers)} calls are reckoned from what earlier calls of {where.model} took, the rest"
        " from defaults"
        if experienced
        else "reckoned from defaults: there is too little experience with this model and these types",
        f"calls for at most {QUESTIONS_PER_CALL_MAX} questions, one worker, up to {where.calls_max} calls at a time, no"
        " rate limit",
        f"{CHARACTERS_PER_TOKEN} characters a token; a module's text is paid in full once and found in the cache then",
    ]
    if not is_priced:
        told.append(f"the price of {where.model} is not known")
    return told
