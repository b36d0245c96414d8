// What the page knows about a generation, as a value: `snapshot` makes it, `after` gives the next one for an event.
// Nothing here touches the document or the network, so folding the log is the same as reading the generation.

import { number, plural } from "./figures.js";

const TERMINAL = new Set(["completed", "partial", "failed", "cancelled"]);
const OPEN = new Set(["pending", "processing"]);

export const isTerminal = (state) => TERMINAL.has(state.status);

// `generation` is the JSON of GET /api/generations/{id}. Batches that are as in `before` stay the same values.
export function snapshot(generation, before) {
  const known = new Map(before?.batches.map((batch) => [batch.id, batch]));
  const batches = generation.batches.map((batch) => (isSame(known.get(batch.id), batch) ? known.get(batch.id) : batch));
  const places = before?.places ?? new Map(batches.map((batch, place) => [batch.id, place]));
  const seq = generation.last_event_id;
  // The generation does not say what it waits for: that stays until something happens.
  const waiting = before?.seq === seq ? before.waiting : null;
  return { ...generation, batches, places, waiting, seq, totals: totalsOf(generation) };
}

// The state after one event of the log. Unknown types count: their number and totals are taken over.
export function after(state, event) {
  const step = STEPS[event.type];
  const waiting = event.type === "batch.started" ? state.waiting : null;
  return withTotals({ ...state, waiting, ...(step ? step(state, event) : {}), seq: event.seq }, event.totals);
}

// What the end of the log says that the generation does not: whether it waits for its provider.
export function waitingFor(events) {
  const last = events.findLast((event) => event.type !== "batch.started");
  return last?.type === "batch.retrying" ? last.code : null;
}

const STEPS = {
  "generation.started": (state, event) => running(state, event),
  "generation.paused": () => ({ status: "paused" }),
  "generation.resumed": () => ({ status: "processing", error: null }),
  "batch.started": (state, event) => ({
    ...running(state, event),
    batches: changed(state, event, () => ({ status: "processing", attempts: event.attempt, error: null })),
  }),
  "question.accepted": (state, event) => ({
    batches: changed(state, event, () => ({
      status: "processing",
      held_count: event.held_count,
      target_count: event.target_count,
    })),
  }),
  "batch.retrying": (state, event) => ({
    waiting: event.code,
    batches: changed(state, event, () => ({ status: "pending" })),
  }),
  "batch.completed": (state, event) => ({
    batches: changed(state, event, () => ({
      status: "completed",
      saved_count: event.saved_count,
      held_count: 0,
      target_count: event.target_count,
      error: null,
    })),
  }),
  "batch.failed": (state, event) => ({
    batches: changed(state, event, () => ({
      status: "failed",
      held_count: event.held_count,
      target_count: event.target_count,
      error: event.error,
    })),
  }),
  "batch.requeued": (state, event) => ({
    ...running(state, event),
    batches: changed(state, event, () => ({ status: "pending", error: null })),
  }),
  "generation.completed": (state, event) => ended(state, event, "completed"),
  "generation.partial": (state, event) => ended(state, event, "partial"),
  "generation.failed": (state, event) => ended(state, event, "failed"),
  "generation.cancelled": (state, event) => ended(state, event, "cancelled"),
};

// `places` says where each batch stands: an order of a thousand is not searched for every event.
function changed(state, event, change) {
  const place = state.places.get(event.batch_id);
  if (place === undefined) return state.batches;
  const batches = state.batches.slice();
  batches[place] = { ...batches[place], ...change(batches[place]) };
  return batches;
}

const SHOWN = ["status", "saved_count", "held_count", "target_count", "attempts"];

function isSame(one, other) {
  if (!one || SHOWN.some((name) => one[name] !== other[name])) return false;
  return one.error?.code === other.error?.code && one.error?.message === other.error?.message;
}

// Work on a batch: a queued generation runs, an ended one runs again (only a retry can do that); a paused one stays so.
function running(state, event) {
  if (state.status === "paused" || state.status === "processing") return {};
  return { status: "processing", started_at: state.started_at ?? event.at, completed_at: null, error: null };
}

function ended(state, event, status) {
  const batches = state.batches.map((batch) => (OPEN.has(batch.status) ? { ...batch, status: "cancelled" } : batch));
  return { status, batches, completed_at: event.at };
}

function withTotals(state, totals) {
  return {
    ...state,
    totals,
    requested_count: totals.target,
    generated_count: totals.saved,
    held_count: totals.held,
    message: messageOf(state, totals),
  };
}

// While nothing but waiting happens; the service says the same (service/rules/progress.py).
const WAITING = {
  provider_overloaded: "Waiting for the provider, which is overloaded.",
  provider_rate_limited: "Waiting for the provider, whose rate limit is reached.",
  provider_unavailable: "Waiting for the provider, which can't be reached.",
  timeout: "Waiting for the provider, which does not answer.",
};

// Until something is saved the service's own sentence stands (it estimates the time from the order).
function messageOf(state, totals) {
  const done = `${number(totals.saved)} of ${plural(totals.target, "question")} created`;
  const waiting = WAITING[state.waiting];
  if (waiting) return `${waiting} ${done}`;
  const isFirstSentence = totals.saved === state.generated_count && !isTerminal(state);
  return isFirstSentence && !state.message.startsWith("Waiting") ? state.message : done;
}

function totalsOf(generation) {
  const count = (status) => generation.batches.filter((batch) => batch.status === status).length;
  return {
    target: generation.requested_count,
    saved: generation.generated_count,
    held: generation.held_count,
    batches: generation.batches.length,
    batches_completed: count("completed"),
    batches_failed: count("failed"),
  };
}
