// Who tried which batch when: read from the service, and carried on by the events.

import { plural } from "./figures.js";

// Times of one transaction differ by this much at most: an attempt that is told twice is one.
const SAME_MS = 20;
const OUTCOMES = {
  "batch.completed": "completed",
  "batch.failed": "failed",
  "batch.retrying": "retrying",
  "batch.requeued": "released",
};

export class Attempts {
  // By batch, oldest first: {number, worker, outcome, code, start, end}; a worker that is not known yet is null.
  #tries = new Map();
  #workers = new Map();
  #isGuess = false;

  of(batchId) {
    return this.#tries.get(batchId);
  }

  // Events do not say which worker began, nor exactly why one let go.
  get hasGaps() {
    return this.#isGuess || Array.from(this.#tries.values()).some((tries) => tries.at(-1).worker === null);
  }

  workerOf({ worker }) {
    return worker === null ? "a worker" : `worker ${this.#workers.get(worker)}`;
  }

  // The workers that had a batch, by number; empty until they are known.
  whoHad(batchId) {
    const numbers = new Set(this.of(batchId).map(({ worker }) => this.#workers.get(worker)));
    numbers.delete(undefined);
    if (!numbers.size) return "";
    return `${numbers.size === 1 ? "worker" : "workers"} ${Array.from(numbers).join(", ")}`;
  }

  // Whatever is told from now on, an answer that is asked for now may not know.
  expect() {
    this.#isGuess = false;
  }

  // The answer of the service. What an event told that it does not know yet stays.
  read(runs) {
    const known = new Map();
    const begun = runs.flatMap((run) => run.batches);
    for (const attempt of begun) {
      const tries = known.get(attempt.batch_id) ?? [];
      known.set(attempt.batch_id, tries);
      tries.push(tryOf(attempt));
    }
    for (const [batchId, tries] of this.#tries) known.set(batchId, merged(known.get(batchId) ?? [], tries));
    this.#tries = known;
    const byStart = begun.toSorted((one, other) => Date.parse(one.started_at) - Date.parse(other.started_at));
    for (const { worker } of byStart) {
      if (!this.#workers.has(worker)) this.#workers.set(worker, this.#workers.size + 1);
    }
  }

  // True if the picture has changed.
  follow(event) {
    if (event.type === "batch.started") this.#begin(event);
    else if (event.type in OUTCOMES) this.#end(event, OUTCOMES[event.type]);
    else if (event.type === "generation.cancelled") this.#cancel(event);
    else return event.type.startsWith("question.") && this.#goOn(event);
    return true;
  }

  summary() {
    if (!this.#tries.size) return "No batch has begun yet.";
    let attempts = 0;
    for (const tries of this.#tries.values()) attempts += tries.length;
    const again = attempts - this.#tries.size;
    const among = again ? `, ${plural(again, "retry", "retries")} among them` : "";
    const of = `${plural(this.#tries.size, "batch", "batches")} by ${plural(Math.max(1, this.#workers.size), "worker")}`;
    return `${plural(attempts, "attempt")} of ${of}${among}.`;
  }

  #begin({ batch_id: batchId, attempt: number, at }) {
    const tries = this.#tries.get(batchId) ?? [];
    this.#tries.set(batchId, tries);
    const begun = { number, worker: null, outcome: "running", code: null, start: Date.parse(at), end: null };
    if (isLater(begun, tries.at(-1))) tries.push(begun);
  }

  #end({ batch_id: batchId, at, code, error, reason }, outcome) {
    const last = this.#tries.get(batchId)?.at(-1);
    if (!last || reason === "retry") return;
    const isOver = last.outcome !== "running" && !(last.outcome === "retrying" && outcome === "completed");
    if (!isOver) last.end = Date.parse(at);
    if (isOver && outcome === "released") return;
    this.#isGuess ||= outcome !== "completed";
    last.outcome = outcome;
    last.code = error?.code ?? code ?? null;
  }

  // A batch that only waited in its worker's hands is worked on again.
  #goOn({ batch_id: batchId }) {
    const last = this.#tries.get(batchId)?.at(-1);
    if (last?.outcome !== "retrying") return false;
    Object.assign(last, { outcome: "running", code: null, end: null });
    return true;
  }

  #cancel({ at }) {
    for (const tries of this.#tries.values()) {
      const last = tries.at(-1);
      if (last.outcome === "running") Object.assign(last, { outcome: "cancelled", end: Date.parse(at) });
    }
  }
}

const isLater = (one, other) => !other || one.start > other.start + SAME_MS;

// A reading may be older than what events have told meanwhile.
function merged(read, tries) {
  const told = read.map((one, index) => {
    const known = tries[index];
    const isNews = one.end === null && known && known.end !== null && known.outcome !== "retrying";
    return isNews ? { ...known, worker: one.worker } : one;
  });
  return [...told, ...tries.slice(read.length).filter((one) => isLater(one, read.at(-1)))];
}

function tryOf({ number, worker, outcome, error, started_at: start, ended_at: end }) {
  return {
    number,
    worker,
    outcome,
    code: error?.code ?? null,
    start: Date.parse(start),
    end: end === null ? null : Date.parse(end),
  };
}
