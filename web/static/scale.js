// Where moments stand on a time axis. Long gaps in which nothing happened are cut short. The same as web/scale.py.

const TICKS_MAX = 5;
// Of the whole axis, in hundredths of a percent: labels of closer ones would touch.
const TICK_DISTANCE_MIN = 1_400;
const CUT_MS_MIN = 10_000;
const STEPS_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];

export const percent = (hundredths) =>
  `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, "0")}%`;

// An axis for spans of work, each [from, to] in milliseconds.
export class Scale {
  #stretches;
  #gap;
  #drawn;

  constructor(spans) {
    const merged = mergedSpans(
      spans.toSorted((one, other) => one[0] - other[0] || one[1] - other[1]),
      0,
    );
    const active = sum(merged);
    this.#stretches = mergedSpans(merged, Math.max(CUT_MS_MIN, Math.floor(active / 10)));
    this.#gap = Math.max(1, Math.floor(active / 16));
    this.#drawn = Math.max(1, sum(this.#stretches) + this.#gap * (this.#stretches.length - 1));
  }

  // Hundredths of a percent from the left.
  at(ms) {
    let offset = 0;
    for (const [start, end] of this.#stretches) {
      if (ms <= end) return Math.floor((10_000 * (offset + Math.max(0, ms - start))) / this.#drawn);
      offset += end - start + this.#gap;
    }
    return 10_000;
  }

  // Round moments that are far enough from each other.
  ticks() {
    const fits = STEPS_SECONDS.find((seconds) => seconds * 1000 * TICKS_MAX >= this.#drawn);
    const step = 1000 * (fits ?? STEPS_SECONDS.at(-1));
    const found = [];
    for (const [start, end] of this.#stretches) {
      for (let ms = Math.ceil(start / step) * step; ms <= end; ms += step) {
        if (!found.length || this.at(ms) - this.at(found.at(-1)) >= TICK_DISTANCE_MIN) found.push(ms);
      }
    }
    return found;
  }

  // Where time was cut: from and to on the axis, and what was cut out.
  breaks() {
    return this.#stretches.slice(1).map(([start], index) => {
      const end = this.#stretches[index][1];
      return { from: this.at(end), to: this.at(start), milliseconds: start - end };
    });
  }
}

const sum = (spans) => spans.reduce((total, [start, end]) => total + end - start, 0);

// `spans` in order; those that are no further apart than the gap become one.
function mergedSpans(spans, gap) {
  const found = [];
  for (const [start, end] of spans) {
    const last = found.at(-1);
    if (last && start - last[1] <= gap) last[1] = Math.max(last[1], end);
    else found.push([start, end]);
  }
  return found;
}
