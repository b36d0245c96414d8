"""The live page of a generation: the contract's texts, rows and cells, and what the script goes on from."""

import re
from uuid import UUID

import pytest

from schemas.calls import CallOutcome, Usage, Waste
from schemas.events import Happening
from schemas.generations import Batch, Generation
from schemas.states import BatchState, GenerationState
from tests.web import samples
from tests.web.reading import part, soup, text_of
from web import pages, wording


def live(generation: Generation) -> str:
    return pages.generation(generation, "Biology", runs=(), latest=(), now=samples.AT)


def buttons(html: str) -> list[str]:
    """What can be pressed, in order; a question that asks first comes after the button that opens it."""
    page = soup(html)
    for hidden in page.select("[hidden]"):
        hidden.decompose()
    return [text_of(button) for button in page.select("article button")]


def test_a_partial_generation_says_what_the_contract_says() -> None:
    html = live(samples.partial())

    assert text_of(soup(html).h1) == "Partial Question Generation Success"
    assert part(html, "questions") == "Questions: 15/35"
    assert part(html, "batches") == "Batches: 1/2"
    assert part(html, "progress") == "Progress: 42.9%"
    assert part(html, "held") == "Held: 5"
    assert part(html, "message") == "15 of 35 questions created"
    assert part(html, "safe") == "Only failed batches will be regenerated. Your existing questions are safe."
    assert buttons(html) == [
        "Retry Failed Batches",
        "Retry this batch",
        "Finish this batch with its 5 questions",
    ]
    assert text_of(soup(html).title) == "15/35 · Quizmill"


def test_a_failed_generation_says_what_the_contract_says() -> None:
    failed = samples.batch(1, BatchState.FAILED, held=5, error=samples.OVERLOADED)
    html = live(samples.generation(GenerationState.FAILED, failed))

    assert text_of(soup(html).h1) == "Question Generation Failed"
    assert buttons(html) == [
        "Retry Question Generation",
        "Retry this batch",
        "Finish this batch with its 5 questions",
    ]
    assert part(html, "error") == "the provider was overloaded for 10 minutes (provider_overloaded)"
    assert part(html, "safe") == ""


@pytest.mark.parametrize(
    ("status", "batch"),
    [
        (GenerationState.CANCELLED, samples.batch(1, BatchState.FAILED, held=5, error=samples.OVERLOADED)),
        (GenerationState.PARTIAL, samples.batch(1, BatchState.FAILED, error=samples.OVERLOADED)),
        (GenerationState.CANCELLED, samples.batch(1, BatchState.CANCELLED, held=5)),
        (GenerationState.PROCESSING, samples.batch(1, BatchState.PENDING, held=5)),
    ],
)
def test_what_the_service_would_refuse_to_accept_has_no_button_for_it(status: GenerationState, batch: Batch) -> None:
    assert not [text for text in buttons(live(samples.generation(status, batch))) if "Finish" in text]


@pytest.mark.parametrize("status", list(GenerationState))
def test_every_state_has_its_own_heading_and_only_the_buttons_that_do_something(status: GenerationState) -> None:
    html = live(samples.generation(status, samples.batch()))

    wanted = {
        GenerationState.PENDING: ["pause", "cancel"],
        GenerationState.PROCESSING: ["pause", "cancel"],
        GenerationState.PAUSED: ["resume", "cancel"],
        GenerationState.PARTIAL: ["retry"],
        GenerationState.FAILED: ["retry"],
    }
    shown = soup(html).select("[data-action]:not([hidden])")
    assert text_of(soup(html).h1) == wording.WORDS.headings[status]
    assert [field["data-action"] for field in shown] == wanted.get(status, [])
    forms = [field if field.name == "form" else field.form for field in shown]
    assert [(form["method"], form["action"]) for form in forms if form] == [
        ("post", f"/generations/{UUID(int=2)}/{step}") for step in wanted.get(status, [])
    ]


