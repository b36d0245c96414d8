// The rows of the batches: each is touched only when its batch has changed.

import { accepting, canBeAccepted, canBeRetried, grains, percent, plural, tally } from "./figures.js";
import { element, partsOf, write } from "./parts.js";
import WORDS from "./words.js";

export class Rows {
  #rows;
  #pageUrl;
  #drawn;

  // `drawn` is the state that the server has drawn already.
  constructor(root, drawn) {
    this.#pageUrl = root.dataset.pageUrl;
    this.#rows = new Map(Array.from(root.querySelectorAll("[data-batch-id]"), (row) => [row.dataset.batchId, row]));
    this.#drawn = drawn;
  }

  draw(state) {
    const { batches, status } = this.#drawn;
    this.#drawn = state;
    const canBeMended = (batch) => batch.status === "failed" && status !== state.status;
    if (batches === state.batches && status === state.status) return;
    state.batches.forEach((batch, place) => {
      if (batches[place] !== batch || canBeMended(batch)) this.#drawRow(batch, state.status);
    });
  }

  #drawRow(batch, generationStatus) {
    const row = this.#rows.get(batch.id);
    if (!row) return;
    const parts = partsOf(row);
    row.dataset.status = batch.status;
    write(parts.state, WORDS.batches[batch.status]);
    write(parts.tally, tally(batch));
    write(parts.attempts, batch.attempts ? ` · ${plural(batch.attempts, "attempt")}` : "");
    if (parts.grains) drawGrains(parts.grains, batch);
    else drawStrip(parts, batch);
    parts.error?.remove();
    parts.mending?.remove();
    if (batch.error) row.append(failure(batch.error));
    const forms = this.#forms(batch, generationStatus);
    if (forms.length) row.append(mending(forms));
  }

  #forms(batch, generationStatus) {
    const address = `${this.#pageUrl}/batches/${batch.id}`;
    const forms = [];
    if (canBeRetried(batch, generationStatus)) forms.push(form(`${address}/retry`, WORDS.retry_one, batch));
    if (canBeAccepted(batch, generationStatus)) forms.push(form(`${address}/accept`, accepting(batch), batch));
    return forms;
  }
}

function drawGrains(field, batch) {
  const states = grains(batch);
  field.ariaLabel = tally(batch);
  while (field.children.length > states.length) field.lastElementChild.remove();
  states.forEach((state, index) => {
    const grain = field.children[index] ?? field.appendChild(document.createElement("i"));
    if (grain.dataset.grain !== state) grain.dataset.grain = state;
  });
}

function drawStrip(parts, { saved_count: saved, held_count: held, target_count: target }) {
  parts["strip-saved"].setAttribute("width", percent(saved, target));
  parts["strip-held"].setAttribute("width", percent(saved + held, target));
}

function failure({ message, code }) {
  const line = element("p", { className: "failure", textContent: `${message} (${code})` });
  line.dataset.part = "error";
  return line;
}

function mending(forms) {
  const field = element("div", { className: "mending" }, ...forms);
  field.dataset.part = "mending";
  return field;
}

function form(action, label, batch) {
  const button = element("button", { type: "submit", className: "quiet", textContent: label });
  button.ariaLabel = `${label}: ${batch.module_name}`;
  return element("form", { method: "post", action }, button);
}
