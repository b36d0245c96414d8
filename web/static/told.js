// What the entries of a log say in plain words. The same as web/told.py.

import { duration, number, plural } from "./figures.js";
import WORDS from "./words.js";

export const nameOf = (batch) => `${batch.module_name} · ${WORDS.types[batch.question_type]}`;

// Which filter an event belongs to.
export const KIND_OF = new Map(
  Object.entries(WORDS.kinds).flatMap(([kind, { types }]) => types.map((type) => [type, kind])),
);

// The sentence of an event, empty for what this version does not know.
export function told(event) {
  const sentence = WORDS.events[event.type] ?? WORDS.events[`${event.type}.${event.reason ?? "user"}`] ?? "";
  const fields = fieldsOf(event);
  return sentence.replace(/\{(\w+)\}/g, (_, name) => fields[name]);
}

function fieldsOf(event) {
  const error = event.error ?? event;
  const code = error.code ?? "";
  const counts = Object.entries(event).filter(([, value]) => Number.isInteger(value));
  return {
    ...Object.fromEntries(counts.map(([name, value]) => [name, number(value)])),
    preview: event.preview ?? "",
    message: error.message ?? "",
    code,
    reason: WORDS.reasons[code] ?? code.replaceAll("_", " "),
    delay: duration(Math.ceil(event.delay_seconds ?? 0) * 1000),
    saved: plural(event.saved_count ?? 0, "question"),
    target: plural(event.target_count ?? 0, "question"),
    requested: plural(event.requested_count ?? 0, "question"),
  };
}
