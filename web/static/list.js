// Keeps the list of generations fresh: reads the same page again and exchanges the rows that changed.

import { arrange } from "./arrange.js";
import { localTimes } from "./times.js";

const BUSY_MS = 2_000;
const IDLE_MS = 10_000;
const BUSY = '[data-status="pending"], [data-status="processing"], [data-status="paused"]';

const list = document.querySelector("[data-list]");

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const read = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-list]");
  if (!read) return;
  localTimes(read);
  const rows = new Map(Array.from(list.children, (row) => [row.dataset.generationId, row]));
  arrange(
    list,
    Array.from(read.children, (row) => kept(rows.get(row.dataset.generationId), row)),
  );
}

// The row on the page stays when nothing changed or when it has the focus.
function kept(old, fresh) {
  if (!old) return fresh;
  return old.isEqualNode(fresh) || old.contains(document.activeElement) ? old : fresh;
}

async function keepFresh() {
  if (!document.hidden) await refresh().catch(() => undefined);
  setTimeout(keepFresh, list.querySelector(BUSY) ? BUSY_MS : IDLE_MS);
}

if (list) setTimeout(keepFresh, BUSY_MS);
