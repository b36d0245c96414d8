"""The live page of a generation in a real browser: its time line, pace, log and buttons, for every kind of reader."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from random import Random

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from schemas.events import BatchRetrying, Event, GenerationResumed, Happening, QuestionAccepted
from schemas.states import BatchState, ErrorCode, GenerationState
from tests import axe
from tests.factories import Ordered
from tests.journeys.browsing import RESULTS, launched, opened
from tests.journeys.stage import Stage, staged
from tests.web import samples
from tests.web.test_told import SENTENCES
from web import pace

pytestmark = pytest.mark.asyncio(loop_scope="module")
MIDDLE = 768
WIDTHS = (390, MIDDLE, 1920)
SPOKEN_ONCE_MS = 5_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What our scripts or the content policy complained of: nothing."""
    found: list[str] = []
    yield found
    assert found == []


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser, complaints: list[str]) -> AsyncIterator[Page]:
    page = await opened(chromium, complaints)
    yield page
    await page.close()


@pytest_asyncio.fixture(loop_scope="module")
async def plain_page(chromium: Browser, complaints: list[str]) -> AsyncIterator[Page]:
    """A browser without JavaScript."""
    page = await opened(chromium, complaints, javascript=False)
    yield page
    await page.close()


def part(page: Page, name: str) -> Locator:
    return page.locator(f"[data-part='{name}']")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


async def see(page: Page, stage: Stage, ordered: Ordered) -> None:
    """Open its page and wait until it is live, or has read all that there will be."""
    await page.goto(stage.address(ordered))
    await expect(part(page, "connection")).to_have_text(re.compile("live|up to date"))


async def bars(page: Page, lane: int) -> list[str | None]:
    drawn = page.locator("[data-lane]").nth(lane).locator("rect")
    return [await bar.get_attribute("data-kind") for bar in await drawn.all()]


async def test_the_time_line_shows_every_attempt_and_the_wait_between_while_they_happen(
    stage: Stage, page: Page
) -> None:
    ordered = await stage.order(2, 3)
    await see(page, stage, ordered)
    await expect(part(page, "course-summary")).to_have_text("No batch has begun yet.")
    first = await stage.claim(ordered, 0, worker="host:1:aa")
    await stage.hold(first, 1)
    await expect(page.locator("[data-lane] rect[data-kind=running]")).to_have_count(1)
    await stage.delay(first)
    await expect(page.locator("[data-lane] rect[data-kind=retrying]")).to_have_count(1)
    await expect(page.locator("[data-lane] rect[data-kind=wait]")).to_have_count(1)
    again = await stage.claim(ordered, 0, worker="host:2:bb")
    other = await stage.claim(ordered, 1, worker="host:1:aa")
    await expect(page.locator("[data-lane] rect[data-kind=running]")).to_have_count(2)
    await stage.complete(again, other)

    await expect(page.get_by_role("heading", level=1)).to_have_text("Question Generation Success")
    await expect(page.locator("[data-lane] rect[data-kind=completed]")).to_have_count(2)
    await expect(part(page, "course-summary")).to_have_text("3 attempts of 2 batches by 2 workers, 1 retry among them.")
    assert await bars(page, 0) == ["wait", "retrying", "completed"]
    assert await bars(page, 1) == ["completed"]
    await expect(page.locator("[data-lane] .lane-who")).to_have_text(["workers 1, 2", "worker 1"])
    await page.get_by_text("The time line as a table").click()
    await expect(part(page, "course-rows").locator("tr")).to_have_count(3)
    cells = [
        await row.locator("th, td").all_inner_texts() for row in await part(page, "course-rows").locator("tr").all()
    ]
    assert [(row[0], row[1], row[2], row[5]) for row in cells] == [
        ("Module 1 · Multiple choice", "1", "worker 1", "tried again later (provider_overloaded)"),
        ("Module 1 · Multiple choice", "2", "worker 2", "saved"),
        ("Module 2 · Multiple choice", "1", "worker 1", "saved"),
    ]
    await page.screenshot(path=RESULTS / "time-line.png", full_page=True)


async def test_script_and_server_draw_the_same_picture(stage: Stage, page: Page, plain_page: Page) -> None:
    ordered = await stage.partial()
    await see(page, stage, ordered)
    await plain_page.goto(stage.address(ordered))
    summary = await part(plain_page, "course-summary").inner_text()
    await expect(part(page, "course-summary")).to_have_text(summary)

    async def drawn(page: Page) -> list[list[str | None]]:
        shapes = page.locator("[data-part=lanes] rect, [data-part=lanes] line")
        names = ("class", "data-kind", "x", "width", "x1")
        return [[await shape.get_attribute(name) for name in names] for shape in await shapes.all()]

    assert await drawn(page) == await drawn(plain_page)
    assert len(await drawn(page)) >= 3


