// Draws a state into the page that the server rendered. Text goes in as text, never as markup.

import { arrange } from "./arrange.js";
import { cost, duration, number, percent, perQuestion, plural, spent, waste } from "./figures.js";
import { element, partsOf, write } from "./parts.js";
import { Rows } from "./rows.js";
import { isTerminal } from "./state.js";
import { timeElement } from "./times.js";
import WORDS from "./words.js";

const USAGE = ["llm_calls", "wasted_calls", "input_tokens", "output_tokens", "cache_read_tokens"];
// A screen reader is told how far it is this often at most.
const SPOKEN_MS = 5_000;

export class View {
  #root;
  #parts;
  #rows;
  #drawn;
  #spokenAt = -Infinity;

  // `state` is what the server has drawn.
  constructor(root, state) {
    this.#root = root;
    this.#parts = partsOf(root.querySelector(".headline"), root.querySelector(".side"));
    this.#rows = new Rows(root, state);
    this.#drawn = state;
  }

  draw(state) {
    const before = this.#drawn;
    this.#drawn = state;
    this.#rows.draw(state);
    this.#drawFigures(state);
    this.#drawTimes(state, before);
    if (before.usage !== state.usage) this.#drawUsage(state);
    if (before.status !== state.status) this.#drawStatus(state);
    this.#root.dataset.lastEventId = state.seq;
  }

  drawElapsed(state, now) {
    if (!state.started_at) return;
    const end = state.completed_at ? Date.parse(state.completed_at) : now;
    write(this.#parts.elapsed, duration(end - Date.parse(state.started_at)));
  }

  drawPace({ rate, left }) {
    write(this.#parts.rate, rate);
    write(this.#parts.left, left);
  }

  // One sentence for those who do not see the page; without a change, or too soon, nothing.
  speak(state, now) {
    if (now - this.#spokenAt < SPOKEN_MS) return;
    const { saved, target, held } = state.totals;
    const text = `${WORDS.headings[state.status]}: ${number(saved)} of ${plural(target, "question")} saved, ${number(held)} held`;
    if (this.#parts.spoken.textContent === text) return;
    this.#spokenAt = now;
    write(this.#parts.spoken, text);
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
    if (message) this.#parts.refusal.scrollIntoView({ block: "nearest" });
  }

  // Who pressed a button that is gone now goes on at its batch, or at the top.
  focusAt(row) {
    if (row) row.tabIndex = -1;
    (row ?? this.#parts.heading).focus();
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
    const done = `${number(saved)}/${number(target)}`;
    const title = `${done} · Quizmill`;
    if (document.title !== title) document.title = title;
    write(parts.questions, `Questions: ${done}`);
    write(parts.batches, `Batches: ${number(completed)}/${number(batches)}`);
    write(parts.progress, `Progress: ${percent(saved, target)}`);
    write(parts.held, `Held: ${number(held)}`);
    write(parts.message, state.message);
    showFault(parts.error, state.error);
    parts.bar.ariaValueNow = saved;
    parts.bar.ariaValueMax = target;
    parts.bar.ariaValueText = `${number(saved)} of ${plural(target, "question")} saved, ${number(held)} held`;
    parts["bar-saved"].setAttribute("width", percent(saved, target));
    parts["bar-held"].setAttribute("width", percent(saved + held, target));
    parts["questions-link"].hidden = saved === 0;
    write(parts["questions-link"], `See ${plural(saved, "saved question")}`);
  }

  #drawStatus(state) {
    const parts = this.#parts;
    this.#root.dataset.status = state.status;
    write(parts.heading, WORDS.headings[state.status]);
    parts.pace.hidden = isTerminal(state);
    parts.safe.hidden = state.status !== "partial";
    write(parts.safe, state.status === "partial" ? WORDS.safe : "");
    const labels = WORDS.actions[state.status];
    for (const field of this.#root.querySelectorAll("[data-action]")) {
      const step = field.dataset.action;
      field.hidden = !(step in labels);
      write(parts[step], labels[step] ?? "");
    }
    // What just happened is told at once.
    this.#spokenAt = -Infinity;
  }

  #drawTimes(state, before) {
    for (const [part, at, old] of [
      ["started", state.started_at, before.started_at],
      ["ended", state.completed_at, before.completed_at],
    ]) {
      if (at !== old) this.#parts[part].replaceChildren(at ? timeElement(at) : "not yet");
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
      parts.waste.replaceChildren(...lines.map((text) => element("li", { textContent: text })));
    }
    for (const name of USAGE) write(parts[name], number(usage[name]));
  }
}

function newEntry({ seq, title, text }, isFresh) {
  const entry = element("li", {}, paragraph(title), paragraph(text));
  entry.dataset.seq = seq;
  entry.classList.toggle("fresh", isFresh);
  return entry;
}

function paragraph(text) {
  return element("p", { dir: "auto", textContent: text });
}

function showFault(part, fault) {
  part.hidden = !fault;
  write(part, fault ? `${fault.message} (${fault.code})` : "");
}
