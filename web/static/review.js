// The review page without reloads: what a form sends is sent, then what it changed is read again from the same page.

import { generationOf, isEnd } from "./connection.js";
import { Stream } from "./stream.js";

const STEPS = { a: "approve", r: "reject", g: "regenerate" };
const SAID = { approve: "Approved", reject: "Rejected", edit: "Saved" };
const MAKING = "Being made again";
const MADE = "Made again. The new question comes last in its module.";
const NOT_MADE = "No other question could be made. The one you have stays.";

const review = document.querySelector(".review");
const list = document.querySelector("[data-part=questions]");
const part = (name) => review.querySelector(`[data-part=${name}]`);

const questions = () => Array.from(list.querySelectorAll("[data-question-id]"));
const current = () => document.activeElement?.closest("[data-question-id]") ?? null;

// Generations that make a question again: the last event heard of each, and who waits for its end.
const making = new Map();
let stream = null;

async function submit(form, submitter) {
  const question = form.closest("[data-question-id]");
  refuse("");
  say("");
  if (question) question.dataset.busy = "true";
  const answer = await post(form, submitter);
  if (question) question.dataset.busy = "false";
  if (!answer) return;
  const step = form.dataset.step;
  const said = step === "regenerate" ? await made(answer, question) : (SAID[step] ?? "Done");
  await readAgain(question);
  say(said);
}

async function post(form, submitter) {
  try {
    const body = new URLSearchParams(new FormData(form, submitter));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) return told;
    refuse(told.detail ?? `The service answered ${answer.status}. Please try again.`);
  } catch {
    refuse("The service cannot be reached. Please try again.");
  }
  return null;
}

// The old question stays where it is; the page shows the new one once there is one.
async function made(generation, question) {
  question.dataset.busy = "true";
  say(MAKING);
  const isCompleted = await new Promise((end) => {
    making.set(generation.id, { seq: generation.last_event_id, end });
    if (stream) stream.update();
    else listen();
  });
  return isCompleted ? MADE : NOT_MADE;
}

function listen() {
  stream = new Stream(() => Array.from(making, ([id, { seq }]) => [id, seq]));
  stream.addEventListener("message", (event) => hear(event.detail));
  stream.addEventListener("behind", () => making.forEach((_, id) => look(id)));
}

function hear(event) {
  const id = generationOf(event);
  const waiting = making.get(id);
  if (!waiting) return;
  waiting.seq = event.data.seq ?? event.data.last_event_id;
  if (!isEnd(event)) return;
  making.delete(id);
  waiting.end((event.data.status ?? event.type.replace("generation.", "")) === "completed");
}

// Its events went by. When the service is away, the stream says again that this tab is behind.
async function look(id) {
  const answer = await fetch(`/api/generations/${id}`, { headers: { Accept: "application/json" } }).catch(() => null);
  const data = answer?.ok ? await answer.json() : null;
  if (data) hear({ type: "resync", data });
}

async function readAgain(question) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) {
    refuse("The page could not be read again. Please reload it.");
    return;
  }
  const read = new DOMParser().parseFromString(await answer.text(), "text/html");
  show(read.querySelector("[data-part=questions]"), question);
  const fresh = read.querySelector(".review");
  if (fresh) {
    part("reviewed").textContent = fresh.querySelector("[data-part=reviewed]").textContent;
    review.querySelector("progress").value = fresh.querySelector("progress").value;
    part("shown").textContent = fresh.querySelector("[data-part=shown]").textContent;
  }
}

// What somebody is writing in another question, or waits for there, stays as it is; so does the place on the page.
function show(fresh, question) {
  const active = document.activeElement;
  const seen = current() ?? question;
  const place = questions().findIndex((other) => other.id === seen?.id);
  for (const other of questions().filter(({ id }) => id !== question?.id)) {
    const now = fresh.querySelector(`#${other.id}`);
    if (other.querySelector(".edit[open]")) now?.replaceWith(other);
    else if (now && other.dataset.busy) now.dataset.busy = other.dataset.busy;
  }
  list.replaceChildren(...fresh.childNodes);
  if (list.contains(active)) active.focus({ preventScroll: true });
  else if (seen) focus(document.getElementById(seen.id) ?? questions()[Math.min(place, questions().length - 1)]);
}

function focus(question) {
  if (!question) return;
  question.focus({ preventScroll: true });
  question.scrollIntoView({ block: "nearest" });
  // Whoever comes back to this address goes on here.
  history.replaceState(null, "", `#${question.id}`);
}

function move(by) {
  const all = questions();
  const place = all.indexOf(current());
  focus(all[Math.max(0, Math.min(all.length - 1, place < 0 ? 0 : place + by))]);
}

function press(key) {
  if (key === "j" || key === "k") {
    move(key === "j" ? 1 : -1);
    return true;
  }
  const question = current();
  if (!question) return false;
  if (STEPS[key]) question.querySelector(`form[data-step=${STEPS[key]}] button`).click();
  else if (key === "e") edit(question);
  else if (key === "x") question.querySelector("[name=question_id]").click();
  else if (key === "s") question.querySelector(".source").toggleAttribute("open");
  else return false;
  return true;
}

function edit(question) {
  const details = question.querySelector(".edit");
  details.open = !details.open;
  if (details.open) details.querySelector("textarea").focus();
  else question.focus();
}

function isTyping({ target }) {
  return target.closest("textarea, select, input:not([type=checkbox], [type=radio])") !== null;
}

function refuse(text) {
  part("refusal").hidden = !text;
  part("refusal").textContent = text;
}

function say(text) {
  part("said").textContent = text;
}

if (review) {
  part("keys").hidden = false;
  const all = review.querySelector("[data-choose-all]");
  all.hidden = false;
  all.addEventListener("click", () => {
    const boxes = questions().map((question) => question.querySelector("[name=question_id]"));
    const areAll = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !areAll;
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-step], #chosen")) return;
    event.preventDefault();
    submit(event.target, event.submitter);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && isTyping(event)) {
      current()?.focus();
      return;
    }
    if (!isTyping(event) && press(event.key)) event.preventDefault();
  });
}
