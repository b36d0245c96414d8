// What makes the two forms of the start page nicer: dropping files, the running sum, one order per press.

import { estimated, plural } from "./figures.js";

function dropZone(zone) {
  const input = zone.querySelector("input");
  const chosen = zone.querySelector("[data-chosen]");
  const over = (isOver) => (event) => {
    event.preventDefault();
    zone.dataset.over = String(isOver);
  };
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => {
    over(false)(event);
    input.files = together(input.files, event.dataTransfer.files);
    input.dispatchEvent(new Event("change"));
  });
  input.addEventListener("change", () => chosen.replaceChildren(...Array.from(input.files, fileRow)));
}

function together(...lists) {
  const all = new DataTransfer();
  for (const file of lists.flatMap((list) => Array.from(list))) all.items.add(file);
  return all.files;
}

function fileRow(file) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  const size = document.createElement("small");
  name.dir = "auto";
  name.textContent = file.name;
  size.textContent = `${Math.max(1, Math.round(file.size / 1024)).toLocaleString("en-US")} KB`;
  row.append(name, size);
  return row;
}

function orderForm(form) {
  const sum = form.querySelector("[data-sum]");
  const tools = form.querySelector("[data-all]");
  const preset = form.querySelector("[data-preset]");
  const show = () => {
    for (const part of form.querySelectorAll("[data-own-choice]")) part.hidden = preset.value !== "";
    form.querySelector("[data-preset-count]").hidden = preset.value === "";
    showSum(form, sum);
  };
  tools.hidden = false;
  tools.addEventListener("click", (event) => {
    const wanted = event.target.dataset.check;
    if (!wanted) return;
    for (const box of form.querySelectorAll("[name=module_id]")) box.checked = wanted === "true";
    show();
  });
  form.addEventListener("input", (event) => {
    const type = event.target.name?.match(/^count_(.+)$/)?.[1];
    if (type && event.target.value) form.querySelector(`#type-${CSS.escape(type)}`).checked = true;
    show();
  });
  window.addEventListener("pageshow", show);
  show();
  const output = form.querySelector("[data-estimated]");
  if (output) estimating(form, output);
}

const PAUSE_MS = 400;

// The estimate follows what is chosen; without scripts the button brings it.
function estimating(form, output) {
  const button = form.querySelector("[data-estimate]");
  let waiting = 0;
  let newest = 0;
  const ask = async () => {
    const number = (newest += 1);
    const text = await estimateOf(form, button.formAction);
    if (number === newest) output.textContent = text;
  };
  button.hidden = true;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE_MS);
  });
  window.addEventListener("pageshow", ask);
}

// What can't be ordered has no estimate; ordering it says why.
async function estimateOf(form, address) {
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    return answer.ok ? estimated(await answer.json()) : "";
  } catch {
    return "";
  }
}

function showSum(form, sum) {
  const modules = form.querySelectorAll("[name=module_id]:checked").length;
  const [kinds, perModule] = perModuleOf(form);
  const batches = modules * kinds;
  const most = Number(form.dataset.batchesMax);
  const text = `${plural(batches, "batch", "batches")}, ${plural(modules * perModule, "question")}`;
  sum.dataset.over = String(batches > most);
  sum.textContent = batches > most ? `${text}: one order takes at most ${plural(most, "batch", "batches")}` : text;
}

// How many batches a module gives, and how many questions.
function perModuleOf(form) {
  const preset = form.querySelector("[data-preset]").selectedOptions[0];
  if (preset.value) return [Number(preset.dataset.batches), preset.dataset.batches * countOf(form, "preset_count")];
  const types = Array.from(form.querySelectorAll("[name=question_type]:checked"), (box) => box.value);
  return [types.length, types.reduce((total, type) => total + countOf(form, `count-${type}`), 0)];
}

const countOf = (form, id) => Math.max(0, Math.floor(Number(form.querySelector(`#${CSS.escape(id)}`).value) || 0));

// A second press while the first is on its way would order twice.
function sendOnce(form) {
  const button = form.querySelector("button[type=submit]");
  form.addEventListener("submit", (event) => {
    if (button.ariaDisabled === "true") event.preventDefault();
    button.ariaDisabled = "true";
  });
  window.addEventListener("pageshow", () => {
    button.ariaDisabled = "false";
  });
}

document.querySelectorAll("[data-drop]").forEach(dropZone);
document.querySelectorAll("[data-order]").forEach(orderForm);
document.querySelectorAll("[data-once]").forEach(sendOnce);
