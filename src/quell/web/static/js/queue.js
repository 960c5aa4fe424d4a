// The queue: a cursor, a selection, rows that are swapped in place and never move while somebody works.
import { command } from "./commands.js";
import { openSheet, overlayOpen } from "./sheet.js";
import { say } from "./toasts.js";

const IDLE_MS = 20000;
const PEEK_MS = 100;
const CLOCKS_MS = 60000;
const NUMBERS_MAX = 150;
const queue = document.getElementById("queue");
const waiting = new Set();
let touched = performance.now();
let peekTimer;
let anchor = null;

const list = () => document.getElementById("queue-list");
const rows = () => [...list().querySelectorAll("tr.row")];
const current = () => list().querySelector('tr.row[aria-current="true"]');
const chosen = () => rows().filter((row) => row.querySelector(".check").checked);
const ask = () => queue.dataset.ask;
const join = (path, query) => path + (ask() ? `${ask()}&` : "?") + query;

function point(row, peek = true) {
  const before = current();
  if (before && before !== row) mark(before, false);
  if (!row) return;
  mark(row, true);
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  if (peek) showPeek(row);
}

function mark(row, on) {
  if (on) row.setAttribute("aria-current", "true");
  else row.removeAttribute("aria-current");
  row.tabIndex = on ? 0 : -1;
  for (const inner of row.querySelectorAll(".check, .conf")) inner.tabIndex = on ? 0 : -1;
}

function step(by) {
  const all = rows();
  const at = all.indexOf(current());
  point(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]);
}

function showPeek(row) {
  clearTimeout(peekTimer);
  const peek = document.getElementById("peek");
  if (!peek || getComputedStyle(peek).display === "none") return;
  peekTimer = setTimeout(() => {
    htmx.ajax("GET", join(`/tickets/${row.dataset.number}/peek`, ""), { target: "#peek", swap: "innerHTML" });
  }, PEEK_MS);
}

function select(row, on) {
  row.querySelector(".check").checked = on;
  row.setAttribute("aria-selected", String(on));
  counted();
}

function counted() {
  const number = document.querySelector("[data-selected]");
  if (number) number.textContent = chosen().length;
  document.body.classList.toggle("has-bulk", chosen().length > 0);
}

function clear() {
  for (const row of chosen()) select(row, false);
}

// What a verb works on: the selection, or else the row under the cursor.
function subjects() {
  const picked = chosen();
  return picked.length ? picked : current() ? [current()] : [];
}

const numbered = (some) => some.map((row) => `ticket=${row.dataset.number}`).join("&");

function onward(some) {
  const all = rows();
  const last = all.indexOf(some[some.length - 1]);
  point(all.slice(last + 1).find((row) => !some.includes(row)) ?? all.slice(0, last).findLast((row) => !some.includes(row)));
}

async function accept() {
  const some = subjects().filter((row) => "accepts" in row.dataset);
  if (!some.length) return say("There is no proposal to accept here.");
  const numbers = some.map((row) => row.dataset.number);
  const values = { ticket: some.map((row) => `${row.dataset.number}:${row.dataset.version}`) };
  clear();
  onward(some);
  await htmx.ajax("POST", "/acceptances", { values, target: "#toasts", swap: "beforeend" });
  await refresh(numbers);
}

// Rows are asked for again by number and swapped where they stand; what is new to the view waits behind the chip.
export async function refresh(numbers) {
  const all = [...new Set(numbers.map(String))];
  for (let at = 0; at < all.length; at += NUMBERS_MAX) await refreshSome(all.slice(at, at + NUMBERS_MAX));
}

