// The live page of a generation: events in, state forward, and drawn together what came together.

import { Attempts } from "./attempts.js";
import { generationOf } from "./connection.js";
import { Feed } from "./feed.js";
import { Lanes } from "./lanes.js";
import { Log } from "./log.js";
import { Pace } from "./pace.js";
import { after, isTerminal, snapshot, waitingFor } from "./state.js";
import { Stream } from "./stream.js";
import { Tail } from "./tail.js";
import { View } from "./view.js";

const SETTLE_MS = 400;
// What calls cost comes with no event of its own; while questions come in, it is looked up this often.
const COST_MS = 4000;
const TRIES_MAX = 6;
// The stream tells within moments what a reading knows already.
const LEAD_MS = 1000;
const HIDDEN_DRAW_MS = 250;
// Forty times a second is smooth enough, and leaves the browser time for everything else.
const FRAME_MS = 25;
const TICK_MS = 1000;
// The latest questions change no faster than they can be glanced at.
const GLANCE_MS = 500;
// While the service answers for a large order it tells nothing else: such a reading is not repeated soon.
const PAUSE_MS_PER_BATCH = 10;
// After these the service knows more than the event says: usage, the error in sum, the batches a pause sent back.
const UNSETTLING = new Set([
  "batch.completed",
  "batch.failed",
  "batch.retrying",
  "batch.requeued",
  "generation.paused",
  "generation.resumed",
]);

const PRICED = new Set(["question.accepted", "question.rejected"]);

const root = document.querySelector("[data-generation-id]");
const { generationId, generationUrl, eventsUrl, attemptsUrl } = root.dataset;

let state = snapshot(JSON.parse(root.querySelector('[data-part="generation"]').textContent));
let ahead = [];
let asking = null;
let settling = 0;
let costing = 0;
let drawing = false;
let isRefusedByNobody = false;
let drawnAt = -Infinity;
let glancing = 0;
let serverAhead = -Infinity;
let isCourseNew = true;
let attemptsReadAt = -Infinity;
let readingAttempts = false;
let knowsAttempts = false;
let awaited = null;

const view = new View(root, state);
const feed = new Feed();
const pace = new Pace();
const attempts = new Attempts();
const lanes = new Lanes(root.querySelector(".course"));
const tail = new Tail(eventsUrl);
const log = new Log(root.querySelector(".log"), tail, state.batches);
const stream = new Stream(() => (isTerminal(state) ? [] : [[generationId, state.seq]]));

function take(next) {
  const wasTerminal = isTerminal(state);
  state = next;
  showConnection();
  if (isTerminal(state) !== wasTerminal) {
    stream.update();
    if (!wasTerminal) catchUp();
  }
  drawSoon();
}

function showConnection() {
  if (stream.state === "live" && isRefusedByNobody) {
    isRefusedByNobody = false;
    view.refuse("");
  }
  view.connection(isTerminal(state) ? "ended" : stream.state);
}

function receive({ type, data }) {
  if (generationOf({ data }) !== generationId) return;
  if (type === "resync") {
    ahead = [];
    take(snapshot(data, state));
    startAnew();
    return;
  }
  setClock(data.at);
  if (data.seq <= state.seq) return;
  if (data.seq > state.seq + 1) {
    ahead.push(data);
    awaited?.resolve();
    catchUp();
    return;
  }
  follow(data);
  take(after(state, data));
  if (awaited && state.seq >= awaited.seq) awaited.resolve();
  if (UNSETTLING.has(type)) settle();
  else if (PRICED.has(type) && !costing) costing = setTimeout(lookUpCost, pauseOf(COST_MS));
}

function follow(event) {
  feed.add(event, state);
  pace.add(event);
  tail.add(event);
  log.add(event);
  if (attempts.follow(event)) isCourseNew = true;
}

function pauseOf(least) {
  return Math.max(least, state.batches.length * PAUSE_MS_PER_BATCH);
}

function settle() {
  if (settling) return;
  settling = setTimeout(() => {
    settling = 0;
    catchUp();
  }, pauseOf(SETTLE_MS));
}

function lookUpCost() {
  costing = 0;
  catchUp();
}

// Reads the generation and goes on from there; a reading that is older than the events only brings its usage.
function catchUp() {
  asking ??= ask()
    .then(adopt)
    .finally(() => {
      asking = null;
    })
    .then(drainAhead);
  return asking;
}

// A reading that is under way may have been taken before what just happened.
async function readAnew() {
  await asking;
  return catchUp();
}

async function ask() {
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const answer = await read(generationUrl);
    if (answer) return answer;
    await new Promise((done) => setTimeout(done, 500 * 2 ** tries));
  }
  return null;
}

