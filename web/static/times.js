// Times in the reader's own zone and format; without this script they stand in UTC.

const FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function timeElement(at) {
  const element = document.createElement("time");
  element.dateTime = at;
  element.title = at;
  element.textContent = FORMAT.format(new Date(at));
  return element;
}

export function localTimes(root) {
  for (const element of root.querySelectorAll("time")) element.replaceWith(timeElement(element.dateTime));
}

localTimes(document);