def test_cancelling_asks_first_also_without_a_script() -> None:
    page = soup(live(samples.generation(GenerationState.PROCESSING, samples.batch())))
    question = page.select_one("[popover]")

    assert question is not None
    assert text_of(page.select_one("[data-part=cancel]")) == "Cancel Generation"
    assert [button["popovertarget"] for button in page.select("button[popovertarget]")] == [question["id"]] * 2
    assert question.form is not None
    assert question.form["action"] == f"/generations/{UUID(int=2)}/cancel"
    assert text_of(question.form.button) == "Yes, cancel it"


def test_headings_differ_and_cover_every_state() -> None:
    assert set(wording.WORDS.headings) == set(wording.WORDS.states) == set(GenerationState)
    assert len(set(wording.WORDS.headings.values())) == len(GenerationState)
    assert set(wording.WORDS.batches) == set(BatchState)


def test_a_row_carries_its_batch_its_state_and_one_cell_per_question() -> None:
    html = live(samples.partial())
    first, second = soup(html).select("[data-batch-id]")

    assert (first["data-batch-id"], first["data-status"]) == (str(UUID(int=101)), "completed")
    assert [cell["data-grain"] for cell in first.select("[data-grain]")] == ["saved"] * 15
    assert second["data-status"] == "failed"
    assert [cell["data-grain"] for cell in second.select("[data-grain]")] == ["held"] * 5 + ["missing"] * 15
    assert text_of(second.select_one("[data-part=tally]")) == "5 held, 15 missing"
    assert text_of(second.select_one("[data-part=attempts]")) == "· 3 attempts"
    assert "the provider was overloaded for 10 minutes (provider_overloaded)" in text_of(second)


def test_states_of_cells_can_be_read_without_seeing_them() -> None:
    running = samples.batch(1, BatchState.PROCESSING, held=7)
    row = soup(live(samples.generation(GenerationState.PROCESSING, running))).select_one("[data-batch-id]")

    assert row is not None
    cells = row.select_one("[role=img]")
    assert cells is not None
    assert cells["aria-label"] == "7/20 held"
    assert text_of(row.select_one("[data-part=state]")) == "Generating"


def test_the_page_carries_what_the_script_goes_on_from() -> None:
    generation = samples.partial()
    article = soup(live(generation)).article

    assert article is not None
    assert article["data-last-event-id"] == "48"
    assert article["data-events-url"] == f"/api/generations/{UUID(int=2)}/events"
    assert article["data-attempts-url"] == f"/api/generations/{UUID(int=2)}/attempts"
    carried = article.select_one("script[type='application/json']")
    assert carried is not None
    assert carried.string is not None
    assert Generation.model_validate_json(carried.string) == generation


def test_a_long_list_has_a_bar_for_each_batch_instead_of_its_cells() -> None:
    many = [samples.batch(number, BatchState.FAILED, held=5, error=samples.OVERLOADED) for number in range(101)]
    page = soup(live(samples.generation(GenerationState.FAILED, *many)))
    rows = page.select("[data-batch-id]")

    assert len(rows) == 101
    assert not rows[0].select("[data-grain]")
    assert [bar["width"] for bar in rows[0].select("rect")] == ["25.0%", "0.0%"]
    assert page.select_one("div.long[tabindex='0']") is not None


def test_the_bar_shows_saved_and_held_apart() -> None:
    page = soup(live(samples.partial()))
    bar, saved, held = (page.select_one(f"[data-part={name}]") for name in ("bar", "bar-saved", "bar-held"))

    assert bar is not None
    assert saved is not None
    assert held is not None
    assert (saved["width"], held["width"]) == ("42.9%", "57.1%")
    assert bar["aria-valuetext"] == "15 of 35 questions saved, 5 held"


