// A part that refreshes itself keeps the reader's place: open disclosures, sideways scrolling, the focus, and what is being
// typed, each by its id. While somebody writes in it, it waits until they leave the field.

const WRITTEN = "input:not([type=checkbox], [type=radio], [type=hidden]), textarea";
let kept = null;
let waitingFor = null;

function leave(event) {
  const part = event.detail.target;
  if (!part?.hasAttribute?.("data-keeps-place")) return;
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  if (focused?.matches(WRITTEN) && event.detail.requestConfig.verb === "get") {
    event.detail.shouldSwap = false;
    if (waitingFor === focused) return;
    waitingFor = focused;
    focused.addEventListener("blur", () => {
      waitingFor = null;
      part.dispatchEvent(new CustomEvent("live"));
    }, { once: true });
    return;
  }
  kept = {
    id: part.id,
    focus: focused?.id,
    open: [...part.querySelectorAll("details[open][id]")].map((element) => element.id),
    scrolled: [...part.querySelectorAll("[id]")].filter((element) => element.scrollLeft).map((element) => [element.id, element.scrollLeft]),
    typed: [...part.querySelectorAll(WRITTEN)].filter((field) => field.id && field.value !== field.defaultValue).map((field) => [field.id, field.value]),
  };
}

function arrive() {
  if (!kept) return;
  const { id, focus, open, scrolled, typed } = kept;
  kept = null;
  const part = document.getElementById(id);
  if (!part) return;
  const find = (name) => part.querySelector(`#${CSS.escape(name)}`);
  for (const name of open) find(name)?.setAttribute("open", "");
  for (const [name, left] of scrolled) {
    const element = find(name);
    if (element) element.scrollLeft = left;
  }
  for (const [name, text] of typed) {
    const field = find(name);
    if (field) field.value = text;
  }
  if (focus && document.activeElement === document.body) find(focus)?.focus({ preventScroll: true });
}

document.addEventListener("htmx:beforeSwap", leave);
document.addEventListener("htmx:afterSwap", arrive);
