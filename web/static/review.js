// The review page without reloads: what a form sends is sent, then what it changed is read again from the same page.

const STEPS = { a: "approve", r: "reject", g: "regenerate" };
const ENDINGS = ["completed", "partial", "failed", "cancelled"];
const SAID = { approve: "Approved", reject: "Rejected", edit: "Saved", regenerate: "Being made again" };

const review = document.querySelector(".review");
const list = document.querySelector("[data-part=questions]");
const part = (name) => review.querySelector(`[data-part=${name}]`);

const questions = () => Array.from(list.querySelectorAll("[data-question-id]"));
const current = () => document.activeElement?.closest("[data-question-id]") ?? null;

async function submit(form, submitter) {
  const question = form.closest("[data-question-id]");
  refuse("");
  if (question) question.dataset.busy = "true";
  const answer = await post(form, submitter);
  if (question) question.dataset.busy = "false";
  if (!answer) return;
  const step = form.dataset.step;
  if (step === "regenerate") await untilEnded(answer.links.events, question);
  await readAgain(question);
  say(SAID[step] ?? "Done");
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
function untilEnded(address, question) {
  question.dataset.busy = "true";
  say(SAID.regenerate);
  return new Promise((done) => {
    const source = new EventSource(address);
    const end = () => {
      source.close();
      done();
    };
    for (const ending of ENDINGS) source.addEventListener(`generation.${ending}`, end);
    source.addEventListener("snapshot", (event) => ENDINGS.includes(JSON.parse(event.data).status) && end());
    source.addEventListener("error", () => source.readyState === EventSource.CLOSED && end());
  });
}

async function readAgain(question) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) {
    refuse("The page could not be read again. Please reload it.");
    return;
  }
  const read = new DOMParser().parseFromString(await answer.text(), "text/html");
  const place = questions().indexOf(question);
  list.replaceChildren(...read.querySelector("[data-part=questions]").childNodes);
  const fresh = read.querySelector(".review");
  if (fresh) {
    part("reviewed").textContent = fresh.querySelector("[data-part=reviewed]").textContent;
    review.querySelector("progress").value = fresh.querySelector("progress").value;
    part("shown").textContent = fresh.querySelector("[data-part=shown]").textContent;
  }
  if (question) focus(document.getElementById(question.id) ?? questions()[Math.min(place, questions().length - 1)]);
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
