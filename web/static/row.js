// One generation in the list. Its element stays the same for as long as it is on the page, so that neither the focus nor
// the place of a screen reader is lost.

import { number, percent, plural } from "./figures.js";
import { after, isTerminal, snapshot } from "./state.js";
import WORDS from "./words.js";

// Events that wait for the one before them. More than that, and reading the list again brings all.
const EARLY_MAX = 200;

export class Row {
  #state;
  #early = [];
  // Events have told more than the element says.
  #isAhead = false;
  #changedAt = -Infinity;

  constructor(element) {
    this.element = element;
    this.#state = stateIn(element);
  }

  get id() {
    return this.element.dataset.generationId;
  }

  get title() {
    return this.#part("name").textContent;
  }

  get status() {
    return this.#state.status;
  }

  get isRunning() {
    return !isTerminal(this.#state);
  }

  get lastSeen() {
    return this.#state.seq;
  }

  get hasFocus() {
    return this.element.contains(document.activeElement);
  }

  get saved() {
    return this.#bar.ariaValueText;
  }

  // False: an event before this one is missing.
  hear({ type, data }) {
    if (type === "resync") {
      this.#take(snapshot(data));
      return true;
    }
    this.#early = [...this.#early, data].slice(-EARLY_MAX);
    return this.#catchUp();
  }

  // `fresh`: the same row as a reading that began at `askedAt` has it. An older one than this says nothing new.
  adopt(fresh, askedAt) {
    const read = stateIn(fresh);
    if (read.seq < this.#state.seq && askedAt < this.#changedAt) return;
    this.#state = read;
    this.#isAhead = false;
    rewrite(this.element, fresh);
    this.#catchUp();
  }

  #catchUp() {
    const waiting = this.#early.sort((one, other) => one.seq - other.seq);
    this.#early = [];
    for (const event of waiting) {
      if (event.seq > this.#state.seq + 1) this.#early.push(event);
      else if (event.seq > this.#state.seq) this.#take(after(this.#state, event));
    }
    return this.#early.length === 0;
  }

  #take(state) {
    this.#state = state;
    this.#isAhead = true;
    this.#changedAt = performance.now();
  }

  draw() {
    const { status, seq, totals } = this.#state;
    if (!this.#isAhead) return;
    const { target, saved, held, batches, batches_completed: completed } = totals;
    this.element.dataset.status = status;
    this.element.dataset.lastEventId = seq;
    write(this.#part("state"), WORDS.states[status]);
    write(
      this.#part("count"),
      `${saved}/${plural(target, "question")} · ${completed}/${plural(batches, "batch", "batches")}`,
    );
    this.#bar.ariaValueMax = target;
    this.#bar.ariaValueNow = saved;
    this.#bar.ariaValueText = `${number(saved)} of ${plural(target, "question")} saved, ${number(held)} held`;
    this.#widen("bar-saved", percent(saved, target));
    this.#widen("bar-held", percent(saved + held, target));
  }

  get #bar() {
    return this.#part("bar");
  }

  #part(name) {
    return this.element.querySelector(`.${name}`);
  }

  #widen(name, width) {
    this.element.querySelector(`[data-part="${name}"]`).setAttribute("width", width);
  }
}

// What a row tells of itself: where it stands. Its figures come with the next event.
function stateIn(element) {
  const { status, lastEventId } = element.dataset;
  return snapshot({ status, last_event_id: Number(lastEventId), batches: [], message: "" });
}

function write(part, text) {
  if (part.textContent !== text) part.textContent = text;
}

// Makes `old` read like `fresh`, element by element; both come from the same template.
function rewrite(old, fresh) {
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.childElementCount !== fresh.childElementCount) old.replaceChildren(...fresh.childNodes);
  else if (fresh.childElementCount === 0) write(old, fresh.textContent);
  else Array.from(fresh.children).forEach((child, index) => rewrite(old.children[index], child));
}
