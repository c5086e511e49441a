// The month as one Tab stop with arrow keys, and a kind word when a time on the screen is taken.

const days = () => [...document.querySelectorAll("#calendar td a")].filter((day) => day.offsetParent);

function roving() {
  const grid = document.querySelector("#calendar table");
  if (!grid) return;
  grid.setAttribute("role", "grid");
  const all = [...grid.querySelectorAll("td a")];
  for (const day of all) day.setAttribute("aria-label", inFull(day));
  const current = all.find((day) => day === document.activeElement) ?? all.find((day) => day.hasAttribute("aria-current")) ?? days()[0];
  for (const day of all) day.tabIndex = day === current ? 0 : -1;
}

let turned = false;

// Whoever hears the page hears the whole date.
function inFull(day) {
  const date = new Date(`${new URLSearchParams(day.search).get("day")}T12:00Z`);
  return new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "long", month: "long", day: "numeric", timeZone: "UTC" }).format(date);
}

function weekday(day) {
  return day.closest("td").cellIndex;
}

function stepTo(from, key) {
  const all = days();
  const at = all.indexOf(from);
  if (key === "ArrowRight") return all[at + 1];
  if (key === "ArrowLeft") return all[at - 1];
  if (key === "ArrowDown") return all.slice(at + 1).find((day) => weekday(day) === weekday(from)) ?? all[at + 1];
  if (key === "ArrowUp") return all.slice(0, at).reverse().find((day) => weekday(day) === weekday(from)) ?? all[at - 1];
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  return undefined;
}

function moved(event) {
  const from = event.target.closest?.("#calendar td a");
  if (!from) return;
  const turn = { PageDown: "next", PageUp: "prev" }[event.key];
  if (turn) {
    event.preventDefault();
    const link = document.querySelector(`#calendar [data-month="${turn}"]`);
    turned = Boolean(link);
    link?.click();
    return;
  }
  const to = stepTo(from, event.key);
  if (!to) return;
  event.preventDefault();
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}

// What the reader last saw, from settling to settling: refreshes may overlap.
let seen = shown();

function shown() {
  const list = document.querySelector("[data-times-of]");
  const times = new Map([...document.querySelectorAll("#times button")].map((time) => [time.value, time.textContent]));
  return { page: location.href, zone: list?.dataset.zone, times };
}

function compare(before, now) {
  // The address tells a choice from a refresh: a day whose last time is taken gives way to the next by itself.
  if (before.page !== now.page || before.zone !== now.zone) return;
  const gone = [...before.times].filter(([start]) => !now.times.has(start)).map(([, time]) => time);
  const notice = document.getElementById("taken");
  if (!gone.length || !notice) return;
  const words = new Intl.ListFormat(document.documentElement.lang, { type: "conjunction" }).format(gone);
  const holding = new Set([...document.querySelectorAll("[data-held]")].flatMap((one) => one.dataset.held.split("|")));
  const held = document.querySelector("[data-held-words]");
  const said = held && gone.every((time) => holding.has(time)) ? held.dataset.heldWords : notice.dataset.words;
  notice.querySelector("[data-taken]").textContent = said.replace("{times}", words);
  notice.hidden = false;
}

document.addEventListener("keydown", moved);
document.addEventListener("htmx:afterSettle", () => {
  roving();
  const now = shown();
  compare(seen, now);
  seen = now;
  if (turned && document.activeElement === document.body) document.querySelector("#calendar [tabindex='0']")?.focus();
  turned = false;
});
roving();
document.querySelector(".who [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