async def test_a_batch_that_only_waits_in_its_workers_hands_is_one_attempt(stage: Stage, page: Page) -> None:
    ordered = await stage.order(3)
    await see(page, stage, ordered)
    claimed = await stage.claim(ordered, 0)
    await stage.wait(claimed)
    await expect(part(page, "rate")).to_have_text("waiting for the provider")
    await expect(part(page, "left")).to_have_text("waiting for the provider")
    await stage.hold(claimed, 1)
    await expect(page.locator("[data-lane] rect")).to_have_count(1)
    await expect(page.locator("[data-lane] rect[data-kind=running]")).to_have_count(1)


async def test_pace_and_time_left_are_told_once_enough_has_happened_and_never_when_nothing_runs(
    stage: Stage, page: Page
) -> None:
    await page.clock.install()
    ordered = await stage.order(50)
    await see(page, stage, ordered)
    await expect(part(page, "rate")).to_have_text("not known yet")
    claimed = await stage.claim(ordered, 0)
    await stage.hold(claimed, 10)
    await expect(part(page, "held")).to_have_text("Held: 10")
    await expect(part(page, "rate")).to_have_text("not known yet")
    await page.clock.fast_forward(20_000)
    await expect(part(page, "rate")).to_have_text(re.compile(r"^\d\d questions a minute$"))
    await expect(part(page, "left")).to_have_text(re.compile(r"^about [23] min$"))
    await page.clock.fast_forward(400_000)
    await expect(part(page, "rate")).to_have_text("not known yet")
    await stage.pause(ordered)
    await expect(part(page, "rate")).to_have_text("paused")
    await expect(part(page, "left")).to_have_text("paused")
    await button(page, "Resume Generation").click()
    await stage.complete(claimed)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Question Generation Success")
    await expect(part(page, "pace")).to_be_hidden()


async def test_the_log_tells_what_happened_and_shows_only_what_is_asked_for(stage: Stage, page: Page) -> None:
    ordered = await stage.order(3, 2)
    await see(page, stage, ordered)
    first = await stage.claim(ordered, 0)
    await stage.hold(first, 2, rejected=1)
    await stage.delay(first)
    await stage.complete(await stage.claim(ordered, 1))
    entries = page.locator("[data-part=log] li")
    told = entries.locator(".told")
    await expect(told.first).to_have_text("Saved: 2 questions")
    await expect(told.last).to_have_text("The generation began")
    await expect(entries.last.locator("time")).to_be_visible()
    for kind, wanted in (
        (
            "Questions",
            [re.compile("Accepted 2 of 2: What is"), re.compile("Accepted 1 of 2")] + [re.compile("of 3")] * 2,
        ),
        ("Rejections", ["Rejected: it was asked before (near_duplicate)"]),
        ("Retries and waits", ["Tries again in 0 s: the provider is overloaded"]),
        ("Batches", ["Saved: 2 questions", "Attempt 1 began", "Attempt 1 began"]),
        ("The generation", ["The generation began"]),
    ):
        await page.get_by_label("Show").select_option(kind)
        await expect(told).to_have_text(wanted)
    await page.get_by_label("Show").select_option("everything")
    await page.get_by_label("of", exact=True).select_option("Module 2")
    await expect(entries.locator(".of")).to_have_text(["Module 2 · Multiple choice"] * 4)


async def test_older_entries_are_read_when_asked_for_and_new_ones_do_not_move_them(stage: Stage, page: Page) -> None:
    ordered = await stage.order(3)
    claimed = await stage.claim(ordered, 0)
    await stage.hold(claimed, 1, rejected=260)
    await see(page, stage, ordered)
    entries = page.locator("[data-part=log] li")
    await expect(entries.first).to_have_attribute("data-seq", "263")
    await expect(entries).to_have_count(25)
    for newest in (238, 213, 188, 163, 138):
        await button(page, "Older").click()
        await expect(entries.first).to_have_attribute("data-seq", str(newest))
    await stage.hold(claimed, 1)
    await expect(part(page, "held")).to_have_text("Held: 2")
    await expect(entries.first).to_have_attribute("data-seq", "138")
    await button(page, "Newest").click()
    await expect(entries.first).to_have_attribute("data-seq", "264")
    await page.get_by_label("Show").select_option("The generation")
    await expect(entries).to_have_count(1)
    await expect(entries).to_have_attribute("data-seq", "1")
    await expect(button(page, "Older")).to_be_hidden()


