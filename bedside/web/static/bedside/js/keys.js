// The desk's keys: "g a" and the like (each is a link [data-keys]), "/" to [data-shortcut], "j" and "k" through a list's links,
// "?" for all of them. None while somebody types, chooses, or has a dialog open; single keys can be switched off.

const STORE = "bedside.keys";
const SEQUENCE_MS = 1500;
const ROWS = "main [data-row], main .table__main a";
const TYPING = "input, select, textarea, [contenteditable]:not([contenteditable=false])";
let first = "";
let timer = null;

function stored() {
  try {
    return localStorage.getItem(STORE) !== "off";
  } catch {
    return true; // A browser that keeps nothing: the keys work.
  }
}

function store(on) {
  try {
    localStorage.setItem(STORE, on ? "on" : "off");
  } catch {
    // Then it holds for this page.
  }
}

let active = stored();

function forget() {
  clearTimeout(timer);
  first = "";
}

function row(step) {
  const rows = [...document.querySelectorAll(ROWS)].filter((link) => link.getClientRects().length);
  if (!rows.length) return false;
  const at = rows.findIndex((link) => link === document.activeElement || link.closest("tr, li")?.contains(document.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[next].focus();
  rows[next].scrollIntoView({ block: "nearest" });
  return true;
}

function follow(typed) {
  const link = [...document.querySelectorAll("[data-keys]")].find((one) => one.dataset.keys === typed);
  if (link) window.location.assign(link.href);
  return Boolean(link);
}

function help() {
  const dialog = document.getElementById("shortcuts");
  dialog?.showModal();
  return Boolean(dialog);
}

function focusShortcut(key) {
  const target = [...document.querySelectorAll("[data-shortcut]")].find((element) => element.dataset.shortcut === key);
  target?.focus();
  target?.select?.();
  return Boolean(target);
}

function act(key) {
  if (first) {
    const typed = `${first} ${key}`;
    forget();
    return follow(typed);
  }
  if (key === "j" || key === "k") return row(key === "j" ? 1 : -1);
  if (key === "?") return help();
  if (document.querySelector(`[data-keys^="${CSS.escape(key)} "]`)) {
    first = key;
    timer = setTimeout(forget, SEQUENCE_MS);
    return true;
  }
  return focusShortcut(key) || follow(key);
}

function pressed(event) {
  if (!active || event.defaultPrevented || event.isComposing || event.repeat && event.key !== "j" && event.key !== "k") return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
  if (event.target.closest(TYPING) || document.querySelector("dialog[open]")) return forget();
  if (act(event.key)) event.preventDefault();
}

function offered() {
  const box = document.getElementById("shortcuts-on");
  if (!box) return;
  box.closest("label").hidden = false;
  box.checked = active;
  box.addEventListener("change", () => {
    active = box.checked;
    store(active);
  });
}

document.addEventListener("keydown", pressed);
document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) window.print(); });
offered();
