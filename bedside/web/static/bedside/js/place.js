// A part that refreshes itself keeps the reader's place: open disclosures, sideways scrolling, and the focus (by id).

let kept = null;

function leave(event) {
  const part = event.detail.target;
  if (!part?.hasAttribute?.("data-keeps-place")) return;
  const within = part.contains(document.activeElement) ? document.activeElement.id : "";
  kept = {
    id: part.id,
    focus: within,
    open: [...part.querySelectorAll("details[open][id]")].map((element) => element.id),
    scrolled: [...part.querySelectorAll("[id]")].filter((element) => element.scrollLeft).map((element) => [element.id, element.scrollLeft]),
  };
}

function arrive() {
  if (!kept) return;
  const { id, focus, open, scrolled } = kept;
  kept = null;
  const part = document.getElementById(id);
  if (!part) return;
  const find = (name) => part.querySelector(`#${CSS.escape(name)}`);
  for (const name of open) find(name)?.setAttribute("open", "");
  for (const [name, left] of scrolled) {
    const element = find(name);
    if (element) element.scrollLeft = left;
  }
  if (focus && document.activeElement === document.body) find(focus)?.focus({ preventScroll: true });
}

document.addEventListener("htmx:beforeSwap", leave);
document.addEventListener("htmx:afterSwap", arrive);
