// Times in the reader's own zone and format; without this script they stand in UTC.

const FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

// The time of day with seconds, and the day unless it is today.
export function clock(at) {
  const moment = new Date(at);
  const isToday = moment.toDateString() === new Date().toDateString();
  return isToday ? CLOCK.format(moment) : `${DAY.format(moment)}, ${CLOCK.format(moment)}`;
}

export function timeElement(at, format = (moment) => FORMAT.format(new Date(moment))) {
  const element = document.createElement("time");
  element.dateTime = at;
  element.title = at;
  element.textContent = format(at);
  return element;
}

export function clockElement(at) {
  const element = timeElement(at, clock);
  element.dataset.clock = "";
  return element;
}

export function localTimes(root) {
  for (const element of root.querySelectorAll("time")) {
    const isClock = element.dataset.clock !== undefined;
    element.replaceWith(isClock ? clockElement(element.dateTime) : timeElement(element.dateTime));
  }
}

localTimes(document);
