// The live list of generations: running ones move with their events; what no event tells comes from reading the page
// again now and then.

import { arrange } from "./arrange.js";
import { generationOf } from "./connection.js";
import { News } from "./news.js";
import { Row } from "./row.js";
import { Stream } from "./stream.js";
import { localTimes } from "./times.js";
import WORDS from "./words.js";

const READ_MS = 3_000;
const ANSWER_MS_MAX = 10_000;

const list = document.querySelector("[data-list]");
const empty = document.querySelector("[data-empty]");
const connection = document.querySelector("[data-part=connection]");
const news = new News(document.querySelector("[data-part=news]"));
const rows = new Map(Array.from(list.children, (element) => [element.dataset.generationId, new Row(element)]));
const stream = new Stream(() => running().map((row) => [row.id, row.lastSeen]));

let reading = null;
let isReadingAgain = false;
let isDrawing = false;
let watched = ids(running());
const changed = new Set();
// Generations that other tabs watch and this page does not list, as far as it has looked.
const elsewhere = new Set();
const told = new WeakMap(Array.from(rows.values(), (row) => [row, row.status]));

function running() {
  return Array.from(rows.values()).filter((row) => row.isRunning);
}

function ids(found) {
  return found.map((row) => row.id).join();
}

function receive({ type, data }) {
  const row = rows.get(generationOf({ data }));
  if (!row) return;
  if (!row.hear({ type, data })) readSoon();
  changed.add(row);
  settle();
}

// Reads the page that is shown again. What is asked for while it is being read is read once more.
function readSoon() {
  isReadingAgain = reading !== null;
  reading ??= read().finally(() => {
    reading = null;
    if (isReadingAgain) readSoon();
  });
}

async function read() {
  const askedAt = performance.now();
  const page = await fetched();
  const fresh = page?.querySelector("[data-list]");
  if (!fresh) return;
  localTimes(fresh);
  const before = Array.from(rows.values());
  const shown = Array.from(fresh.children, (element) => adopted(element, askedAt));
  // Who is on a row that has slid to the next page stays there.
  const kept = before.filter((row) => !shown.includes(row) && row.hasFocus);
  rows.clear();
  for (const row of [...shown, ...kept]) rows.set(row.id, row);
  arrange(
    list,
    Array.from(rows.values(), (row) => row.element),
  );
  empty.hidden = rows.size > 0;
  list.hidden = rows.size === 0;
  settle();
}

// Nothing: the service is away for a moment. The stream says so, and the next reading follows.
async function fetched() {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal }).catch(() => null);
  const text = answer?.ok ? await answer.text().catch(() => "") : "";
  return text ? new DOMParser().parseFromString(text, "text/html") : null;
}

function adopted(element, askedAt) {
  const row = rows.get(element.dataset.generationId);
  if (!row) return new Row(element);
  row.adopt(element, askedAt);
  changed.add(row);
  return row;
}

// After something changed: whom to watch, and what to show.
function settle() {
  const now = ids(running());
  if (now !== watched) {
    watched = now;
    stream.update();
  }
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(draw);
}

function draw() {
  isDrawing = false;
  for (const row of changed) row.draw();
  changed.clear();
  for (const row of rows.values()) tell(row);
  showConnection();
}

function tell(row) {
  const before = told.get(row);
  if (before === row.status) return;
  told.set(row, row.status);
  if (!before) news.add(row, `New order: ${row.title}.`);
  else if (row.status !== "processing") news.add(row, `${row.title}: ${WORDS.states[row.status]}, ${row.saved}.`);
}

function showConnection() {
  const name = running().length ? stream.state : "ended";
  connection.dataset.connection = name;
  if (connection.textContent !== WORDS.connections[name]) connection.textContent = WORDS.connections[name];
  document.documentElement.dataset.milling = String(name === "live");
}

// Another tab watches what this page does not list: maybe a new order.
function meet(found) {
  const unmet = found.filter((id) => !rows.has(id) && !elsewhere.has(id));
  for (const id of unmet) elsewhere.add(id);
  if (unmet.length) readSoon();
}

function readIfSeen() {
  if (!document.hidden) readSoon();
}

stream.addEventListener("message", (event) => receive(event.detail));
stream.addEventListener("state", showConnection);
stream.addEventListener("behind", readSoon);
stream.addEventListener("wake", readSoon);
stream.addEventListener("watched", (event) => meet(event.detail.ids));
document.addEventListener("visibilitychange", readIfSeen);
setInterval(readIfSeen, READ_MS);
showConnection();
