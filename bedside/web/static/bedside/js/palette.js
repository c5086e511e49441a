// The command palette: Ctrl-K or Cmd-K, or a press on [data-palette]. A combobox over a list that the server makes; the same
// list is a page of its own at data-url. What is typed goes to the server after a breath, and only the last answer counts.

const BREATH_MS = 120;
const dialog = document.getElementById("palette");
const input = document.getElementById("palette-input");
const list = document.getElementById("palette-list");
const says = document.getElementById("palette-says");
let timer = null;
let asking = null;
let shown = null;
let entered = false;

const options = () => [...list.querySelectorAll('[role="option"]')];
const current = () => list.querySelector('[aria-selected="true"]');

function choose(option) {
  current()?.setAttribute("aria-selected", "false");
  input.removeAttribute("aria-activedescendant");
  if (!option) return;
  option.setAttribute("aria-selected", "true");
  input.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function show(html, text) {
  list.innerHTML = html;
  options().forEach((option, at) => { option.id = `palette-option-${at}`; });
  shown = text;
  const count = options().length;
  input.setAttribute("aria-expanded", String(count > 0));
  says.textContent = count ? `${count} ${dialog.dataset.some}` : dialog.dataset.none;
  choose(options()[0]);
  if (entered) open();
}

async function ask() {
  clearTimeout(timer);
  const text = input.value.trim();
  asking?.abort();
  asking = new AbortController();
  const mine = asking;
  try {
    const answer = await fetch(`${dialog.dataset.url}?q=${encodeURIComponent(text)}`, { headers: { "X-Palette": "1" }, signal: mine.signal });
    if (answer.redirected) return window.location.reload(); // Signed out meanwhile.
    if (!answer.ok) throw new Error(answer.statusText);
    const html = await answer.text();
    if (mine === asking) show(html, text);
  } catch (error) {
    if (error.name === "AbortError") return;
    entered = false;
    says.textContent = dialog.dataset.trouble;
    list.replaceChildren(Object.assign(document.createElement("p"), { className: "palette__none", textContent: dialog.dataset.trouble }));
  }
}

function typed() {
  entered = false;
  clearTimeout(timer);
  timer = setTimeout(ask, BREATH_MS);
}

// Enter before the answer is there: what comes first in it is meant.
function open() {
  if (shown !== input.value.trim()) {
    entered = true;
    ask();
    return;
  }
  entered = false;
  current()?.click();
}

function start() {
  if (dialog.open) return input.select();
  input.value = "";
  shown = null;
  dialog.showModal();
  input.focus();
  ask();
}

function move(event) {
  const all = options();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + 8, all.length - 1), PageUp: Math.max(at - 8, 0) }[event.key];
  event.preventDefault();
  choose(all[(next + all.length) % all.length]);
}

function keys(event) {
  if (event.isComposing) return;
  if (["ArrowDown", "ArrowUp", "PageDown", "PageUp"].includes(event.key)) move(event);
  if (event.key === "Enter") {
    event.preventDefault();
    open();
  }
}

function called(event) {
  if (event.key?.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, [contenteditable]") && event.target !== input) return;
  if (document.querySelector("dialog[open]:not(#palette)")) return;
  event.preventDefault();
  start();
}

function pressed(event) {
  if (!event.target.closest("[data-palette]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  start();
}

if (dialog) {
  document.addEventListener("keydown", called);
  document.addEventListener("click", pressed);
  input.addEventListener("input", typed);
  input.addEventListener("keydown", keys);
  list.addEventListener("mousemove", (event) => { const option = event.target.closest('[role="option"]'); if (option) choose(option); });
  dialog.addEventListener("close", () => { asking?.abort(); clearTimeout(timer); entered = false; input.setAttribute("aria-expanded", "false"); });
  // A link to where one already is, or one that opens elsewhere, must not leave the palette standing there.
  list.addEventListener("click", (event) => { if (!(event.ctrlKey || event.metaKey || event.shiftKey)) setTimeout(() => dialog.close()); });
  window.addEventListener("pageshow", (event) => { if (event.persisted && dialog.open) dialog.close(); });
}
