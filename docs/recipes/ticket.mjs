// Like eventsource.mjs, for a page that holds a token: EventSource can send no header, so each connection takes a
// ticket. Its own reconnect would show the used one, so at every error it is closed and a new one is opened.
//
//   follow("/api/generations/" + id, (type, data) => ..., { headers: { Authorization: `Bearer ${token}` }, from: "0" })
import { TYPES } from "./eventsource.mjs";

const AGAIN_MILLISECONDS = 1000;

class Refused extends Error {}

export async function follow(generationUrl, hear, { headers = {}, from = "", silenceSeconds = 45 } = {}) {
  let lastId = from;

  async function ask(path, options = {}) {
    const signal = AbortSignal.timeout(silenceSeconds * 1000);
    const answer = await fetch(path, { ...options, signal, headers: { ...headers, ...options.headers } });
    if (answer.status >= 400 && answer.status < 500) throw new Refused(`refused: ${answer.status}`);
    return answer.json();
  }

  async function isOver() {
    const generation = await ask(generationUrl, { headers: { Accept: "application/json" } });
    return Boolean(generation.completed_at) && lastId !== "" && Number(lastId) >= generation.last_event_id;
  }

  async function ticket() {
    const body = JSON.stringify({ generation_id: generationUrl.split("/").at(-1) });
    const order = { method: "POST", body, headers: { "Content-Type": "application/json" } };
    return (await ask(new URL("/api/stream-tickets", new URL(generationUrl, location.href)), order)).ticket;
  }

  // One connection, until it ends for whatever reason.
  function listen(opened) {
    return new Promise((resolve) => {
      const query = new URLSearchParams({ ticket: opened, ...(lastId !== "" && { last_event_id: lastId }) });
      const source = new EventSource(`${generationUrl}/events?${query}`);
      let silence;
      const end = () => { clearTimeout(silence); source.close(); resolve(); };
      const wait = () => { clearTimeout(silence); silence = setTimeout(end, silenceSeconds * 1000); };
      for (const type of TYPES) {
        source.addEventListener(type, (event) => {
          lastId = event.lastEventId;
          hear(type, JSON.parse(event.data));
        });
      }
      for (const type of [...TYPES, "heartbeat", "open"]) source.addEventListener(type, wait);
      source.addEventListener("error", end);
      wait();
    });
  }

  for (;;) {
    try {
      await listen(await ticket());
      if (await isOver()) return;
    } catch (error) {
      // Anything else: it is away, or answers with a proxy's page.
      if (error instanceof Refused) throw error;
    }
    await new Promise((again) => { setTimeout(again, AGAIN_MILLISECONDS); });
  }
}
