// node node.mjs http://127.0.0.1:8000 GENERATION: prints every event as a line of JSON, and ends with the generation.
// Needs `npm install eventsource`.
import { EventSource } from "eventsource";
import { follow } from "./eventsource.mjs";

const [url, generationId, silenceSeconds = "45"] = process.argv.slice(2);
await follow(`${url}/api/generations/${generationId}`, (type, data) => console.log(JSON.stringify(data)), {
  from: "0",
  silenceSeconds: Number(silenceSeconds),
  EventSource,
});
