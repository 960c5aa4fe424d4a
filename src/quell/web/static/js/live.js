// The live log: says which tickets and devices changed. A hidden page lets go of its stream and catches up later.
const HIDDEN_MS = 30000;
const GATHER_MS = 120;
const RETRY_MS_MAX = 20000;
const position = document.body.dataset.position;
const names = ["tickets", "devices"];
const gathered = { tickets: new Set(), devices: new Set() };
let last = position;
let source = null;
let retry = 1000;
let hidden;
let timer;
let trouble;

function flush() {
  timer = null;
  for (const name of names) {
    if (!gathered[name].size) continue;
    const numbers = [...gathered[name]];
    gathered[name].clear();
    document.dispatchEvent(new CustomEvent(`quell:${name}`, { detail: numbers }));
  }
}

function heard(name, event) {
  last = event.lastEventId || last;
  for (const number of JSON.parse(event.data)) gathered[name].add(number);
  timer ??= setTimeout(flush, GATHER_MS);
}

function offline(yes) {
  clearTimeout(trouble);
  const banner = document.getElementById("offline");
  if (!yes) return banner?.remove();
  const since = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  trouble = setTimeout(() => {
    if (document.getElementById("offline")) return;
    const made = document.createElement("div");
    made.id = "offline";
    made.className = "banner";
    made.setAttribute("role", "status");
    made.innerHTML = "<p><b>No connection.</b> <span></span></p>";
    made.querySelector("span").textContent = `What you see is from ${since}. It goes on by itself when the line is back.`;
    document.querySelector(".bar")?.after(made);
  }, 4000);
}

function open() {
  if (source) return;
  source = new EventSource(`/events?after=${encodeURIComponent(last)}`);
  for (const name of names) source.addEventListener(name, (event) => heard(name, event));
  source.addEventListener("open", () => {
    retry = 1000;
    document.documentElement.dataset.live = "on";
    offline(false);
  });
  source.addEventListener("error", () => {
    delete document.documentElement.dataset.live;
    offline(true);
    if (source?.readyState !== EventSource.CLOSED) return;
    close();
    setTimeout(open, retry);
    retry = Math.min(retry * 2, RETRY_MS_MAX);
  });
}

function close() {
  source?.close();
  source = null;
}

if (position) {
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(close, HIDDEN_MS);
    else open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  open();
}