async def test_a_filter_that_finds_little_asks_before_it_looks_through_a_long_log(stage: Stage, page: Page) -> None:
    ordered = await stage.order(3)
    claimed = await stage.claim(ordered, 0)
    await stage.hold(claimed, 1, rejected=1500)
    await see(page, stage, ordered)
    entries = page.locator("[data-part=log] li")
    await page.get_by_label("Show").select_option("The generation")
    note = "Nothing of this kind so far. Looked back to number 504; Older looks further."
    await expect(part(page, "log-note")).to_have_text(note)
    await button(page, "Older").click()
    await expect(entries).to_have_attribute("data-seq", "1")


async def test_ten_thousand_events_leave_the_page_as_small_as_it_was(stage: Stage, page: Page) -> None:
    ordered = await stage.order(3)
    claimed = await stage.claim(ordered, 0)
    await stage.hold(claimed, 1, rejected=100)
    await see(page, stage, ordered)
    entries = page.locator("[data-part=log] li")
    await expect(entries.first).to_have_attribute("data-seq", "103")
    before = await page.locator("*").count()
    await stage.hold(claimed, 1, rejected=10_000)
    await expect(entries.first).to_have_attribute("data-seq", "10104")
    await expect(entries).to_have_count(25)
    assert await page.locator("*").count() <= before + 20, "a question, some marks of the time line"
    last_seq = await page.locator("[data-last-event-id]").get_attribute("data-last-event-id")
    assert last_seq == "10104"


async def test_what_was_missed_while_the_line_was_dead_is_read_again(stage: Stage, page: Page) -> None:
    ordered = await stage.order(4)
    claimed = await stage.claim(ordered, 0)
    await stage.hold(claimed, 1)
    await page.route(re.compile("/api/events"), lambda route: route.abort())
    await page.goto(stage.address(ordered))
    await expect(part(page, "connection")).to_have_text("reconnecting...")
    await stage.hold(claimed, 2, rejected=1)
    await page.unroute(re.compile("/api/events"))
    await expect(part(page, "held")).to_have_text("Held: 3")
    sequence = [await entry.get_attribute("data-seq") for entry in await page.locator("[data-part=log] li").all()]
    assert sequence == ["6", "5", "4", "3", "2", "1"]


async def test_every_button_does_what_it_says(stage: Stage, page: Page) -> None:
    ordered = await stage.partial()
    await see(page, stage, ordered)
    await button(page, "Retry this batch: Module 3").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Generating Questions")
    await expect(page.locator("[data-batch-id][data-status=failed]")).to_have_count(1)
    await expect(page.locator("[data-batch-id]").nth(2)).to_be_focused()
    await button(page, "Pause").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Question Generation Paused")
    await button(page, "Resume Generation").click()
    await expect(button(page, "Pause")).to_be_visible()
    await button(page, "Finish this batch with its 3 questions: Module 2").click()
    await expect(part(page, "questions")).to_have_text("Questions: 5/9")
    await stage.fail(await stage.claim(ordered, 2))
    await button(page, "Retry Failed Batches").click()
    await expect(button(page, "Cancel Generation")).to_be_visible()
    await expect(page.get_by_text("Cancel this generation?")).to_be_hidden()
    await button(page, "Cancel Generation").click()
    await button(page, "No, go on").click()
    await expect(page.get_by_text("Cancel this generation?")).to_be_hidden()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Generating Questions")
    await button(page, "Cancel Generation").click()
    await button(page, "Yes, cancel it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Question Generation Cancelled")
    await expect(page.locator("[data-batch-id][data-status=cancelled]")).to_have_count(1)


async def test_a_refusal_is_told_on_the_page(stage: Stage, page: Page) -> None:
    ordered = await stage.partial()
    await see(page, stage, ordered)
    await page.route("**/events*", lambda route: route.abort())
    await stage.system.post(f"/api/generations/{ordered.generation_id}/retry")
    await button(page, "Retry Failed Batches").click()
    await expect(page.get_by_role("alert")).to_contain_text("can't be retried: it is processing")


