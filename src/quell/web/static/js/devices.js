// The device pages are fetched anew when a device has spoken, unless somebody is typing there.
const WAIT_MS = 1500;
const page = document.querySelector('[data-page="devices"], [data-page="device"]');
let timer;

function again() {
  timer = null;
  if (document.activeElement?.matches("input, select, textarea")) return;
  htmx.ajax("GET", location.href, { target: "#main", select: "#main", swap: "outerHTML" });
}

if (page) document.addEventListener("quell:devices", () => { timer ??= setTimeout(again, WAIT_MS); });
