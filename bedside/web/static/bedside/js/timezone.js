// Tells the server the person's time zone by a cookie, and asks pages that were drawn in another zone to draw again.
// A zone that the person chose (cookie tz_choice) is never overruled.

function cookie(name) {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && cookie("tz") !== zone) {
  document.cookie = `tz=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;
}

// htmx is a deferred script before this module, so it is there; DOMContentLoaded is when it reads the triggers.
document.addEventListener("DOMContentLoaded", () => {
  const drawn = document.querySelector("[data-zone]")?.dataset.zone;
  if (zone && drawn && drawn !== zone && !cookie("tz_choice")) {
    requestAnimationFrame(() => document.body.dispatchEvent(new CustomEvent("zone")));
  }
});
