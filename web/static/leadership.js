// Which tab of this browser reads the events for all of them: the one that holds the lock. The browser hands it on when
// that tab closes or crashes; a tab that hangs loses it to another.

const LOCK = "quizmill:stream";

export class Leadership {
  #won;
  #lost;
  #claim = null;
  #release = null;

  // `won()`: this tab leads from now on; `lost()`: no longer, though it did not resign.
  constructor({ won, lost }) {
    this.#won = won;
    this.#lost = lost;
  }

  // Waits in line, or takes the lead from whoever holds it.
  claim({ seize = false } = {}) {
    if (this.#release) return;
    this.#claim?.abort();
    const claim = new AbortController();
    this.#claim = claim;
    // The lock manager refuses a signal together with steal.
    const options = seize ? { steal: true } : { signal: claim.signal };
    navigator.locks.request(LOCK, options, () => this.#hold(claim)).catch(() => this.#lose(claim));
  }

  resign() {
    this.#claim?.abort();
    this.#release?.();
    this.#release = null;
  }

  #hold(claim) {
    if (claim.signal.aborted) return undefined;
    return new Promise((release) => {
      this.#release = release;
      this.#won();
    });
  }

  // Another tab took the lock; or the browser gives none to this page, which then has to see for itself.
  #lose(claim) {
    if (claim.signal.aborted) return;
    if (!this.#release) {
      this.#won();
      return;
    }
    this.#release = null;
    this.#lost();
    this.claim();
  }
}
