// The events of all generations that the tabs of this browser watch, over one connection: the tab that leads reads them
// and tells the others. A browser has six connections to a host, and every button needs one.
//
// Messages between the tabs: `event` and `told` by the one that leads; `watch`, `leave` and `wake` by every tab.

import { Audience } from "./audience.js";
import { Connection, generationOf, isEnd } from "./connection.js";
import { Leadership } from "./leadership.js";

const CHANNEL = "quizmill:stream";
const CHECK_MS = 1_000;
// Checks without a word from the one that leads: after the first it is asked, after the last this tab takes over.
const SILENT_CHECKS_MAX = 3;
const WATCHED_MAX = 100;
// Without locks (plain http on another machine) every tab reads for itself.
const CAN_SHARE = Boolean(navigator.locks);

export class Stream extends EventTarget {
  #watched;
  #tab = Math.random().toString(36).slice(2);
  #leadership = new Leadership({ won: () => this.#lead(), lost: () => this.#stepBack() });
  #channel = null;
  #connection = null;
  #audience = null;
  #state = "";
  #isLeaderHeard = false;
  #silentChecks = 0;

  // `watched()`: what this page wants to hear of, as pairs of a generation and the last event the page has seen.
  // Dispatches: `message` {type, data} of any generation that some tab watches, maybe again what the page has seen;
  // `state`; `behind` (events went by that this tab did not hear); `wake` {id} (another tab set that generation going);
  // `watched` {ids} by another tab.
  constructor(watched) {
    super();
    this.#watched = () => watched().slice(0, WATCHED_MAX);
    // A frozen tab answers nobody, and one in the back-forward cache must not hold a lock.
    document.addEventListener("freeze", () => this.#leave());
    document.addEventListener("resume", () => this.#rejoin());
    window.addEventListener("pagehide", () => this.#leave());
    window.addEventListener("pageshow", (event) => event.persisted && this.#rejoin());
    window.addEventListener("online", () => this.#connection?.renew());
    document.addEventListener("visibilitychange", () => document.hidden || this.#connection?.hurry());
    setInterval(() => this.#check(), CHECK_MS);
    this.#join();
  }

  // `connecting`, `live` (for all that this page watches) or `reconnecting`.
  get state() {
    return this.#state;
  }

  // What is watched has changed.
  update() {
    if (this.#channel) this.#say({ kind: "watch", tab: this.#tab, watched: this.#watched(), isAsking: false });
  }

  // Tells the other tabs that the generation runs again.
  wakeOthers(id) {
    this.#channel?.postMessage({ kind: "wake", id });
  }

  #join() {
    if (this.#channel) return;
    this.#channel = new BroadcastChannel(CHANNEL);
    this.#channel.addEventListener("message", ({ data }) => {
      if (CAN_SHARE || data.kind === "wake") this.#hear(data);
    });
    this.#become("connecting");
    if (!CAN_SHARE) {
      this.#lead();
      return;
    }
    this.#leadership.claim();
    this.#ask();
  }

  #rejoin() {
    this.#join();
    this.dispatchEvent(new Event("behind"));
  }

  #leave() {
    if (!this.#channel) return;
    this.#say({ kind: "leave", tab: this.#tab });
    this.#stepBack();
    this.#leadership.resign();
    this.#channel.close();
    this.#channel = null;
  }

  #lead() {
    this.#audience = new Audience();
    this.#connection = new Connection({
      event: (event) => this.#pass(event),
      beat: () => this.#call(),
      state: () => this.#tell({ isCalling: false }),
    });
    this.#call();
  }

  #stepBack() {
    this.#connection?.close();
    this.#connection = null;
    this.#audience = null;
  }

  #pass(event) {
    if (isEnd(event)) {
      this.#audience.ended(generationOf(event));
      this.#connection.follow(this.#audience.union);
    }
    this.#say({ kind: "event", event });
  }

  #call() {
    this.#audience.call();
    this.#tell({ isCalling: true });
  }

  #tell({ isCalling }) {
    const { state, positions } = this.#connection;
    this.#say({ kind: "told", state, positions: Array.from(positions), isCalling });
  }

  #ask() {
    this.#say({ kind: "watch", tab: this.#tab, watched: this.#watched(), isAsking: true });
  }

  // Who leads answers whoever asks; if it does not, this tab takes over.
  #check() {
    this.#connection?.check();
    if (!this.#channel || this.#connection) return;
    this.#silentChecks = this.#isLeaderHeard ? 0 : this.#silentChecks + 1;
    this.#isLeaderHeard = false;
    if (this.#silentChecks === 1) this.#ask();
    if (this.#silentChecks < SILENT_CHECKS_MAX) return;
    this.#silentChecks = 0;
    this.#leadership.claim({ seize: true });
  }

  // To every tab, this one too.
  #say(message) {
    if (CAN_SHARE) this.#channel.postMessage(message);
    this.#hear(message);
  }

  #hear(message) {
    if (message.kind === "event") this.#hearEvent(message.event);
    else if (message.kind === "told") this.#hearTold(message);
    else if (message.kind === "watch") this.#hearWatch(message);
    else if (message.kind === "leave") this.#hearLeave(message);
    else if (message.kind === "wake") this.#dispatch("wake", { id: message.id });
  }

  #hearEvent(event) {
    this.#isLeaderHeard = true;
    this.#dispatch("message", event);
    const id = generationOf(event);
    // The log ended for the one that leads, but this page knows of more.
    if (isEnd(event) && this.#watched().some(([watched]) => watched === id)) this.update();
  }

  #hearTold({ state, positions, isCalling }) {
    this.#isLeaderHeard = true;
    const reached = new Map(positions);
    const watched = this.#watched();
    const isIncluded = watched.every(([id]) => reached.has(id));
    this.#become(state === "live" && !isIncluded ? "connecting" : state);
    // What the one that leads had heard before it said so has reached this tab as well, unless it was missed.
    if (watched.some(([id, seq]) => reached.get(id) > seq)) this.dispatchEvent(new Event("behind"));
    if (isCalling) this.update();
  }

  #hearWatch({ tab, watched, isAsking }) {
    if (tab !== this.#tab) this.#dispatch("watched", { ids: watched.map(([id]) => id) });
    if (!this.#connection) return;
    this.#audience.hear(tab, watched);
    this.#connection.follow(this.#audience.union);
    if (isAsking) this.#tell({ isCalling: false });
  }

  #hearLeave({ tab }) {
    if (!this.#connection) return;
    this.#audience.leave(tab);
    this.#connection.follow(this.#audience.union);
  }

  #become(name) {
    if (name === this.#state) return;
    this.#state = name;
    this.dispatchEvent(new Event("state"));
  }

  #dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
