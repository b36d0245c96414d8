// The newest events of a log, without a gap, and the way back to older ones.

const KEPT_MAX = 1_000;
const PAGE = 100;

export class Tail {
  #url;
  #events = [];

  constructor(url) {
    this.#url = url;
  }

  get events() {
    return this.#events;
  }

  // In order. After a gap it begins anew: what lies before can be read again.
  add(event) {
    const last = this.#events.at(-1);
    if (last && event.seq <= last.seq) return;
    if (last && event.seq > last.seq + 1) this.#events = [];
    this.#events.push(event);
    // Not at every event: taking one from the front moves all the others.
    if (this.#events.length > 2 * KEPT_MAX) this.#events = this.#events.slice(-KEPT_MAX);
  }

  // Reads a page that leads up to number `seq`, unless it is there. Returns what was new. Raises like `before`.
  async fill(seq) {
    if ((this.#events.at(-1)?.seq ?? 0) < seq) this.#events = [];
    if (this.#events.length) return [];
    const read = await this.#read(seq);
    // What came meanwhile follows without a gap, or it says more than what was read.
    const isBefore = !this.#events.length || this.#events[0].seq === seq + 1;
    if (isBefore) this.#events = [...read, ...this.#events];
    return isBefore ? read : [];
  }

  // Up to a page of events, the last of them number `seq`, oldest first; empty where the log begins. Raises what fetch
  // raises, and Error for an answer that is none.
  async before(seq) {
    const first = this.#events[0]?.seq ?? Infinity;
    if (seq >= first) {
      const end = seq - first + 1;
      return this.#events.slice(Math.max(0, end - PAGE), end);
    }
    return this.#read(seq);
  }

  async #read(seq) {
    if (seq <= 0) return [];
    const after = Math.max(0, seq - PAGE);
    const address = `${this.#url}?after=${after}&limit=${seq - after}`;
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`the log answered ${answer.status}`);
    const { items } = await answer.json();
    return items.filter((event) => event.seq <= seq);
  }
}