// Null while the service is away for a moment: the stream shows it, and another reading follows.
async function read(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
  if (answer?.headers.has("Date")) setClock(answer.headers.get("Date"));
  return answer?.ok ? answer.json().catch(() => null) : null;
}

async function adopt(generation) {
  if (!generation) return;
  await told(generation.last_event_id);
  const missed = generation.last_event_id - state.seq;
  take(missed >= 0 ? snapshot(generation, state) : { ...state, usage: generation.usage });
  if (missed > 0) startAnew();
}

// Until the stream has told that much; not for long, and not while it tells nothing or something is missing.
async function told(seq) {
  if (seq <= state.seq || isTerminal(state) || ahead.length) return;
  await new Promise((resolve) => {
    awaited = { seq, resolve };
    setTimeout(resolve, LEAD_MS);
  });
  awaited = null;
}

function drainAhead() {
  const waiting = ahead.sort((one, other) => one.seq - other.seq);
  ahead = [];
  for (const data of waiting) receive({ type: data.type, data });
}

// Something happened while the page did not listen: the log, the pace and the time line are read.
async function startAnew() {
  readAttempts();
  const events = await tail.fill(state.seq).catch(() => []);
  pace.forget();
  for (const event of tail.events) pace.add(event);
  for (const event of events) feed.add(event, state);
  if (tail.events.at(-1)?.seq === state.seq) state = { ...state, waiting: waitingFor(tail.events) };
  await log.refresh();
  drawSoon();
}

async function readAttempts() {
  if (readingAttempts) return;
  readingAttempts = true;
  attempts.expect();
  const answer = await read(attemptsUrl);
  readingAttempts = false;
  attemptsReadAt = performance.now();
  if (!answer) return;
  knowsAttempts = true;
  attempts.read(answer.items);
  drawCourse();
}

function drawSoon() {
  if (drawing) return;
  drawing = true;
  // Not in the next frame: a hidden tab has none, and its title should still count; others see it a little sooner.
  const pause = document.hidden ? HIDDEN_DRAW_MS : FRAME_MS;
  setTimeout(draw, drawnAt + pause - performance.now());
}

function draw() {
  drawing = false;
  drawnAt = performance.now();
  log.draw();
  view.draw(state);
  glancing ||= setTimeout(drawFeed, GLANCE_MS);
}

function drawFeed() {
  glancing = 0;
  view.drawFeed(feed.entries);
}

// Once a second: what changes with time alone, and what would flicker if it followed every event.
function tick() {
  const now = serverNow();
  view.drawElapsed(state, now);
  view.drawPace(pace.read(state, now));
  view.speak(state, performance.now());
  if (!document.hidden && (isCourseNew || !isTerminal(state))) drawCourse();
  const isDue = performance.now() - attemptsReadAt > pauseOf(COST_MS);
  if (isDue && (!knowsAttempts || attempts.hasGaps)) readAttempts();
}

// Before the attempts are known, what the server has drawn says more.
function drawCourse() {
  if (!knowsAttempts) return;
  isCourseNew = false;
  lanes.draw(state, attempts, serverNow());
}

// It was that late at the service, or later: what it says takes a while to get here.
function setClock(at) {
  serverAhead = Math.max(serverAhead, Date.parse(at) - Date.now());
}

function serverNow() {
  return Date.now() + (Number.isFinite(serverAhead) ? serverAhead : 0);
}

async function press(form) {
  const button = form.querySelector("button");
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  // What is pressed may be gone in a moment.
  const row = form.closest("[data-batch-id]");
  view.refuse("");
  const refusal = await post(form);
  button.ariaDisabled = "false";
  form.closest("[popover]")?.hidePopover?.();
  if (refusal) {
    view.refuse(refusal);
    return;
  }
  stream.wakeOthers(generationId);
  await readAnew();
  view.focusAt(row);
}

async function post(form) {
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.ok) return "";
    const problem = await answer.json().catch(() => ({}));
    return problem.detail ?? `The service answered ${answer.status}. Please try again.`;
  } catch {
    isRefusedByNobody = true;
    return "The service cannot be reached. Please try again.";
  }
}

stream.addEventListener("message", (event) => receive(event.detail));
stream.addEventListener("state", showConnection);
stream.addEventListener("behind", () => catchUp());
stream.addEventListener("wake", (event) => event.detail.id === generationId && readAnew());
root.addEventListener("submit", (event) => {
  event.preventDefault();
  press(event.target);
});
document.addEventListener("visibilitychange", () => {
  draw();
  tick();
});
lanes.onOpen(drawCourse);
setInterval(tick, TICK_MS);

draw();
take(state);
startAnew().then(tick);
