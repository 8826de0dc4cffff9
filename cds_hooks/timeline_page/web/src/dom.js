// Elements built from text: no string of the record is ever parsed as markup.
const SVG = "http://www.w3.org/2000/svg";

export const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
export const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

function fill(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key, value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// A text whose dates do not break at their hyphens.
export const whole = (text) => String(text).split(/(\d{4}-\d\d-\d\d)/).map((part, place) => (place % 2 ? el("span", { class: "day" }, part) : part));

let last = 0;
export const fresh = (prefix) => `${prefix}-${++last}`;

// A table in a box of its own, which scrolls sideways and is reached by keyboard.
export function table(caption, heads, rows) {
  const head = el("tr", {}, heads.map((text) => el("th", { scope: "col" }, text)));
  const body = rows.map(([first, ...rest]) =>
    el("tr", {}, el("th", { scope: "row" }, first), rest.map((cell) => el("td", {}, cell))));
  return el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": caption },
    el("table", { class: "plain" }, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, body)));
}

export const folded = (title, ...children) => el("details", {}, el("summary", {}, title), children);
