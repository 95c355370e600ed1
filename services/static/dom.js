/** Small helpers. Everything from outside becomes text nodes and attributes, never markup. */
const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

export function h(name, attributes = {}, ...children) {
  return build(document.createElement(name), attributes, children);
}

export function s(name, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, name), attributes, children);
}

/** Changes a text only when it differs, so that a screen reader's place and a selection survive. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** An empty place that says what to do. */
export function empty(element, title, how, code = "") {
  element.replaceChildren(h("b", {}, title), h("span", {}, how), code ? h("code", {}, code) : "");
  element.hidden = false;
}
