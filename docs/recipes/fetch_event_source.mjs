// Hears every event of a generation once and in order with @microsoft/fetch-event-source, which can send headers.
//
//   follow(`/api/generations/${id}`, (type, data) => ..., { headers: { Authorization: `Bearer ${token}` } })
import { fetchEventSource } from "@microsoft/fetch-event-source";

class Refused extends Error {}

export function follow(generationUrl, hear, { headers = {}, from = "", silenceSeconds = 45 } = {}) {
  const finished = new AbortController();
  let silence;
  let silent;
  const wait = () => {
    clearTimeout(silence);
    silence = setTimeout(() => silent.abort(), silenceSeconds * 1000);
  };
  return fetchEventSource(`${generationUrl}/events`, {
    // In lower case: under this name the library keeps the last id. Under another, both would be sent.
    headers: { ...headers, ...(from !== "" && { "last-event-id": from }) },
    signal: finished.signal,
    // Otherwise it closes the stream whenever its tab is in the background.
    openWhenHidden: true,
    fetch: (input, init) => {
      silent = new AbortController();
      wait();
      return fetch(input, { ...init, signal: AbortSignal.any([init.signal, silent.signal]) });
    },
    async onopen(answer) {
      if (answer.status === 204) finished.abort();
      else if (answer.status >= 400 && answer.status < 500) throw new Refused(`refused: ${answer.status}`);
      else if (!answer.headers.get("content-type")?.startsWith("text/event-stream")) throw new Error("no stream");
    },
    onmessage(event) {
      wait();
      // Heartbeats and the goodbye have no id.
      if (event.id) hear(event.event, JSON.parse(event.data));
    },
    // For this library a stream that ends in good order is finished for ever; an error makes it reconnect.
    onclose() {
      throw new Error("the stream ended");
    },
    onerror(error) {
      if (error instanceof Refused) throw error;
    },
  }).finally(() => clearTimeout(silence));
}
