// <span role="timer" data-until="ISO" data-now="ISO">: time left, by the server's clock (the sandbox's can be moved).
// When it runs out, the nearest [data-live] element is told to fetch its new state.

const language = document.documentElement.lang || "en";
const units = new Map();

function amount(value, unit) {
  if (!units.has(unit)) units.set(unit, new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }));
  return units.get(unit).format(value);
}

function leftInWords(seconds) {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days) return hours ? `${amount(days, "day")} ${amount(hours, "hour")}` : amount(days, "day");
  if (hours) return minutes ? `${amount(hours, "hour")} ${amount(minutes, "minute")}` : amount(hours, "hour");
  return `${minutes}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

function tick() {
  for (const element of document.querySelectorAll("[data-until]")) {
    element.ahead ??= Date.parse(element.dataset.now) - Date.now();
    const left = Math.ceil((Date.parse(element.dataset.until) - Date.now() - element.ahead) / 1000);
    element.textContent = leftInWords(Math.max(0, left));
    if (left <= 0 && !element.done) {
      element.done = true;
      element.closest("[data-live]")?.dispatchEvent(new CustomEvent("live"));
    }
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener("htmx:load", tick);
