// Draws the time line: one lane a batch, and the same as a table once someone opens it.

import { arrange } from "./arrange.js";
import { drawing, element, partsOf, write } from "./parts.js";
import { rows, timeline } from "./timeline.js";
import WORDS from "./words.js";

export class Lanes {
  #parts;
  #lanes;
  #rows = new Map();

  constructor(section) {
    this.#parts = partsOf(section);
    this.#lanes = new Map(Array.from(section.querySelectorAll("[data-lane]"), (lane) => [lane.dataset.lane, lane]));
  }

  draw(state, attempts, now) {
    const drawn = timeline(state, attempts, now);
    const parts = this.#parts;
    write(parts["course-summary"], drawn.summary);
    write(parts["course-left-out"], drawn.leftOut);
    parts["course-left-out"].hidden = !drawn.leftOut;
    parts.lanes.hidden = parts["course-details"].hidden = drawn.lanes.length === 0;
    parts.axis.replaceChildren(...drawn.breaks.map(cutOf), ...drawn.ticks.flatMap(tickOf));
    const lanes = new Map(drawn.lanes.map((lane) => [lane.batch.id, this.#lane(lane)]));
    this.#lanes = lanes;
    arrange(parts.lanes, [parts.axis, ...lanes.values()]);
    if (parts["course-details"].open) this.#drawTable(rows(drawn, attempts));
  }

  // Calls back when the table is opened: until then it is not kept up to date.
  onOpen(callback) {
    this.#parts["course-details"].addEventListener("toggle", callback);
  }

  #lane({ batch, name, who, bars }) {
    const lane = this.#lanes.get(batch.id) ?? emptyLane(batch.id);
    const [label, workers, status, picture] = lane.children;
    if (label.title !== name) label.title = name;
    write(workers, who);
    lane.dataset.status = batch.status;
    write(label, name);
    write(status, WORDS.batches[batch.status]);
    drawBars(picture, bars);
    return lane;
  }

  // Cells that say the same stay: whoever reads one is not thrown out of it.
  #drawTable(found) {
    const known = this.#rows;
    if (!known.size) this.#parts["course-rows"].replaceChildren();
    this.#rows = new Map(found.map(({ key, cells }) => [key, known.get(key) ?? rowOf(cells)]));
    for (const { key, cells } of found) {
      cells.forEach((text, place) => write(this.#rows.get(key).children[place], text));
    }
    arrange(this.#parts["course-rows"], Array.from(this.#rows.values()));
  }
}

function emptyLane(batchId) {
  const lane = element(
    "div",
    { className: "lane" },
    element("span", { className: "lane-name", dir: "auto" }),
    element("span", { className: "lane-who" }),
    element("span", { className: "state" }),
    drawing("svg", { class: "bars", width: "100%", height: 16, focusable: "false" }),
  );
  lane.dataset.lane = batchId;
  return lane;
}

// Bars that are there are moved: a running one grows instead of being another one every second.
function drawBars(picture, bars) {
  while (picture.children.length > bars.length) picture.lastElementChild.remove();
  bars.forEach(({ kind, x, width, title }, place) => {
    const bar = picture.children[place] ?? picture.appendChild(drawing("rect", {}, drawing("title", {})));
    const isWait = kind === "wait";
    const wanted = { class: "stretch", "data-kind": kind, x, width, y: isWait ? 7 : 2, height: isWait ? 2 : 12 };
    for (const [name, value] of Object.entries(wanted)) {
      if (bar.getAttribute(name) !== String(value)) bar.setAttribute(name, value);
    }
    write(bar.firstElementChild, title);
  });
}

function cutOf({ x, width, title }) {
  const name = drawing("title", {});
  name.textContent = title;
  return drawing("rect", { class: "cut", x, width, y: 0, height: "100%" }, name);
}

function tickOf({ x, anchor, label }) {
  const text = drawing("text", { class: "tick-label", x, y: 12, "text-anchor": anchor });
  text.textContent = label;
  return [drawing("line", { class: "tick", x1: x, x2: x, y1: 18, y2: "100%" }), text];
}

function rowOf(cells) {
  return element("tr", {}, element("th", { scope: "row", dir: "auto" }), ...cells.slice(1).map(() => element("td")));
}
