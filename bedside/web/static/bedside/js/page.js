// What every page needs: the loading bar, trouble reaching us, focus on errors, one submit per form, theme, toasts.

// Before htmx starts, which is when the document is ready.
Object.assign(window.htmx.config, {
  includeIndicatorStyles: false,
  allowEval: false,
  allowScriptTags: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  scrollIntoViewOnBoost: false,
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "(409|422|429)", swap: true },
    { code: "...", swap: false, error: true },
  ],
});

const LOADING_AFTER_MS = 300;
const TOAST_FOR_MS = 6000;
let waiting = 0;
let timer = null;
let bar = null;

// What a page fetches by itself is not announced: nobody asked and nobody waits.
const QUIET = new Set(["live", "zone", "load"]);
const quiet = (event) => QUIET.has(event.detail.requestConfig?.triggeringEvent?.type);

function started(event) {
  if (quiet(event)) return;
  waiting += 1;
  timer ??= setTimeout(() => {
    bar = document.body.appendChild(Object.assign(document.createElement("div"), { className: "loading-bar" }));
    bar.setAttribute("aria-hidden", "true");
  }, LOADING_AFTER_MS);
}

function ended(event) {
  if (quiet(event)) return;
  waiting = Math.max(0, waiting - 1);
  if (waiting) return;
  clearTimeout(timer);
  timer = null;
  bar?.remove();
  bar = null;
}

function toast(text) {
  const box = document.getElementById("toasts");
  const item = Object.assign(document.createElement("div"), { className: "toast", textContent: text });
  box.append(item);
  setTimeout(() => item.remove(), TOAST_FOR_MS);
}

function trouble(event) {
  if (!quiet(event)) toast(document.body.dataset.trouble);
}

function takeFocus(root) {
  const target = root.querySelector?.("[data-takes-focus]");
  if (!target) return;
  target.focus();
  target.removeAttribute("data-takes-focus");
}

// A second press must not send the form twice; the button stays focusable and says that it is busy.
function submitOnce(event) {
  const form = event.target.closest("form[data-once]");
  if (!form || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  const button = event.submitter;
  button?.setAttribute("aria-busy", "true");
}

// The back button brings the page as it was left, busy button and all.
function restored(event) {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
}

function chooseTheme(event) {
  const choice = event.target.closest("[data-theme-choice]");
  if (!choice) return;
  const root = document.documentElement;
  if (choice.value) root.dataset.theme = choice.value;
  else delete root.dataset.theme;
  const age = choice.value ? 31536000 : 0;
  document.cookie = `theme=${choice.value}; path=/; max-age=${age}; samesite=lax`;
}

function offline() {
  const notice = document.getElementById("offline");
  if (notice) notice.hidden = navigator.onLine;
}

document.addEventListener("htmx:beforeRequest", started);
document.addEventListener("htmx:afterRequest", ended);
document.addEventListener("htmx:sendError", trouble);
document.addEventListener("htmx:responseError", trouble);
document.addEventListener("htmx:load", (event) => takeFocus(event.detail.elt));
document.addEventListener("toast", (event) => toast(event.detail.value ?? event.detail));
document.addEventListener("submit", submitOnce);
document.addEventListener("change", chooseTheme);
window.addEventListener("pageshow", restored);
window.addEventListener("online", offline);
window.addEventListener("offline", offline);

offline();
takeFocus(document);
for (const item of document.querySelectorAll("[data-toast]")) setTimeout(() => item.remove(), TOAST_FOR_MS);
