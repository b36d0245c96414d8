// Tells a screen reader what happened to a list: new orders and changed states, never mere counting, a few at a time.

const PAUSE_MS = 5_000;
const TOLD_MAX = 3;

export class News {
  #field;
  #waiting = new Map();
  #timer = 0;

  constructor(field) {
    this.#field = field;
  }

  // The latest about each subject counts.
  add(subject, text) {
    this.#waiting.set(subject, text);
    if (!this.#timer) this.#tell();
  }

  #tell() {
    this.#timer = 0;
    const texts = Array.from(this.#waiting.values());
    this.#waiting.clear();
    if (!texts.length) return;
    const rest = texts.length - TOLD_MAX;
    this.#field.textContent = texts.slice(0, TOLD_MAX).join(" ") + (rest > 0 ? ` And ${rest} more.` : "");
    this.#timer = setTimeout(() => this.#tell(), PAUSE_MS);
  }
}
