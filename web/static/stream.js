// The event stream of one generation, one per browser: the tab that holds the lock reads it and tells the other tabs.
// Where a browser has no locks (plain http on another machine) every tab reads for itself.

const SILENCE_MS = 45_000;
const BACKOFF_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];
const TYPES = [
  "snapshot",
  "resync",
  "heartbeat",
  "generation.started",
  "generation.paused",
  "generation.resumed",
  "batch.started",
  "question.accepted",
  "question.rejected",
  "batch.retrying",
  "batch.completed",
  "batch.failed",
  "batch.requeued",
  "generation.completed",
  "generation.partial",
  "generation.failed",
  "generation.cancelled",
];

export class Stream extends EventTarget {
  #url;
  #lastSeen;
  #name;
  #channel;
  #source = null;
  #isOpen = false;
  #isLeader = false;
  #release = null;
  #waiting = null;
  #watchdog = 0;
  #reopening = 0;
  #failures = 0;
  #state = "connecting";

  // `lastSeen()` is asked for the number of the last event whenever a connection is made.
  // Dispatches: `message` {type, data}, `state` {name}, `behind` (something may have been missed), `wake` (another tab
  // set the generation going again).
  constructor({ url, lastSeen }) {
    super();
    this.#url = url;
    this.#lastSeen = lastSeen;
    this.#name = `quizmill:${url}`;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.addEventListener("message", (message) => this.#hear(message.data));
  }

  open() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#failures = 0;
    this.#become("connecting");
    if (!navigator.locks) {
      this.#lead();
      return;
    }
    this.#queueForLock();
    this.#feedWatchdog();
    this.#channel.postMessage({ kind: "who" });
  }

  close() {
    this.#isOpen = false;
    this.#disconnect();
    this.#waiting?.abort();
    this.#resign();
    clearTimeout(this.#watchdog);
  }

  // Tells the other tabs that the generation runs again.
  wakeOthers() {
    this.#channel.postMessage({ kind: "wake" });
  }

  #queueForLock({ steal = false } = {}) {
    this.#waiting?.abort();
    this.#waiting = new AbortController();
    // The lock manager refuses a signal together with steal.
    const options = steal ? { steal } : { signal: this.#waiting.signal };
    navigator.locks.request(this.#name, options, () => this.#hold()).catch(() => this.#lostLock());
  }

  #hold() {
    if (!this.#isOpen) return undefined;
    return new Promise((release) => {
      this.#release = release;
      this.#lead();
    });
  }

  #lead() {
    this.#isLeader = true;
    this.#connect();
  }

  #resign() {
    this.#isLeader = false;
    this.#release?.();
    this.#release = null;
  }

  // Another tab took over because this one was silent for too long, or close() withdrew the request.
  #lostLock() {
    if (!this.#isLeader) return;
    this.#disconnect();
    this.#resign();
    if (this.#isOpen) this.#queueForLock();
  }

  #connect() {
    this.#disconnect();
    this.#feedWatchdog();
    const source = new EventSource(`${this.#url}?last_event_id=${this.#lastSeen()}`);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#failures = 0;
      this.#become("live");
    });
    source.addEventListener("error", () => this.#stumble(source));
    for (const type of TYPES) source.addEventListener(type, (event) => this.#read(type, event.data));
  }

  #disconnect() {
    clearTimeout(this.#reopening);
    this.#source?.close();
    this.#source = null;
  }

  #read(type, text) {
    this.#feedWatchdog();
    const data = type === "heartbeat" ? null : JSON.parse(text);
    if (navigator.locks) this.#channel.postMessage({ kind: "event", type, data });
    this.#pass(type, data);
  }

  #pass(type, data) {
    if (data) this.dispatchEvent(new CustomEvent("message", { detail: { type, data } }));
  }

  // A browser reconnects by itself after a lost connection, but never after an answer other than 200.
  #stumble(source) {
    if (!this.#isOpen || source !== this.#source) return;
    this.#become("reconnecting");
    if (source.readyState === EventSource.CLOSED) this.#reopenLater();
  }

  #reopenLater() {
    const wait = BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)];
    this.#failures += 1;
    this.#disconnect();
    this.#reopening = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2));
    this.dispatchEvent(new Event("behind"));
  }

  #feedWatchdog() {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#bark(), SILENCE_MS);
  }

  #bark() {
    this.#become("reconnecting");
    this.#feedWatchdog();
    if (this.#isLeader) this.#connect();
    else this.#queueForLock({ steal: true });
  }

  #hear(message) {
    if (message.kind === "wake") this.dispatchEvent(new Event("wake"));
    if (!this.#isOpen) return;
    if (this.#isLeader) {
      if (message.kind === "who") this.#channel.postMessage({ kind: "state", name: this.#state, isAnswer: true });
      return;
    }
    this.#feedWatchdog();
    if (message.kind === "event") this.#pass(message.type, message.data);
    if (message.kind === "state") this.#become(message.name);
    if (message.isAnswer) this.dispatchEvent(new Event("behind"));
  }

  #become(name) {
    this.#state = name;
    if (this.#isLeader) this.#channel.postMessage({ kind: "state", name });
    this.dispatchEvent(new CustomEvent("state", { detail: { name } }));
  }
}
