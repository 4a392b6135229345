// Making elements, and the words of the page.

export const texts = JSON.parse(document.getElementById("texts").textContent);

// A text by its name, with what stands in {braces} filled in.
export function say(name, values = {}) {
  return (texts[name] || name).replace(/\{(\w+)\}/g, (_whole, key) => values[key] ?? "");
}

// h("button", { class: "secondary", onclick: f }, "Text", child, ...)
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked" || key === "hidden" || key === "disabled") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...there(children));
  return element;
}

// What is to be shown: lists opened, and without what is empty.
const there = (children) => children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== "");

// Puts children in place of those that an element has.
export function fill(element, ...children) {
  element.replaceChildren(...there(children));
}

export const badge = (text, tone = "neutral") => h("span", { class: `badge badge-${tone}` }, text);

export function ago(moment, language) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(moment));
}

export function bytes(count, language) {
  const mega = count / 1048576;
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: mega < 10 ? 1 : 0 }).format(mega)} MB`;
}

// One message to whoever listens to the page rather than looks at it.
export function announce(text) {
  const place = document.getElementById("kabar");
  place.textContent = "";
  place.textContent = text;
}
