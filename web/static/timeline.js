// The picture of who worked on which batch when, as figures. The same as web/timeline.py; lanes.js draws it.

import { duration, number, plural } from "./figures.js";
import { percent, Scale } from "./scale.js";
import { isTerminal } from "./state.js";
import { clock } from "./times.js";
import { nameOf } from "./told.js";
import WORDS from "./words.js";

const LANES_MAX = 24;
const [RUNNING_FIRST, TROUBLED_FIRST, DONE_FIRST] = [12, 6, 6];
// Hundredths of a percent: what took no time at all is seen as well.
const WIDTH_MIN = 40;
const GIVEN_BACK = new Set(["retrying", "worker_lost", "released"]);

export function timeline(state, attempts, now) {
  const tried = state.batches.filter((batch) => attempts.of(batch.id));
  const drawn = drawnOf(tried, attempts);
  const at = isTerminal(state) ? null : now;
  const lanes = drawn.map((batch) => {
    const tries = attempts.of(batch.id);
    return { batch, tries, between: waits(batch, tries, state.status === "processing" ? now : null) };
  });
  const scale = new Scale(lanes.flatMap(({ tries, between }) => [...tries.map((one) => span(one, at)), ...between]));
  return {
    summary: attempts.summary(),
    leftOut: leftOut(state.batches.length, tried.length, drawn.length),
    lanes: lanes.map((one) => laneOf(one, { attempts, scale, at })),
    ticks: scale.ticks().map((ms) => tick(scale, ms)),
    breaks: scale.breaks().map(cut),
  };
}

// The rows of the table, for the same lanes.
export function rows(drawn, attempts) {
  return drawn.lanes.flatMap(({ batch, name }) =>
    attempts.of(batch.id).map((one) => ({
      key: `${batch.id} ${one.start}`,
      start: one.start,
      cells: [name, number(one.number), attempts.workerOf(one), clock(one.start), took(one), outcome(one)],
    })),
  );
}

// The lanes that matter: some of those that run, have failed, and began last; then the others. In plan order.
function drawnOf(tried, attempts) {
  const began = (batch) => attempts.of(batch.id).at(-1).start;
  const inStates = (...states) => tried.filter((batch) => states.includes(batch.status));
  const newest = (one, other) => began(other) - began(one);
  const running = inStates("processing").sort((one, other) => began(one) - began(other));
  const troubled = inStates("failed", "pending").sort(newest);
  const done = inStates("completed", "cancelled").sort(newest);
  const ranked = [
    ...running.slice(0, RUNNING_FIRST),
    ...troubled.slice(0, TROUBLED_FIRST),
    ...done.slice(0, DONE_FIRST),
    ...running.slice(RUNNING_FIRST),
    ...troubled.slice(TROUBLED_FIRST),
    ...done.slice(DONE_FIRST),
  ];
  const chosen = new Set(ranked.slice(0, LANES_MAX));
  return tried.filter((batch) => chosen.has(batch));
}

function span({ start, end }, now) {
  return [start, Math.max(start, end ?? now ?? start)];
}

// Between an attempt that gave its batch back and the next one, or now if it waits still.
function waits(batch, tries, now) {
  const found = tries.slice(1).flatMap((next, index) => {
    const one = tries[index];
    return GIVEN_BACK.has(one.outcome) ? [[span(one, now)[1], next.start]] : [];
  });
  const last = tries.at(-1);
  if (now !== null && batch.status === "pending" && GIVEN_BACK.has(last.outcome)) {
    found.push([span(last, now)[1], now]);
  }
  return found.filter(([start, end]) => end > start);
}

function laneOf({ batch, tries, between }, { attempts, scale, at }) {
  const lines = between.map((wait) => bar("wait", scale, wait, `waits ${duration(wait[1] - wait[0])}`));
  const bars = tries.map((one) => bar(one.outcome, scale, span(one, at), titleOf(one, attempts)));
  return { batch, name: nameOf(batch), who: attempts.whoHad(batch.id), bars: [...lines, ...bars] };
}

function bar(kind, scale, [from, to], title) {
  const [start, end] = [scale.at(from), scale.at(to)];
  const width = Math.max(WIDTH_MIN, end - start);
  return { kind, x: percent(Math.min(start, 10_000 - width)), width: percent(width), title };
}

function titleOf(one, attempts) {
  const lasted = one.end === null ? "" : `, ${took(one)}`;
  return `Attempt ${one.number}, ${attempts.workerOf(one)}, from ${clock(one.start)}${lasted}: ${outcome(one)}`;
}

function took({ start, end }) {
  return end === null ? "runs" : duration(end - start);
}

function outcome({ outcome: ending, code }) {
  return code ? `${WORDS.outcomes[ending]} (${code})` : WORDS.outcomes[ending];
}

function tick(scale, ms) {
  const place = scale.at(ms);
  const anchor = place < 400 ? "start" : place > 9_600 ? "end" : "middle";
  return { x: percent(place), anchor, label: clock(ms) };
}

function cut({ from, to, milliseconds }) {
  return { x: percent(from), width: percent(to - from), title: `${duration(milliseconds)} without work` };
}

function leftOut(batches, tried, drawn) {
  const told = [];
  if (tried > drawn) {
    const more = `${number(tried - drawn)} more have been at work.`;
    told.push(`Drawn are ${drawn} batches: those that run, failed or began last. ${more}`);
  }
  if (tried && batches > tried) told.push(`${plural(batches - tried, "batch has", "batches have")} not begun.`);
  return told.join(" ");
}