async function refreshSome(numbers) {
  const shown = numbers.filter((number) => document.getElementById(`t-${number}`));
  const other = numbers.filter((number) => !document.getElementById(`t-${number}`));
  const answer = await fetch(join("/queue/rows", `shown=${shown}&other=${other}`), { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  const made = document.createElement("template");
  made.innerHTML = await answer.text();
  for (const row of made.content.querySelectorAll("tr.row")) swap(row);
  for (const number of (answer.headers.get("x-new") || "").split(",")) if (number) waiting.add(number);
  if (waiting.size && list().querySelector("[data-empty]")) return letIn();
  chip();
}

function swap(made) {
  const old = document.getElementById(made.id);
  if (!old) return;
  const focused = old.contains(document.activeElement);
  const here = old.getAttribute("aria-current") === "true";
  const checked = old.querySelector(".check").checked;
  old.replaceWith(made);
  made.querySelector(".check").checked = checked;
  made.setAttribute("aria-selected", String(checked));
  if (here) {
    mark(made, true);
    showPeek(made);
  }
  if (focused && !overlayOpen()) made.focus({ preventScroll: true });
}

function chip() {
  const button = document.getElementById("new-rows");
  button.hidden = !waiting.size;
  button.querySelector("[data-count]").textContent = `${waiting.size} new, show`;
}

async function letIn() {
  const here = current()?.dataset.number;
  const picked = new Set(chosen().map((row) => row.dataset.number));
  waiting.clear();
  await htmx.ajax("GET", join("/queue", ""), { target: "#queue-list", swap: "outerHTML" });
  for (const row of rows()) if (picked.has(row.dataset.number)) select(row, true);
  const row = here && document.getElementById(`t-${here}`);
  for (const each of rows()) if (each !== row && row) mark(each, false);
  if (row) point(row, false);
  counted();
  chip();
}

async function why(button) {
  const row = button?.closest("tr.row") ?? current();
  const near = button ?? row?.querySelector(".conf") ?? row;
  if (!row && !button) return;
  const number = button?.dataset.why ?? row.dataset.number;
  const pop = document.getElementById("why");
  await htmx.ajax("GET", `/tickets/${number}/why`, { target: "#why", swap: "innerHTML" });
  if (pop.firstElementChild && !pop.matches(":popover-open")) pop.showPopover({ source: near });
}

if (queue) {
  command("j", () => step(1));
  command("k", () => step(-1));
  command("ArrowDown", () => step(1));
  command("ArrowUp", () => step(-1));
  command("Enter", () => current()?.querySelector(".title").click());
  command("x", () => { const row = current(); if (row) { select(row, !row.querySelector(".check").checked); anchor = row; } });
  command("X", range);
  command("Escape", clear);
  command(".", letIn);
  command("w", () => why());
  command("r", () => { const row = current(); if (row) location.assign(`/tickets/${row.dataset.number}${ask()}#write`); });
  if (document.querySelector(".bulk")) {
    command("a", accept);
    for (const [key, focus] of [["e", "category"], ["o", "owner"], ["p", "priority"]]) {
      command(key, () => subjects().length && openSheet(`/corrections/form?focus=${focus}&${numbered(subjects())}`));
    }
    command("m", () => subjects().length && openSheet(`/joins/targets?${numbered(subjects())}`));
    command("s", () => subjects().length && openSheet(`/closures/form?${numbered(subjects())}`));
  }
  document.getElementById("new-rows").addEventListener("click", letIn);
  queue.addEventListener("click", (event) => {
    const row = event.target.closest("tr.row");
    if (!row) return;
    if (event.target.matches(".check")) select(row, event.target.checked);
    else if (event.target.closest("a, button")) point(row, false);
    else point(row);
  });
  queue.addEventListener("dblclick", (event) => event.target.closest("tr.row")?.querySelector(".title").click());
  document.addEventListener("quell:tickets", (event) => refresh(event.detail));
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const changes = event.detail.elt.closest?.("[data-changes]")?.dataset.changes;
    const into = event.detail.requestConfig?.parameters?.into;
    if (changes && event.detail.successful) {
      const numbers = changes.trim().split(" ");
      const some = numbers.map((number) => document.getElementById(`t-${number}`)).filter(Boolean);
      if (some.length) { clear(); onward(some); }
      refresh(into ? [...numbers, into] : numbers);
    }
  });
  // Clocks run on while nothing happens.
  setInterval(() => { if (!document.hidden) refresh(rows().map((row) => row.dataset.number)); }, CLOCKS_MS);
  for (const name of ["keydown", "pointerdown", "pointermove"]) addEventListener(name, () => { touched = performance.now(); }, { passive: true });
  setInterval(() => {
    const still = performance.now() - touched > IDLE_MS && !chosen().length && !overlayOpen();
    if (waiting.size && still) letIn();
  }, 1000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-why]");
  if (button) why(button);
});

function range() {
  const all = rows();
  const here = current();
  if (!here) return;
  const from = anchor && all.includes(anchor) ? all.indexOf(anchor) : all.indexOf(here);
  const to = all.indexOf(here);
  for (const row of all.slice(Math.min(from, to), Math.max(from, to) + 1)) select(row, true);
}