def test_saved_questions_are_linked_and_counted_in_the_right_number() -> None:
    one = samples.generation(GenerationState.COMPLETED, samples.batch(1, BatchState.COMPLETED, target=1))
    none = samples.generation(GenerationState.PROCESSING, samples.batch())
    link = soup(live(none)).select_one("[data-part=questions-link]")

    assert part(live(one), "questions-link") == "See 1 saved question"
    assert part(live(samples.partial()), "questions-link") == "See 15 saved questions"
    assert link is not None
    assert link.has_attr("hidden")


def test_times_and_cost_are_shown() -> None:
    usage = Usage(llm_calls=9, input_tokens=12345, cost_usd=0.0421, wasted_calls=1)
    finished = samples.generation(GenerationState.COMPLETED, samples.batch(1, BatchState.COMPLETED), usage=usage)
    html = live(finished)

    assert part(html, "elapsed") == "1 min 23 s"
    assert part(html, "started") == "5 Mar 2026, 09:07 UTC"
    assert part(html, "cost") == "$0.0421"
    assert part(html, "input_tokens") == "12,345"
    assert part(html, "wasted_calls") == "1"


def test_cost_is_shown_with_its_limit_what_a_question_costs_and_what_was_wasted() -> None:
    waste = (Waste(reason=CallOutcome.MALFORMED_ANSWER, calls=2, output_tokens=90, cost_usd=0.03),)
    usage = Usage(llm_calls=9, cost_usd=1.5, cost_per_accepted_usd=0.0421, waste=waste)
    limited = samples.generation(GenerationState.PROCESSING, samples.batch(), usage=usage)
    html = live(limited.model_copy(update={"cost_max_usd": 2.0}))

    assert part(html, "cost") == "$1.50"
    assert part(html, "cost-per-question") == "$0.0421 a question"
    assert part(html, "cost-max") == "$2.00"
    assert part(html, "waste") == "Malformed answer: 2 calls, $0.0300"


@pytest.mark.parametrize(
    ("unpriced_calls", "told"), [(9, "price unknown"), (2, "$1.50 and 2 calls of unknown price"), (0, "$1.50")]
)
def test_a_price_that_is_unknown_is_not_shown_as_nothing(unpriced_calls: int, told: str) -> None:
    usage = Usage(llm_calls=9, cost_usd=1.5, unpriced_calls=unpriced_calls)
    assert part(live(samples.generation(GenerationState.PROCESSING, samples.batch(), usage=usage)), "cost") == told


def test_before_the_first_call_no_cost_is_shown() -> None:
    html = live(samples.generation(GenerationState.PROCESSING, samples.batch()))
    assert soup(html).select_one("[data-part=usage][hidden]") is not None


def test_without_scripts_a_running_page_reloads_and_an_ended_one_does_not() -> None:
    running = live(samples.generation(GenerationState.PROCESSING, samples.batch()))

    assert soup(running).select_one("noscript meta[http-equiv=refresh]") is not None
    assert text_of(soup(running).select_one("noscript a[href='?stay']")) == "Let it stay as it is"
    assert soup(live(samples.partial())).select_one("noscript") is None


def test_a_page_that_shall_stay_as_it_is_does_not_reload() -> None:
    running = samples.generation(GenerationState.PROCESSING, samples.batch())
    html = pages.generation(running, "Biology", runs=(), latest=(), now=samples.AT, stays=True)
    assert soup(html).select_one("noscript") is None


def test_the_script_listens_to_every_event_of_the_log() -> None:
    def types(kind: type[Happening]) -> set[str]:
        own = {kind.type} if "type" in vars(kind) else set()
        return own.union(*(types(below) for below in kind.__subclasses__()))

    connection = (pages.STATIC_DIR / "connection.js").read_text(encoding="utf-8")
    listed_types = re.findall(r'^  "([a-z.]+)",$', connection, flags=re.MULTILINE)
    assert set(listed_types) == types(Happening) | {"resync", "heartbeat", "bye"}
