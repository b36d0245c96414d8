// The connection to the service: every event of the generations that are followed, each from where it stands. It comes
// back by itself; as every new one names the positions reached by then, no event is lost in between.

import { isTerminal } from "./state.js";

const EVENTS_URL = "/api/events";
const GENERATIONS_URL = "/api/generations";
const SILENCE_MS = 45_000;
// Tabs that open or close together make one new connection.
const GATHER_MS = 200;
const SHED_MS = 3_000;
const BACKOFF_MS = [500, 1_000, 1_000, 2_000, 2_000, 4_000, 8_000, 15_000];
const TYPES = [
  "resync",
  "heartbeat",
  "bye",
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

export class Connection {
  #on;
  #source = null;
  #followed = new Map();
  #positions = new Map();
  #unknown = new Set();
  #timer = 0;
  #due = Infinity;
  #failures = 0;
  #heardAt = 0;
  #isClosed = false;
  #state = "connecting";

  // `on.event({type, data})`, `on.beat()` while the service is there, `on.state()` when `state` or `positions` changed.
  constructor(on) {
    this.#on = on;
  }

  // `connecting`, `live` or `reconnecting`.
  get state() {
    return this.#state;
  }

  // Generation -> the last event that came of it, for those the connection is open for.
  get positions() {
    return this.#positions;
  }

  // `followed`: generation -> from where on. Who is followed already goes on from where it stands.
  follow(followed) {
    this.#followed = followed;
    const isMore = Array.from(followed.keys()).some((id) => !this.#positions.has(id) && !this.#unknown.has(id));
    const isLess = Array.from(this.#positions.keys()).some((id) => !followed.has(id));
    if (isMore) this.#openWithin(GATHER_MS);
    else if (isLess) this.#openWithin(SHED_MS);
  }

  // A silent connection is a lost one. Looks at the clock, so that it notices a computer that slept as well.
  check() {
    if (this.#source && Date.now() - this.#heardAt > SILENCE_MS) this.#lose();
  }

  // Somebody looks: what is lost should come back now.
  hurry() {
    this.check();
    if (this.#state === "reconnecting") this.renew();
  }

  // The network is back: the connection of before may be dead without anybody having said so.
  renew() {
    this.#failures = 0;
    this.#disconnect();
    this.#openWithin(0);
  }

  close() {
    this.#isClosed = true;
    this.#disconnect();
    clearTimeout(this.#timer);
  }

  #openWithin(milliseconds) {
    const due = Date.now() + milliseconds;
    if (this.#isClosed || due >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#openIfNeeded(), milliseconds);
  }

  #openIfNeeded() {
    this.#due = Infinity;
    const wanted = Array.from(this.#followed).filter(([id]) => !this.#unknown.has(id));
    const isAsOpen = wanted.length === this.#positions.size && wanted.every(([id]) => this.#positions.has(id));
    if (this.#source && isAsOpen) return;
    this.#positions = new Map(wanted.map(([id, seq]) => [id, this.#positions.get(id) ?? seq]));
    this.#disconnect();
    if (this.#positions.size) this.#open();
    else this.#become("connecting");
  }

  #open() {
    const after = Array.from(this.#positions, ([id, seq]) => `after=${id}:${seq}`);
    const source = new EventSource(`${EVENTS_URL}?${after.join("&")}`);
    this.#source = source;
    this.#heardAt = Date.now();
    source.addEventListener("open", () => this.#become("live"));
    // Its own reconnecting would ask from the old positions.
    source.addEventListener("error", () => this.#stumble(source));
    for (const type of TYPES) source.addEventListener(type, (event) => this.#read(type, event.data));
  }

  #disconnect() {
    this.#source?.close();
    this.#source = null;
  }

  #read(type, text) {
    this.#heardAt = Date.now();
    if (type === "bye") {
      this.#lose(JSON.parse(text).retry_milliseconds);
      return;
    }
    this.#failures = 0;
    if (type === "heartbeat") this.#on.beat();
    else this.#take(type, JSON.parse(text));
  }

  #take(type, data) {
    const id = generationOf({ data });
    if (this.#positions.has(id)) this.#positions.set(id, data.seq ?? data.last_event_id);
    if (isEnd({ type, data })) this.#positions.delete(id);
    this.#on.event({ type, data });
    if (!this.#positions.size) this.#openWithin(0);
  }

  async #stumble(source) {
    if (source !== this.#source) return;
    const wasRefused = source.readyState === EventSource.CLOSED;
    this.#disconnect();
    this.#become("reconnecting");
    if (wasRefused) await this.#leaveOutWhoStopsAll();
    if (!this.#source) this.#lose();
  }

  // `least`: what the service asks for.
  #lose(least = 0) {
    this.#disconnect();
    const wait = Math.max(least, BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)]);
    this.#failures += 1;
    this.#become("reconnecting");
    this.#openWithin(wait * (0.75 + Math.random() / 2));
  }

  // The service refused all because of one that it does not know, or because all have ended: the browser does not tell.
  async #leaveOutWhoStopsAll() {
    for (const id of Array.from(this.#positions.keys())) {
      const answer = await fetch(`${GENERATIONS_URL}/${id}`, { headers: { Accept: "application/json" } }).catch(
        () => null, // The service is away: there is no more to find out.
      );
      if (this.#isClosed || !answer) return;
      if (answer.status === 404) {
        this.#unknown.add(id);
        continue;
      }
      if (!answer.ok) return;
      const generation = await answer.json();
      if (isTerminal(generation)) this.#take("resync", generation);
    }
  }

  #become(name) {
    if (this.#isClosed) return;
    this.#state = name;
    this.#on.state();
  }
}

// An event names its generation; the data of a `resync` is one.
export function generationOf({ data }) {
  return data.generation_id ?? data.id;
}

// Nothing more comes of this generation's log, unless somebody sets it going again.
export function isEnd({ type, data }) {
  return type === "resync" ? isTerminal(data) : isTerminal({ status: type.replace("generation.", "") });
}
