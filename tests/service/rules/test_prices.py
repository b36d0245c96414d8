"""What calls cost, by the one file of prices."""

from datetime import date

import pytest

from service.rules.prices import Tokens, cost_usd, price_list, price_of

MILLION = 1_000_000


def test_each_kind_of_token_has_its_price() -> None:
    assert cost_usd("claude-sonnet-5-5", Tokens(input=MILLION)) == pytest.approx(2.00)
    assert cost_usd("claude-sonnet-5-5", Tokens(output=MILLION)) == pytest.approx(10.00)
    assert cost_usd("claude-sonnet-5-5", Tokens(cache_write=MILLION)) == pytest.approx(2.50)
    assert cost_usd("claude-sonnet-5-5", Tokens(cache_read=MILLION)) == pytest.approx(0.10)


def test_the_date_in_a_model_id_does_not_change_its_price() -> None:
    assert price_of("claude-haiku-4-5-20251001") == price_of("claude-haiku-4-5") is not None


def test_a_long_prompt_pays_more_for_the_whole_call_and_cached_tokens_make_it_long() -> None:
    short = Tokens(input=50_000, cache_read=50_000, output=1000)
    long = Tokens(input=50_000, cache_read=50_001, output=1000)
    assert cost_usd("claude-haiku-5-5", short) == pytest.approx(0.005 + 0.0005 + 0.0005)
    assert cost_usd("claude-haiku-5-5", long) == pytest.approx(0.025 + 0.0025 + 0.0025, rel=1e-4)


def test_a_model_that_is_not_listed_has_no_price_rather_than_none_to_pay() -> None:
    assert cost_usd("llama-at-home", Tokens(input=MILLION)) is None


def test_the_list_says_of_which_day_it_is() -> None:
    assert price_list().as_of >= date(2026, 10, 24)
    assert "claude-sonnet-5-5" in price_list().models