async def test_the_buttons_and_the_time_line_need_no_script(stage: Stage, plain_page: Page) -> None:
    ordered = await stage.partial()
    await plain_page.goto(stage.address(ordered))
    await expect(plain_page.locator("[data-lane] rect")).to_have_count(3)
    await expect(plain_page.locator("[data-part=log] li")).to_have_count(13)
    await button(plain_page, "Retry this batch: Module 3").click()
    await expect(plain_page.get_by_role("heading", level=1)).to_have_text("Generating Questions")
    await plain_page.get_by_role("link", name="Let it stay as it is").click()
    await expect(plain_page.locator("meta[http-equiv=refresh]")).to_have_count(0)
    await button(plain_page, "Cancel Generation").click()
    await button(plain_page, "Yes, cancel it").click()
    await expect(plain_page.get_by_role("heading", level=1)).to_have_text("Question Generation Cancelled")


async def test_the_keyboard_alone_reaches_everything_and_its_place_is_always_seen(stage: Stage, page: Page) -> None:
    ordered = await stage.partial()
    await see(page, stage, ordered)
    await expect(part(page, "log-filters")).to_be_visible()
    reached = await tabbed(page)
    wanted = [
        "Skip to the content",
        "Retry Failed Batches",
        "See 2 saved questions",
        "Retry this batch",
        "Finish this batch with its 3 questions",
        "The time line as a table",
        "log-kind",
        "log-of",
    ]
    assert [name for name in wanted if name not in reached] == []
    await page.get_by_role("button", name="Retry Failed Batches").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await button(page, "Cancel Generation").focus()
    await page.keyboard.press("Enter")
    await expect(button(page, "No, go on")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button(page, "Cancel Generation")).to_be_focused()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Generating Questions")


async def tabbed(page: Page) -> list[str]:
    """What the tab key reaches, in order; each must show that it has the focus."""
    describe = """() => {
        const here = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(here);
        const name = here.tagName === "SELECT" ? here.id : here.textContent.trim().slice(0, 60);
        return [here.tagName, name, outlineStyle, parseFloat(outlineWidth)];
    }"""
    names: list[str] = []
    while True:
        await page.keyboard.press("Tab")
        tag, name, style, width = await page.evaluate(describe)
        if tag == "BODY" or (names and name == names[0]):
            return names
        assert (style, width > 0) == ("solid", True), f"{name} does not show its focus"
        names.append(name)


async def test_a_screen_reader_hears_one_summary_however_much_happens(stage: Stage, page: Page) -> None:
    await page.clock.install()
    ordered = await stage.order(30)
    await see(page, stage, ordered)
    claimed = await stage.claim(ordered, 0)
    await expect(part(page, "spoken")).to_have_text(re.compile("^Generating Questions: 0 of 30 questions saved"))
    spoken = """() => {
        window.spoken = 0;
        const part = document.querySelector("[data-part=spoken]");
        new MutationObserver(() => { window.spoken += 1; }).observe(part, { childList: true, characterData: true });
    }"""
    await page.evaluate(spoken)
    for _ in range(20):
        await stage.hold(claimed, 1)
    await expect(part(page, "held")).to_have_text("Held: 20")
    await page.clock.fast_forward(SPOKEN_ONCE_MS)
    await expect(part(page, "spoken")).to_have_text(re.compile("20 held$"))
    assert await page.evaluate("window.spoken") <= 2
    live = await page.locator("[aria-live], [role=status], [role=log]").count()
    assert live == 1, "nothing else is read out by itself"


async def test_an_order_of_many_batches_shows_the_lanes_that_matter_and_says_how_many_it_leaves_out(
    stage: Stage, page: Page
) -> None:
    ordered = await stage.order(*[2] * 150)
    for number in range(30):
        await stage.complete(await stage.claim(ordered, number))
    running = await stage.claim(ordered, 100)
    await stage.fail(await stage.claim(ordered, 2 + 50))
    await see(page, stage, ordered)
    await expect(page.locator("[data-lane]")).to_have_count(24)
    await expect(page.locator("[data-lane][data-status=failed], [data-lane][data-status=processing]")).to_have_count(2)
    await expect(part(page, "course-left-out")).to_have_text(
        "Drawn are 24 batches: those that run, failed or began last. 8 more have been at work. "
        "118 batches have not begun."
    )
    row = page.locator(f"[data-batch-id='{running.batch_id}']")
    await stage.hold(running, 1)
    await expect(row.locator("[data-part=strip-held]")).to_have_attribute("width", "50.0%")
    await page.screenshot(path=RESULTS / "many.png", full_page=True)


