"""The benchmark's runs: small ones, in which only counts are looked at."""

import sys
from collections.abc import Sequence

import pytest

from bench import dispatch
from bench.contenders import base, ours, peers
from bench.contenders.base import Result, work
from bench.simulator import bound, children, scenario
from bench.simulator.bodies import Wanted, body
from bench.simulator.scenario import Scenario

CALLS = 6
SECONDS_MAX = 60.0


def run_small(url: str, _calls: Sequence[Wanted], planned: Scenario) -> Result:
    peer = peers.NAMED["gather 50"]
    return peers.run(peer, url, work(1, CALLS), planned, python=sys.executable, seconds_max=SECONDS_MAX)


@pytest.mark.timeout(180)
def test_quizmill_gets_all_its_batches_from_the_simulator_and_wastes_nothing() -> None:
    calls = work(1, CALLS)
    with children.running("--scenario", "no_limit") as url:
        result = ours.run(url, calls, ours.settings_for(CALLS, 2), workers=2, seconds_max=SECONDS_MAX)
        stats = dispatch.stats_of(url)
    assert (result.good_calls, result.errors) == (CALLS, {})
    assert (stats.outcomes, stats.keys_complete) == ({"good": CALLS}, CALLS)
    assert (stats.wasted_calls, stats.duplicate_calls, stats.output_tokens_wasted) == (0, 0, 0)
    assert result.first_question_seconds is not None
    assert result.first_question_seconds <= result.wall_seconds
    assert result.cpu_seconds > 0


def test_a_peer_runs_in_a_process_of_its_own_and_its_answers_are_judged() -> None:
    with children.running("--scenario", "no_limit", "--script", "Chapter 1:too_few:9") as url:
        result = run_small(url, (), scenario.named("no_limit", seed=1))
    assert result.good_calls == 1, "five of the six calls are about the first chapter"
    assert result.errors == {}
    assert result.peak_rss_mb > 10


def test_an_entry_tells_apart_what_was_turned_away_what_failed_and_what_had_no_reason() -> None:
    entry = dispatch.measured("faults_5", "gather 50", 1, run_small)
    figures = entry.figures
    assert entry.ideal_seconds == bound.ideal_seconds(scenario.named("faults_5", seed=1), map(body, work(1)))
    assert figures["lost"] == base.CALLS - entry.result.good_calls
    assert entry.stats.requests == CALLS + figures["faults"]
    assert figures["429s"] == figures["extra"] == 0


def test_the_table_gives_no_ratio_to_who_lost_calls(capsys: pytest.CaptureFixture[str]) -> None:
    entry = dispatch.measured("no_limit", "gather 50", 1, run_small)
    whole = entry.model_copy(update={"result": entry.result.model_copy(update={"good_calls": base.CALLS})})
    dispatch.show("no_limit", [entry, whole.model_copy(update={"contender": "whole"})])
    [lossy] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("gather 50")]
    assert lossy.split()[3] == "-"


@pytest.mark.parametrize(
    "answer",
    [None, "", "Certainly!", '{"questions": []}', '{"questions": [{"quote": "x"', '{"questions": 3}'],
)
def test_what_is_no_whole_answer_is_not_good(answer: str | None) -> None:
    assert not peers.is_good(work(1, 1)[0], answer)


def test_a_peer_that_is_not_installed_is_noticed() -> None:
    missing = peers.NAMED["gather 50"].model_copy(update={"package": "no_such_package"})
    assert not peers.is_installed(missing, sys.executable)
    assert peers.is_installed(peers.NAMED["gather 50"], sys.executable)
