// The elements of a page by the names they carry, and how they are written.

export function partsOf(...roots) {
  const found = roots.flatMap((root) => Array.from(root.querySelectorAll("[data-part]")));
  return Object.fromEntries(found.map((part) => [part.dataset.part, part]));
}

// An unchanged text is left alone: a node that stays costs nothing and keeps what is selected in it.
export function write(part, text) {
  if (part.textContent !== text) part.textContent = text;
}

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function drawing(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
