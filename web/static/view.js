// Draws a state into the page that the server rendered. Text goes in as text, never as markup.

import { arrange } from "./arrange.js";
import {
  accepting,
  canBeAccepted,
  cost,
  duration,
  grains,
  number,
  percent,
  perQuestion,
  plural,
  spent,
  tally,
  waste,
} from "./figures.js";
import { timeElement } from "./times.js";
import WORDS from "./words.js";

const USAGE = ["llm_calls", "wasted_calls", "input_tokens", "output_tokens", "cache_read_tokens"];

export class View {
  #root;
  #parts;
  #rows;
  #drawn = null;

  constructor(root) {
    this.#root = root;
    this.#parts = partsOf(root.querySelector(".headline"), root.querySelector(".side"));
    this.#rows = new Map(Array.from(root.querySelectorAll("[data-batch-id]"), (row) => [row.dataset.batchId, row]));
  }

  draw(state) {
    const before = this.#drawn;
    this.#drawn = state;
    if (before?.batches !== state.batches || before.status !== state.status) this.#drawBatches(state, before);
    this.#drawFigures(state);
    this.#drawTimes(state, before);
    this.#drawUsage(state);
    if (before?.status !== state.status) this.#drawStatus(state, before);
    this.#root.dataset.lastEventId = state.seq;
  }

