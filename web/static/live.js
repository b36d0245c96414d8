// The live page of a generation: events in, state forward, drawing once per frame.

import { generationOf } from "./connection.js";
import { Feed } from "./feed.js";
import { after, isTerminal, snapshot } from "./state.js";
import { Stream } from "./stream.js";
import { View } from "./view.js";

const SETTLE_MS = 400;
// What calls cost comes with no event of its own; while questions come in, it is looked up this often.
const COST_MS = 4000;
const FEED_BACK = 100;
const TRIES_MAX = 6;
const HIDDEN_DRAW_MS = 250;
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
const { generation: page, generationId, generationUrl, eventsUrl } = root.dataset;
const view = new View(root);
const feed = new Feed();

let state = snapshot(JSON.parse(page));
let ahead = [];
let asking = null;
let settling = 0;
let costing = 0;
let drawing = false;
let serverAhead = -Infinity;

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
  view.connection(isTerminal(state) ? "ended" : stream.state);
}

function receive({ type, data }) {
  if (generationOf({ data }) !== generationId) return;
  if (type === "resync") {
    ahead = [];
    take(snapshot(data));
    fillFeed();
    return;
  }
  serverAhead = Math.max(serverAhead, Date.parse(data.at) - Date.now());
  if (data.seq <= state.seq) return;
  if (data.seq > state.seq + 1) {
    ahead.push(data);
    catchUp();
    return;
  }
  feed.add(data, state.batches);
  take(after(state, data));
  if (UNSETTLING.has(type)) settle();
  else if (PRICED.has(type) && !costing) costing = setTimeout(lookUpCost, COST_MS);
}

function settle() {
  if (settling) return;
  settling = setTimeout(() => {
    settling = 0;
    catchUp();
  }, SETTLE_MS);
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
    try {
      const answer = await fetch(generationUrl, { headers: { Accept: "application/json" } });
      if (answer.ok) return await answer.json();
    } catch {
      // The service is away for a moment; the stream shows it, and the next try follows.
    }
    await new Promise((done) => setTimeout(done, 500 * 2 ** tries));
  }
  return null;
}

function adopt(generation) {
  if (!generation) return;
  const missed = generation.last_event_id - state.seq;
  take(missed >= 0 ? snapshot(generation) : { ...state, usage: generation.usage });
  if (missed > 0) fillFeed();
}

function drainAhead() {
  const waiting = ahead.sort((one, other) => one.seq - other.seq);
  ahead = [];
  for (const data of waiting) receive({ type: data.type, data });
}

// What was accepted while the page did not listen. Without an answer the feed just starts with what comes.
async function fillFeed() {
  const from = Math.max(0, state.seq - FEED_BACK);
  if (from === state.seq) return;
  const address = `${eventsUrl}?after=${from}&limit=${state.seq - from}`;
  const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  const { items } = await answer.json();
  for (const event of items) feed.add(event, state.batches);
  drawSoon();
}

function drawSoon() {
  if (drawing) return;
  drawing = true;
  // A hidden tab gets no frames, but its title should still count.
  if (document.hidden) setTimeout(draw, HIDDEN_DRAW_MS);
  else requestAnimationFrame(draw);
}

function draw() {
  drawing = false;
  view.draw(state);
  view.drawFeed(feed.entries);
  drawElapsed();
}

function drawElapsed() {
  view.drawElapsed(state, Date.now() + (Number.isFinite(serverAhead) ? serverAhead : 0));
}

async function press(form) {
  const button = form.querySelector("button");
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  view.refuse("");
  const refusal = await post(form);
  button.ariaDisabled = "false";
  if (refusal) {
    view.refuse(refusal);
    return;
  }
  stream.wakeOthers(generationId);
  await readAnew();
  view.focusHeading();
}

async function post(form) {
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.ok) return "";
    const problem = await answer.json().catch(() => ({}));
    return problem.detail ?? `The service answered ${answer.status}. Please try again.`;
  } catch {
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
document.addEventListener("visibilitychange", draw);
setInterval(drawElapsed, 1000);

draw();
take(state);
fillFeed();
