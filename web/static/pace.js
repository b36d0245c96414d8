// How fast questions come, and how long it may still take. The same rules as web/pace.py; a second of the past is one
// number here, so that the fastest order costs no more memory than the slowest.

import { plural } from "./figures.js";
import WORDS from "./words.js";

const WINDOWS_SECONDS = [60, 300];
const QUESTIONS_MIN = 5;
const SECONDS_MIN = 10;
const SECONDS_KEPT = Math.max(...WINDOWS_SECONDS);
const BEGINNINGS = new Set(["generation.started", "generation.resumed"]);
const OPEN = new Set(["pending", "processing"]);

export class Pace {
  #counts = new Map();
  #knownSince = Infinity;
  #begunAt = -Infinity;

  // Events in any order; the caller sees to it that none comes twice.
  add(event) {
    const at = Date.parse(event.at);
    this.#knownSince = Math.min(this.#knownSince, at);
    if (begins(event)) this.#begunAt = Math.max(this.#begunAt, at);
    if (event.type !== "question.accepted") return;
    const second = Math.floor(at / 1000);
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + 1);
  }

  // Something was missed: what came before it is no longer known.
  forget() {
    this.#counts.clear();
    this.#knownSince = Infinity;
    this.#begunAt = -Infinity;
  }

  read(state, now) {
    if (state.status !== "processing") return both(WORDS.idle[state.status]);
    if (WORDS.reasons[state.waiting]) return both(WORDS.waits);
    const perMinute = this.#perMinute(now);
    if (perMinute === null) return both(WORDS.unknown);
    return { rate: rate(perMinute), left: left((60 * missing(state)) / perMinute) };
  }

  #perMinute(now) {
    for (const second of this.#counts.keys()) {
      if (second < now / 1000 - SECONDS_KEPT) this.#counts.delete(second);
    }
    for (const window of WINDOWS_SECONDS) {
      const since = Math.max(now - 1000 * window, this.#begunAt, Math.min(this.#knownSince, now));
      const seconds = (now - since) / 1000;
      const count = this.#countSince(since);
      if (count >= QUESTIONS_MIN && seconds >= SECONDS_MIN) return (60 * count) / seconds;
    }
    return null;
  }

  #countSince(since) {
    let count = 0;
    for (const [second, questions] of this.#counts) if (second >= Math.floor(since / 1000)) count += questions;
    return count;
  }
}

function both(text) {
  return { rate: text, left: text };
}

function begins({ type, reason }) {
  return BEGINNINGS.has(type) || (type === "batch.requeued" && reason === "retry");
}

function missing({ batches }) {
  return batches.reduce((sum, one) => sum + (OPEN.has(one.status) ? one.target_count - one.held_count : 0), 0);
}

// Whole questions from ten on, below with one decimal.
export function rate(perMinute) {
  if (perMinute >= 10) return `${plural(Math.floor(perMinute + 0.5), "question")} a minute`;
  const tenths = Math.floor(perMinute * 10 + 0.5);
  if (tenths % 10 === 0) return `${plural(tenths / 10, "question")} a minute`;
  return `${Math.floor(tenths / 10)}.${tenths % 10} questions a minute`;
}

// Rounded up to minutes: the figure is a guess, and looks like one.
export function left(seconds) {
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 1) return "less than a minute";
  const hours = Math.floor(minutes / 60);
  return hours ? `about ${hours} h ${minutes % 60} min` : `about ${minutes} min`;
}