async def test_one_is_singular_and_thousands_are_separated(stage: Stage, page: Page) -> None:
    one = await stage.order(1)
    await see(page, stage, one)
    await stage.complete(await stage.claim(one, 0))
    await expect(part(page, "message")).to_have_text("1 of 1 question created")
    await expect(part(page, "questions-link")).to_have_text("See 1 saved question")
    await expect(part(page, "course-summary")).to_have_text("1 attempt of 1 batch by 1 worker.")
    await expect(page.locator("[data-part=log] .told").first).to_have_text("Completed: 1 of 1 question saved")
    await expect(page.locator("[data-part=tally]")).to_have_text("1/1 saved")
    await expect(page.locator("[data-part=attempts]")).to_have_text("· 1 attempt")
    assert await page.evaluate("import('/static/figures.js').then(({ plural }) => plural(12345, 'question'))") == (
        "12,345 questions"
    )


async def test_the_script_says_what_the_server_says(stage: Stage, page: Page) -> None:
    await see(page, stage, await stage.order(1))
    events = [json.loads(samples.event(happening).data) for happening, _ in SENTENCES]
    tell = "events => import('/static/told.js').then(({ told }) => events.map(told))"
    assert await page.evaluate(tell, events) == [sentence for _, sentence in SENTENCES]


async def test_the_script_counts_as_the_server_counts(stage: Stage, page: Page) -> None:
    await see(page, stage, await stage.order(1))
    batch = samples.batch(1, BatchState.PROCESSING, target=50, held=8)
    generation = samples.generation(GenerationState.PROCESSING, batch)
    count = """async ([state, events, now]) => {
        const { Pace } = await import("/static/pace.js");
        const { waitingFor } = await import("/static/state.js");
        const pace = new Pace();
        for (const event of events) pace.add(event);
        return pace.read({ ...state, waiting: waitingFor(events) }, now);
    }"""
    found = set()
    for seed in range(40):
        random = Random(seed)
        latest = some_events(random)
        now = samples.AT + timedelta(seconds=random.randint(0, 400))
        told = pace.pace(generation, latest, now)
        events = [json.loads(event.data) for event in latest]
        state = json.loads(generation.model_dump_json())
        counted = await page.evaluate(count, [state, events, 1000 * now.timestamp()])
        assert counted == told.model_dump(), seed
        found.add(told.rate)
    assert len(found) > 10


def some_events(random: Random) -> list[Event]:
    """In the order of their whole seconds."""
    batch_id = samples.batch().id
    accepted = QuestionAccepted(batch_id=batch_id, held_count=1, target_count=50, preview="?")
    waiting = BatchRetrying(batch_id=batch_id, code=ErrorCode.PROVIDER_OVERLOADED, delay_seconds=3)
    kinds: list[Happening] = [accepted] * 30 + [waiting, GenerationResumed()]
    seconds = sorted(random.randint(0, 400) for _ in range(random.randint(0, 100)))
    return [samples.event(random.choice(kinds), seq=seq, at=at) for seq, at in enumerate(seconds, start=1)]


async def running(stage: Stage) -> Ordered:
    ordered = await stage.order(4, 5, 3)
    first = await stage.claim(ordered, 0)
    await stage.hold(first, 2, rejected=1)
    await stage.delay(first)
    await stage.hold(await stage.claim(ordered, 1), 3)
    await stage.claim(ordered, 0)
    return ordered


async def failed(stage: Stage) -> Ordered:
    ordered = await stage.order(3)
    await stage.fail(await stage.claim(ordered, 0))
    return ordered


async def paused(stage: Stage) -> Ordered:
    ordered = await running(stage)
    await stage.pause(ordered)
    return ordered


async def completed(stage: Stage) -> Ordered:
    ordered = await stage.order(2, 3)
    await stage.complete(await stage.claim(ordered, 0), await stage.claim(ordered, 1))
    return ordered


async def partial(stage: Stage) -> Ordered:
    return await stage.partial()


@pytest.mark.parametrize("state", [running, partial, failed, paused, completed])
async def test_every_state_is_readable_for_everyone_at_every_width_in_light_and_dark(
    stage: Stage, page: Page, state: object
) -> None:
    assert callable(state)
    await see(page, stage, await state(stage))
    await expect(page.locator("[data-part=log] li").first).to_be_visible()
    await page.get_by_text("The time line as a table").click()
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert await axe.findings(page) == []
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            if width != MIDDLE:
                await page.screenshot(path=RESULTS / f"{state.__name__}-{scheme}-{width}.png", full_page=True)


async def test_the_question_before_cancelling_is_readable_for_everyone(stage: Stage, page: Page) -> None:
    await see(page, stage, await running(stage))
    await page.set_viewport_size({"width": 390, "height": 844})
    await button(page, "Cancel Generation").click()
    await expect(page.get_by_role("dialog", name="Cancel this generation?")).to_be_visible()
    assert await axe.findings(page) == []
    await page.screenshot(path=RESULTS / "cancelling.png")
