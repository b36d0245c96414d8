"""What an order will probably cost: calls, tokens, the cache, prices, time, and what experience changes."""

from uuid import UUID

import pytest

from jobs import asking
from jobs.prompts import prompt
from jobs.providers import answer_schema
from jobs.providers.base import Request, Source
from schemas.estimates import Experience
from schemas.plans import BatchPlan
from schemas.states import QuestionType
from service.rules import estimate
from service.rules.prices import Tokens, cost_usd

MODEL = "claude-sonnet-5-5"
FIRST, SECOND = UUID(int=1), UUID(int=2)
LENGTHS = {FIRST: 40_000, SECOND: 400}
CARDS, CHOICES = QuestionType.FLASHCARD, QuestionType.MULTIPLE_CHOICE


def plan(target: int, *, module_id: UUID = FIRST, question_type: QuestionType = CHOICES) -> BatchPlan:
    key = f"{module_id}_{question_type}_{target}"
    return BatchPlan(
        module_id=module_id, batch_key=key, question_type=question_type, difficulty=None, target_count=target
    )


def where(model: str = MODEL, *, is_metered: bool = True, calls_max: int = 50) -> estimate.Surroundings:
    provider = "anthropic" if is_metered else "offline"
    return estimate.Surroundings(provider=provider, is_metered=is_metered, model=model, calls_max=calls_max)


def test_calls_are_as_many_as_are_really_made() -> None:
    assert estimate.QUESTIONS_PER_CALL_MAX == asking.QUESTIONS_PER_CALL_MAX
    found = estimate.of_order([plan(23), plan(10, question_type=CARDS)], LENGTHS, where(), {})
    assert (found.questions, found.calls) == (33, 4)


def test_a_long_module_is_paid_for_once_and_read_from_the_cache_then() -> None:
    found = estimate.of_order([plan(30)], LENGTHS, where(), {})
    shared = estimate.FRAME_TOKENS + 10_000
    assert found.cache_write_tokens == shared
    assert found.cache_read_tokens == 2 * shared
    assert found.input_tokens > shared, "tasks are different from call to call"


def test_a_short_module_is_too_short_for_the_cache() -> None:
    found = estimate.of_order([plan(20, module_id=SECOND)], LENGTHS, where(), {})
    assert (found.cache_write_tokens, found.cache_read_tokens) == (0, 0)
    assert found.input_tokens > 2 * estimate.FRAME_TOKENS


def test_the_cost_is_that_of_its_tokens_and_lies_between_low_and_high() -> None:
    found = estimate.of_order([plan(30)], LENGTHS, where(), {})
    tokens = Tokens(
        input=found.input_tokens - found.cache_write_tokens,
        output=found.output_tokens,
        cache_write=found.cache_write_tokens,
        cache_read=found.cache_read_tokens,
    )
    assert found.cost_usd is not None
    assert found.cost_usd.expected == pytest.approx(cost_usd(MODEL, tokens), abs=1e-6)
    assert 0 < found.cost_usd.low < found.cost_usd.expected < found.cost_usd.high
    assert found.prices_as_of is not None


def test_of_a_model_without_a_price_only_tokens_and_time_are_told() -> None:
    found = estimate.of_order([plan(30)], LENGTHS, where("llama-at-home"), {})
    assert (found.cost_usd, found.prices_as_of) == (None, None)
    assert found.output_tokens > 0
    assert "the price of llama-at-home is not known" in found.assumptions


def test_offline_nothing_costs() -> None:
    found = estimate.of_order([plan(30)], LENGTHS, where(is_metered=False), {})
    assert found.cost_usd is not None
    assert (found.model, found.calls, found.output_tokens, found.cost_usd.high) == (None, 0, 0, 0)


def test_time_shrinks_with_calls_at_the_same_time_down_to_the_slowest() -> None:
    plans = [plan(10, module_id=FIRST), plan(10, module_id=SECOND)]
    alone = estimate.of_order(plans, LENGTHS, where(calls_max=1), {}).seconds
    both = estimate.of_order(plans, LENGTHS, where(calls_max=2), {}).seconds
    many = estimate.of_order(plans, LENGTHS, where(calls_max=50), {}).seconds
    assert alone.expected == pytest.approx(2 * both.expected, rel=0.01)
    assert many == both


def test_experience_replaces_the_defaults_where_there_is_enough_of_it() -> None:
    enough = Experience(calls=4, accepted_count=40, output_tokens=40_000, seconds=80)
    too_little = enough.model_copy(update={"accepted_count": estimate.EXPERIENCE_QUESTIONS_MIN - 1})
    defaults = estimate.of_order([plan(10)], LENGTHS, where(), {CHOICES: too_little})
    known = estimate.of_order([plan(10)], LENGTHS, where(), {CHOICES: enough})
    assert defaults == estimate.of_order([plan(10)], LENGTHS, where(), {})
    assert (known.output_tokens, known.seconds.expected) == (10_000, 20)
    assert known.seconds.high / known.seconds.expected < defaults.seconds.high / defaults.seconds.expected
    assert known.assumptions[0].startswith("1 of 1 calls are reckoned from what earlier calls of")


def test_the_prompt_is_about_as_long_as_is_reckoned() -> None:
    source = Source(module_id=FIRST, name="Plants", text="x" * 4000, language="en")
    for question_type in QuestionType:
        written = prompt.for_request(Request(source=source, question_type=question_type, difficulty=None, count=10))
        schema = str(answer_schema.schema_of(question_type))
        tokens = (len(written.frame) + len(written.module) - 4000 + len(written.task) + len(schema)) / 4
        assert tokens == pytest.approx(estimate.FRAME_TOKENS + estimate.TASK_TOKENS, rel=0.5), question_type
