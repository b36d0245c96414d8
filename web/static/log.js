// The log: what happened, newest first, a page at a time, filtered by kind and batch.

import { arrange } from "./arrange.js";
import { element, partsOf, write } from "./parts.js";
import { clock, clockElement } from "./times.js";
import { KIND_OF, nameOf, told } from "./told.js";

const PAGE = 25;
// Where a filter finds little, this many pages of the log are looked through before asking whether to go on.
const READS_MAX = 10;

export class Log {
  #parts;
  #tail;
  #names;
  #modules;
  #shown = [];
  #fresh = [];
  // Up to which number it is shown; null: the newest, as they come.
  #until = null;
  #next = 0;
  #looking = 0;

  // `tail` holds the newest events and reads older ones.
  constructor(section, tail, batches) {
    this.#parts = partsOf(section);
    this.#tail = tail;
    this.#names = new Map(batches.map((batch) => [batch.id, nameOf(batch)]));
    this.#modules = new Map(batches.map((batch) => [batch.id, batch.module_id]));
    this.#fillBatches(batches);
    const parts = this.#parts;
    parts["log-filters"].hidden = false;
    for (const name of ["log-kind", "log-of"]) parts[name].addEventListener("change", () => this.show(null));
    parts["log-newest"].addEventListener("click", () => this.show(null));
    parts["log-older"].addEventListener("click", () => this.show(this.#next));
  }

  // What just happened. It is drawn with the next `draw`.
  add(event) {
    if (this.#until !== null || !this.#fits(event)) return;
    this.#fresh.push(event);
    if (this.#fresh.length > PAGE) this.#fresh.shift();
  }

  draw() {
    if (!this.#fresh.length || this.#looking) return;
    const last = this.#shown[0]?.seq ?? 0;
    const fresh = this.#fresh.filter((event) => event.seq > last).reverse();
    this.#fresh = [];
    this.#draw([...fresh, ...this.#shown].slice(0, PAGE));
    this.#next = this.#shown.at(-1).seq - 1;
    this.#drawPages();
    this.#note();
  }

  // Something was missed: the newest are read again, and older ones stay in sight.
  async refresh() {
    if (this.#until === null) await this.show(null);
  }

  // The page that ends with number `until`; null: the newest. A later call overtakes an earlier one.
  async show(until) {
    const look = (this.#looking += 1);
    this.#until = until;
    this.#fresh = [];
    let found = { events: [], next: 0, isCut: false };
    let trouble = "";
    try {
      found = await this.#find(until ?? this.#tail.events.at(-1)?.seq ?? 0);
    } catch {
      trouble = "The log can't be read right now. Please try again.";
    }
    if (look !== this.#looking) return;
    this.#looking = 0;
    this.#next = found.next;
    this.#draw(found.events);
    this.#drawPages();
    this.#note(trouble, found.isCut);
  }

  async #find(until) {
    const events = [];
    let next = until;
    for (let reads = 0; reads < READS_MAX && next > 0 && events.length < PAGE; reads += 1) {
      const page = await this.#tail.before(next);
      if (!page.length) return { events, next: 0, isCut: false };
      const fitting = page.filter((event) => this.#fits(event)).reverse();
      const taken = fitting.slice(0, PAGE - events.length);
      events.push(...taken);
      next = taken.length < fitting.length ? taken.at(-1).seq - 1 : page[0].seq - 1;
    }
    return { events, next, isCut: next > 0 && events.length < PAGE };
  }

  #fits(event) {
    const kind = this.#parts["log-kind"].value;
    const of = this.#parts["log-of"].value;
    if (kind && KIND_OF.get(event.type) !== kind) return false;
    if (of && event.batch_id !== of && this.#modules.get(event.batch_id) !== of) return false;
    return KIND_OF.has(event.type);
  }

  #draw(events) {
    const list = this.#parts.log;
    const known = new Map(Array.from(list.children, (entry) => [Number(entry.dataset.seq), entry]));
    const isKnown = (event) => known.get(event.seq)?.dataset.isOurs;
    this.#shown = events;
    arrange(
      list,
      events.map((event) => (isKnown(event) ? known.get(event.seq) : this.#entry(event))),
    );
  }

  #drawPages() {
    this.#parts["log-newest"].hidden = this.#until === null;
    this.#parts["log-older"].hidden = this.#next <= 0;
    this.#parts["log-pages"].hidden = this.#until === null && this.#next <= 0;
  }

  #note(trouble = "", isCut = false) {
    const first = this.#shown.at(-1);
    let text = this.#until === null ? "The newest first." : "Older entries, newest first.";
    if (!this.#shown.length) text = isCut ? "Nothing of this kind so far." : "Nothing of this kind has happened.";
    if (isCut) text = `${text} Looked back to number ${this.#next + 1}; Older looks further.`;
    else if (this.#until !== null && first) text = `From ${clock(first.at)} on. ${text}`;
    write(this.#parts["log-note"], trouble || text);
  }

  #entry(event) {
    const of = element("span", { className: "of", dir: "auto", textContent: this.#names.get(event.batch_id) ?? "" });
    const sentence = element("span", { className: "told", dir: "auto", textContent: told(event) });
    const entry = element("li", {}, clockElement(event.at), of, sentence);
    Object.assign(entry.dataset, { seq: event.seq, kind: KIND_OF.get(event.type), isOurs: "true" });
    return entry;
  }

  // A module, and below it its batches where it has several.
  #fillBatches(batches) {
    const modules = Map.groupBy(batches, (batch) => batch.module_id);
    const options = Array.from(modules, ([moduleId, own]) => [
      element("option", { value: moduleId, textContent: own[0].module_name }),
      ...(own.length > 1 ? own : []).map((batch) =>
        element("option", { value: batch.id, textContent: `${nameOf(batch)} (${batch.target_count})` }),
      ),
    ]);
    this.#parts["log-of"].append(...options.flat());
  }
}
