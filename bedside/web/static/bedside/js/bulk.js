// Ticking several rows of a list that follows live: what is ticked stays ticked when the rows are drawn anew, Shift ticks
// a range, one box ticks the page, and how many there are is said. Without it the boxes and buttons work as a plain form.

const form = document.getElementById("bulk");
const page = document.getElementById("bulk-page");
const all = document.getElementById("bulk-all");
const said = form.querySelector("[data-bulk-said]");
const chosen = new Set();
let last = null;

const ticks = () => [...document.querySelectorAll("[data-bulk-tick]")];

function say() {
  const boxes = ticks();
  const count = boxes.filter((box) => box.checked).length;
  page.checked = boxes.length > 0 && count === boxes.length;
  page.indeterminate = count > 0 && count < boxes.length;
  page.disabled = all.checked;
  for (const box of boxes) box.disabled = all.checked;
  const words = all.checked ? said.dataset.all : count === 1 ? said.dataset.one : count ? said.dataset.many.replace("#", count) : "";
  if (said.textContent !== words) said.textContent = words;
}

function put(box, checked) {
  box.checked = checked;
  if (checked) chosen.add(box.value);
  else chosen.delete(box.value);
}

function pressed(event) {
  const box = event.target.closest("[data-bulk-tick]");
  if (!box) return;
  const boxes = ticks();
  const from = boxes.findIndex((one) => one.value === last);
  const to = boxes.indexOf(box);
  if (event.shiftKey && from >= 0) for (const one of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) put(one, box.checked);
  else put(box, box.checked);
  last = box.value;
  say();
}

// A row that is no longer on the page is no longer chosen: what is counted is what can be seen.
function drawn() {
  const boxes = ticks();
  const here = new Set(boxes.map((box) => box.value));
  for (const code of chosen) if (!here.has(code)) chosen.delete(code);
  for (const box of boxes) box.checked = chosen.has(box.value);
  say();
}

document.addEventListener("click", pressed);
page.addEventListener("change", () => {
  for (const box of ticks()) put(box, page.checked);
  say();
});
all.addEventListener("change", say);
document.addEventListener("htmx:load", drawn);
for (const element of form.querySelectorAll("[data-bulk-needs-script]")) element.hidden = false;
// The browser keeps what was ticked when one comes back.
window.addEventListener("pageshow", () => {
  for (const box of ticks()) put(box, box.checked);
  say();
});