  drawElapsed(state, now) {
    if (!state.started_at) return;
    const end = state.completed_at ? Date.parse(state.completed_at) : now;
    write(this.#parts.elapsed, duration(end - Date.parse(state.started_at)));
  }

  connection(name) {
    const part = this.#parts.connection;
    part.dataset.connection = name;
    write(part, WORDS.connections[name]);
    document.documentElement.dataset.milling = String(name === "live");
  }

  refuse(message) {
    this.#parts.refusal.hidden = !message;
    write(this.#parts.refusal, message);
  }

  focusHeading() {
    this.#parts.heading.focus();
  }

  // Entries that are shown already stay as they are; those that come later settle in.
  drawFeed(entries) {
    const field = this.#parts.feed;
    const shown = new Map(Array.from(field.children, (entry) => [Number(entry.dataset.seq), entry]));
    if (entries.length === shown.size && entries.every((entry) => shown.has(entry.seq))) return;
    arrange(
      field,
      entries.map((entry) => shown.get(entry.seq) ?? newEntry(entry, shown.size > 0)),
    );
    this.#parts["feed-empty"].hidden = entries.length > 0;
  }

  #drawFigures(state) {
    const { target, saved, held, batches, batches_completed: completed } = state.totals;
    const parts = this.#parts;
    document.title = `${saved}/${target} · Quizmill`;
    write(parts.questions, `Questions: ${saved}/${target}`);
    write(parts.batches, `Batches: ${completed}/${batches}`);
    write(parts.progress, `Progress: ${percent(saved, target)}`);
    write(parts.held, `Held: ${held}`);
    write(parts.message, state.message);
    showFault(parts.error, state.error);
    parts.bar.ariaValueNow = saved;
    parts.bar.ariaValueMax = target;
    parts.bar.ariaValueText = `${saved} of ${plural(target, "question")} saved, ${held} held`;
    parts["bar-saved"].setAttribute("width", percent(saved, target));
    parts["bar-held"].setAttribute("width", percent(saved + held, target));
    parts["questions-link"].hidden = saved === 0;
    write(parts["questions-link"], `See ${plural(saved, "saved question")}`);
  }

  #drawStatus(state, before) {
    const parts = this.#parts;
    this.#root.dataset.status = state.status;
    write(parts.heading, WORDS.headings[state.status]);
    parts.safe.hidden = state.status !== "partial";
    write(parts.safe, state.status === "partial" ? WORDS.safe : "");
    if (before) parts.actions.replaceChildren(...actionsOf(state, this.#root.dataset.pageUrl));
  }

  #drawTimes(state, before) {
    for (const [part, at, old] of [
      ["started", state.started_at, before?.started_at],
      ["ended", state.completed_at, before?.completed_at],
    ]) {
      if (before && at !== old) this.#parts[part].replaceChildren(at ? timeElement(at) : "not yet");
    }
  }

  #drawUsage({ usage, cost_max_usd: limit }) {
    const parts = this.#parts;
    parts.usage.hidden = usage.llm_calls === 0;
    write(parts.cost, spent(usage));
    write(parts["cost-per-question"], perQuestion(usage));
    if (limit !== null && parts["cost-max"]) write(parts["cost-max"], cost(limit));
    const lines = usage.waste.map(waste);
    if (lines.join() !== Array.from(parts.waste.children, (line) => line.textContent).join()) {
      parts.waste.replaceChildren(...lines.map(listed));
    }
    for (const name of USAGE) write(this.#parts[name], number(usage[name]));
  }

  #drawBatches(state, before) {
    state.batches.forEach((batch, index) => {
      const isAsDrawn = before?.batches[index] === batch && before.status === state.status;
      if (!isAsDrawn) drawBatch(this.#rows.get(batch.id), batch, state.status);
    });
  }
}

function drawBatch(row, batch, generationStatus) {
  if (!row) return;
  const parts = partsOf(row);
  row.dataset.status = batch.status;
  write(parts.state, WORDS.batches[batch.status]);
  write(parts.tally, tally(batch));
  write(parts.attempts, batch.attempts ? ` · ${plural(batch.attempts, "attempt")}` : "");
  showFault(parts.error, batch.error);
  parts.accept.hidden = !canBeAccepted(batch, generationStatus);
  write(parts["accept-label"], accepting(batch));
  parts.grains.ariaLabel = tally(batch);
  drawGrains(parts.grains, grains(batch));
}

function drawGrains(field, states) {
  while (field.children.length > states.length) field.lastElementChild.remove();
  states.forEach((state, index) => {
    const grain = field.children[index] ?? field.appendChild(document.createElement("i"));
    if (grain.dataset.grain !== state) grain.dataset.grain = state;
  });
}

// Steps that go on with the work stand out.
const FORWARD = new Set(["retry", "resume"]);

function actionsOf(state, page) {
  const steps = Object.entries(WORDS.actions[state.status]);
  return steps.map(([step, label]) => {
    const element = form(`${page}/${step}`, label, FORWARD.has(step) ? "" : "quiet");
    if (step === "resume" && state.cost_max_usd !== null) element.prepend(limitField());
    return element;
  });
}

function limitField() {
  const field = document.createElement("input");
  Object.assign(field, { type: "number", name: "cost_max_usd", min: "0.01", step: "0.01", inputMode: "decimal" });
  field.ariaLabel = field.placeholder = WORDS.limit;
  return field;
}

function listed(text) {
  const line = document.createElement("li");
  line.textContent = text;
  return line;
}

function form(action, label, kind) {
  const element = document.createElement("form");
  const button = document.createElement("button");
  element.method = "post";
  element.action = action;
  button.type = "submit";
  button.className = kind;
  button.textContent = label;
  element.append(button);
  return element;
}

function newEntry({ seq, title, text }, isFresh) {
  const entry = document.createElement("li");
  entry.dataset.seq = seq;
  entry.classList.toggle("fresh", isFresh);
  entry.append(paragraph(title), paragraph(text));
  return entry;
}

function paragraph(text) {
  const element = document.createElement("p");
  element.dir = "auto";
  element.textContent = text;
  return element;
}

function showFault(part, fault) {
  part.hidden = !fault;
  write(part, fault ? `${fault.message} (${fault.code})` : "");
}

// An unchanged text is left alone: writing it again would make screen readers say it again.
function write(part, text) {
  if (part.textContent !== text) part.textContent = text;
}

function partsOf(...roots) {
  const found = roots.flatMap((root) => Array.from(root.querySelectorAll("[data-part]")));
  return Object.fromEntries(found.map((part) => [part.dataset.part, part]));
}
