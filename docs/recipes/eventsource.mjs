// Hears every event of a generation once and in order, through lost connections and restarts, in a browser or in Node
// (node.mjs). The promise is kept when there is no more to hear, and broken when the service refuses.
//
//   follow(`/api/generations/${id}`, (type, data) => ..., { from: "0" })
//
// `from`: the id after which to begin, "0" for the whole log; without it a snapshot comes first.

// EventSource hears only the names that it was told.
export const TYPES = [
  "snapshot", "resync",
  "generation.started", "generation.paused", "generation.resumed",
  "generation.completed", "generation.partial", "generation.failed", "generation.cancelled",
  "batch.started", "batch.retrying", "batch.completed", "batch.failed", "batch.requeued",
  "question.accepted", "question.rejected",
];
const AGAIN_MILLISECONDS = 1000;

export function follow(
  generationUrl,
  hear,
  { from = "", silenceSeconds = 45, EventSource = globalThis.EventSource } = {},
) {
  let lastId = from;
  return new Promise((resolve, reject) => {
    function open() {
      // When it reconnects by itself it sends the last id as a header, which wins.
      const query = lastId === "" ? "" : `?last_event_id=${lastId}`;
      const source = new EventSource(`${generationUrl}/events${query}`);
      let silence;
      const listen = () => {
        clearTimeout(silence);
        // A line that is dead without being closed: nothing tells of it but silence.
        silence = setTimeout(() => { source.close(); open(); }, silenceSeconds * 1000);
      };
      for (const type of TYPES) {
        source.addEventListener(type, (event) => {
          lastId = event.lastEventId;
          hear(type, JSON.parse(event.data));
        });
      }
      for (const type of [...TYPES, "heartbeat", "open", "error"]) source.addEventListener(type, listen);
      source.addEventListener("error", () => {
        // It reconnects by itself, except after an answer that is no stream: a proxy's 502 during a restart, or 204,
        // with which the service says that there is no more.
        if (source.readyState !== EventSource.CLOSED) return;
        clearTimeout(silence);
        look();
      });
      listen();
    }

    async function look() {
      try {
        const signal = AbortSignal.timeout(silenceSeconds * 1000);
        const answer = await fetch(generationUrl, { headers: { Accept: "application/json" }, signal });
        if (answer.status >= 400 && answer.status < 500) return reject(new Error(`refused: ${answer.status}`));
        const generation = await answer.json();
        if (generation.completed_at && lastId !== "" && Number(lastId) >= generation.last_event_id) return resolve();
      } catch {
        // It is away; opening tries again until it is back.
      }
      setTimeout(open, AGAIN_MILLISECONDS);
    }

    open();
  });
}
