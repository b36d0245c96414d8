// How figures read. The same rules as web/wording.py, in whole numbers where the two languages round differently.

const GRAINS_MAX = 50;
const CLOSED = new Set(["failed", "cancelled"]);

// Whole numbers only. Without Intl: its first use takes longer than ten frames.
export const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

export function percent(part, whole) {
  if (whole <= 0) return "0.0%";
  let permille = Math.floor((2000 * part + whole) / (2 * whole));
  if (part < whole) permille = Math.min(permille, 999);
  return `${Math.floor(permille / 10)}.${permille % 10}%`;
}

export function cost(usd) {
  const tenThousandths = Math.floor(usd * 10_000 + 0.5);
  if (tenThousandths > 0 && tenThousandths < 10_000) return `$0.${String(tenThousandths).padStart(4, "0")}`;
  const cents = Math.floor(usd * 100 + 0.5);
  return `$${number(Math.floor(cents / 100))}.${String(cents % 100).padStart(2, "0")}`;
}

export function estimated({ cost_usd: span, seconds }) {
  const price = span ? `about ${cost(span.expected)} (${cost(span.low)} to ${cost(span.high)})` : "price unknown";
  return `${price}, ${duration(Math.ceil(seconds.expected) * 1000)}`;
}

export function spent(usage) {
  if (!usage.unpriced_calls) return cost(usage.cost_usd);
  if (usage.unpriced_calls === usage.llm_calls) return "price unknown";
  return `${cost(usage.cost_usd)} and ${plural(usage.unpriced_calls, "call")} of unknown price`;
}

export const perQuestion = ({ cost_per_accepted_usd: usd }) => (usd === null ? "" : `${cost(usd)} a question`);

export function waste({ reason, calls, cost_usd: usd }) {
  const name = reason.replaceAll("_", " ");
  return `${name[0].toUpperCase()}${name.slice(1)}: ${plural(calls, "call")}, ${cost(usd)}`;
}

export function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(seconds / 3600);
  if (hours) return `${hours} h ${minutes % 60} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

export function tally(batch) {
  if (batch.status === "completed") return `${batch.saved_count}/${batch.target_count} saved`;
  if (CLOSED.has(batch.status)) return `${batch.held_count} held, ${batch.target_count - batch.held_count} missing`;
  return `${batch.held_count}/${batch.target_count} held`;
}

export function canBeAccepted(batch, generationStatus) {
  return batch.status === "failed" && batch.held_count > 0 && generationStatus !== "cancelled";
}

export function canBeRetried(batch, generationStatus) {
  return batch.status === "failed" && (generationStatus === "partial" || generationStatus === "failed");
}

export function accepting(batch) {
  return `Finish this batch with its ${plural(batch.held_count, "question")}`;
}

export function grains(batch) {
  const count = Math.min(batch.target_count, GRAINS_MAX);
  const saved = Math.floor((batch.saved_count * count) / batch.target_count);
  const kept = Math.floor(((batch.saved_count + batch.held_count) * count) / batch.target_count);
  const rest = CLOSED.has(batch.status) ? "missing" : "open";
  return Array.from({ length: count }, (_, index) => (index < saved ? "saved" : index < kept ? "held" : rest));
}
