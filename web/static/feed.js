// The latest questions, newest first, each once however often it is told.

const LENGTH = 5;

export class Feed {
  #entries = [];

  get entries() {
    return this.#entries;
  }

  // `state` names the modules. Events that are no question are passed over.
  add(event, state) {
    if (event.type !== "question.accepted") return;
    const batch = state.batches[state.places.get(event.batch_id)];
    if (!batch || this.#entries.some((entry) => entry.seq === event.seq)) return;
    const entries = [...this.#entries, { seq: event.seq, title: batch.module_name, text: event.preview }];
    this.#entries = entries.sort((one, other) => other.seq - one.seq).slice(0, LENGTH);
  }
}
