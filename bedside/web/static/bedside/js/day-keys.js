// Turning a calendar's pages by keyboard: each [data-key] link is pressed by its key, wherever the focus is, except while
// somebody types or scrolls the calendar itself.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
  if (event.target.closest?.("input, select, textarea, dialog, [contenteditable], .cal")) return;
  const link = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!link) return;
  event.preventDefault();
  link.click();
});

// The hours around now, or around the first visit, come into view; a live refresh leaves the calendar where it was.
const box = () => document.querySelector(".cal");
const wanted = box()?.querySelector(".cal__now, .cal__item");
if (wanted) box().scrollTop = Math.max(wanted.offsetTop - box().clientHeight / 3, 0);

let place = null;
document.addEventListener("htmx:beforeSwap", () => { place = box() && [box().scrollLeft, box().scrollTop, box().contains(document.activeElement) && document.activeElement.getAttribute("href")]; });
document.addEventListener("htmx:afterSwap", () => {
  if (!place || !box()) return;
  const [left, top, focused] = place;
  box().scrollTo(left, top);
  if (focused) box().querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
});
