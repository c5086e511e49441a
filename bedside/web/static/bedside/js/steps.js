// Counts a step of booking once a visit: how many get how far, never who.
const step = document.querySelector("[data-step]")?.dataset.step;
try {
  if (step && !sessionStorage.getItem(step)) {
    sessionStorage.setItem(step, "1");
    navigator.sendBeacon("/steps", step);
  }
} catch {
  // A browser that keeps nothing isn't counted.
}
