// The latest things worth reading aloud from the log, newest first, each once however often it is told.

const LENGTH = 5;

export class Feed {
  #entries = [];

  get entries() {
    return this.#entries;
  }

  // `batches` names the modules. Events that say nothing to a reader are passed over.
  add(event, batches) {
    const text = textOf(event);
    const batch = text && batches.find((candidate) => candidate.id === event.batch_id);
    if (!batch || this.#entries.some((entry) => entry.seq === event.seq)) return;
    const entries = [...this.#entries, { seq: event.seq, title: batch.module_name, text }];
    this.#entries = entries.sort((one, other) => other.seq - one.seq).slice(0, LENGTH);
  }
}

function textOf(event) {
  if (event.type === "question.accepted") return event.preview;
  if (event.type === "batch.retrying") return `Tries again in ${Math.ceil(event.delay_seconds)} s (${event.code})`;
  if (event.type === "batch.requeued" && event.reason === "worker_lost") {
    return "Its worker stopped. Another one goes on with what is held.";
  }
  return "";
}
