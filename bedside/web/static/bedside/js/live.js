// Live pages: follows the server's events and tells each [data-live] element to fetch its own new state ("live" event;
// pair it with hx-trigger="live"). data-live names the events that matter to it, or is empty for all of them.
// Server-sent events where they work, polling where they don't.

const ticket = document.body.dataset.liveTicket;
// Where events stood before this page was drawn: the stream first tells what came since.
const since = document.body.dataset.liveSince ?? "";
const POLL_MS = 3000;
const GREETING_MS = 5000;
const RETRY_STREAM_MS = 60000;
const SETTLE_MS = 250;
const GAP_MS = 1000;
let after = "";
let stream = null;
let polling = null;
let pending = null;
let told = -2 * GAP_MS;
const names = new Set();

function tell() {
  const concerned = [...document.querySelectorAll("[data-live]")].filter((element) => {
    const wanted = element.dataset.live.split(" ").filter(Boolean);
    return !wanted.length || names.has("*") || wanted.some((name) => names.has(name));
  });
  // An answer on its way may be older than the event, and htmx drops a second request: wait for it, then ask.
  if (concerned.some((element) => element.classList.contains("htmx-request"))) {
    pending = setTimeout(tell, SETTLE_MS);
    return;
  }
  pending = null;
  told = performance.now();
  names.clear();
  for (const element of concerned) element.dispatchEvent(new CustomEvent("live"));
}

// Several events often belong to one change: wait a breath and fetch once; while many come, about once a second. "About":
// pages that were all told at the same moment would else go on asking at the same moment.
function heard(name) {
  names.add(name);
  pending ??= setTimeout(tell, Math.max(SETTLE_MS, told + GAP_MS * (0.8 + 0.3 * Math.random()) - performance.now()));
}

async function poll() {
  try {
    const answer = await fetch(`/live/poll?ticket=${encodeURIComponent(ticket)}&after=${after}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) {
      heard("*"); // The ticket ran out: fetching still works, only without being told when.
      return;
    }
    const body = await answer.json();
    after = body.cursor;
    for (const event of body.events) heard(event.name);
  } catch {
    // Offline: page.js says so, and the next round tries again.
  }
}

function startPolling() {
  if (polling) return;
  polling = setInterval(poll, POLL_MS);
  // Between the stream's end and the first answer, which says where to go on from, something may have happened.
  poll().then(() => heard("*"));
}

function stopPolling() {
  clearInterval(polling);
  polling = null;
}

function listen() {
  stream?.close();
  stream = new EventSource(`/live/stream?ticket=${encodeURIComponent(ticket)}&since=${encodeURIComponent(since)}`);
  // A network that opens the stream and holds back what comes through it is as good as none: the greeting has to arrive.
  const greeting = setTimeout(startPolling, GREETING_MS);
  stream.addEventListener("hello", () => {
    clearTimeout(greeting);
    if (polling) heard("*");
    stopPolling();
  });
  stream.addEventListener("change", (event) => heard(JSON.parse(event.data).name));
  stream.addEventListener("refresh", () => heard("*")); // Something may have been missed: everyone looks again.
  stream.onerror = () => {
    clearTimeout(greeting);
    startPolling();
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_STREAM_MS);
  };
}

// What a page fetches since it was told may be drawn once for all who were told (web.live.shared): that is why SETTLE_MS has
// to be longer than its SHARE_SECONDS.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.triggeringEvent?.type === "live") event.detail.headers["X-Live"] = "1";
});

// What changes by the clock alone: [data-live-each] says after how many seconds its part is fetched anew.
for (const element of document.querySelectorAll("[data-live-each]")) {
  const { id } = element;
  setInterval(() => {
    if (document.visibilityState === "visible") document.getElementById(id)?.dispatchEvent(new CustomEvent("live"));
  }, Number(element.dataset.liveEach) * 1000);
}

if (ticket) {
  window.addEventListener("pagehide", () => stream.close());
  window.addEventListener("online", () => heard("*"));
  window.addEventListener("pageshow", (event) => { if (event.persisted) { heard("*"); listen(); } });
  listen();
}
