// A live page that changes under somebody's hands keeps what is in them: focus, opened details, and above all what is being
// typed. A part in which somebody is writing is not swapped; a notice says that it changed, and "Show" brings what is new with
// what was typed put back into it.

const FIELDS = "input:not([type=hidden], [type=submit], [type=button]), textarea, select";
const WRITTEN = "input:not([type=hidden], [type=checkbox], [type=radio], [type=submit], [type=button]), textarea, select, [contenteditable]";
const shown = new WeakMap();
const asked = new WeakSet();

const isLive = (event) => event.detail.requestConfig?.triggeringEvent?.type === "live";
const words = (element) => element.textContent.replace(/\s+/g, " ").trim();

function dirty(field) {
  if (field.matches("select")) {
    const options = [...field.options];
    const usual = options.some((one) => one.defaultSelected) ? (one) => one.defaultSelected : (one) => one.index === 0 && !field.multiple;
    return options.some((one) => one.selected !== usual(one));
  }
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  return field.value !== field.defaultValue;
}

// Somebody writes there, chose something, has a dialog open, or is sending a form.
function busy(element) {
  const focused = document.activeElement;
  if (focused !== element && element.contains(focused) && focused.matches(WRITTEN)) return true;
  if (element.querySelector("dialog[open], form[data-sent]")) return true;
  return [...element.querySelectorAll(FIELDS)].some(dirty);
}

const noticeOf = (element) => (element.previousElementSibling?.matches(".changed-notice") ? element.previousElementSibling : null);

function tell(element) {
  if (noticeOf(element)) return;
  const notice = document.getElementById("changed-notice").content.firstElementChild.cloneNode(true);
  element.before(notice);
  notice.querySelector("[data-show-changed]").addEventListener("click", () => {
    asked.add(element);
    element.dispatchEvent(new CustomEvent("live"));
  });
}

// How an element is found again in what comes after: by id, else by name and value, else by where it leads.
function mark(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const tag = element.localName;
  if (element.name) return `${tag}[name="${CSS.escape(element.name)}"]${element.matches("[type=checkbox], [type=radio], button") ? `[value="${CSS.escape(element.value)}"]` : ""}`;
  if (element.getAttribute("href")) return `${tag}[href="${CSS.escape(element.getAttribute("href"))}"]`;
  return element.localName === "summary" ? `${tag}.${[...element.classList].map(CSS.escape).join(".")}` : "";
}

const find = (root, said) => (said && (root.matches(said) ? root : root.querySelector(said))) || null;

function remember(element) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const opened = [...element.querySelectorAll("details")].map((one) => one.open);
  const typed = [...element.querySelectorAll(FIELDS)].filter((field) => field.type !== "file" && dirty(field)).map((field) => ({
    said: mark(field),
    value: field.value,
    checked: field.checked,
  }));
  return { focused: focused && mark(focused), start: focused?.selectionStart, end: focused?.selectionEnd, opened, typed };
}

function putBack(element, kept) {
  for (const one of kept.typed) {
    const field = find(element, one.said);
    if (!field) continue;
    if (field.matches("[type=checkbox], [type=radio]")) field.checked = one.checked;
    else field.value = one.value;
  }
  const details = [...element.querySelectorAll("details")];
  if (details.length === kept.opened.length) details.forEach((one, at) => { one.open = kept.opened[at] || one.open; });
  const field = find(element, kept.focused);
  if (!field || document.activeElement === field) return;
  field.focus({ preventScroll: true });
  if (typeof kept.start === "number") try { field.setSelectionRange(kept.start, kept.end); } catch { /* No text in it. */ }
}

function before(event) {
  if (!isLive(event)) return;
  const element = event.detail.target;
  if (!asked.has(element) && busy(element)) {
    event.detail.shouldSwap = false;
    const fresh = new DOMParser().parseFromString(event.detail.serverResponse, "text/html").body;
    const was = shown.get(element) ?? words(element);
    if (words(fresh) !== was) tell(element);
    return;
  }
  const kept = remember(element);
  const notice = noticeOf(element);
  const hadFocus = notice?.contains(document.activeElement);
  const parent = element.parentElement;
  const id = element.id;
  document.addEventListener("htmx:afterSwap", () => {
    notice?.remove();
    const next = id ? document.getElementById(id) : parent;
    if (!next) return;
    shown.set(next, words(next));
    putBack(next, kept);
    if (hadFocus && document.activeElement === document.body) (next.querySelector(FIELDS) ?? next).focus?.();
  }, { once: true });
}

// What the page said when it came, before anybody touched it.
for (const element of document.querySelectorAll("[data-live]")) shown.set(element, words(element));
document.addEventListener("htmx:beforeSwap", before);
