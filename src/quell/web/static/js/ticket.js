// One ticket: its parts come again when the log says so; what somebody opened, chose or is typing stays.
import { command } from "./commands.js";
import { openSheet } from "./sheet.js";
import { say } from "./toasts.js";

const WAIT_MS = 150;
const CLOCKS_MS = 60000;
const page = document.querySelector('[data-page="ticket"]');
const number = page?.dataset.number;
const opened = new Map();
const chosen = { source: "", much: "", many: false };
let timer;

const head = () => document.getElementById("p-head");
const subject = () => `ticket=${number}`;

function again() {
  timer ??= setTimeout(async () => {
    timer = null;
    const report = document.getElementById("p-talk")?.dataset.report;
    await htmx.ajax("GET", `/tickets/${number}/parts`, { swap: "none", target: "#ticket" });
    if (report) htmx.ajax("GET", `/tickets/${number}/talk?report=${report}`, { target: "#p-talk", swap: "outerHTML" });
  }, WAIT_MS);
}

function apply() {
  const list = document.getElementById("report-list");
  for (const item of list?.children ?? []) {
    if (item.dataset.source !== undefined) item.hidden = Boolean(chosen.source) && item.dataset.source !== chosen.source;
  }
  list?.classList.toggle("all", chosen.many || Boolean(chosen.source));
  press("[data-filter] [data-show]", "show", chosen.source);
  document.getElementById("timeline")?.classList.toggle("all", chosen.much === "all");
  press("[data-much] [data-much-set]", "muchSet", chosen.much);
  for (const [id, open] of opened) {
    const details = document.getElementById(id);
    if (details) details.open = open;
  }
}

function press(selector, key, value) {
  for (const button of document.querySelectorAll(selector)) button.setAttribute("aria-pressed", String(button.dataset[key] === value));
}

async function accept() {
  if (!("accepts" in head().dataset)) return say("There is no proposal to accept here.");
  const values = { ticket: `${number}:${head().dataset.version}` };
  await htmx.ajax("POST", "/acceptances", { values, target: "#toasts", swap: "beforeend" });
  again();
}

if (page) {
  const work = Boolean(document.getElementById("composer"));
  command("j", () => page.dataset.following && location.assign(page.dataset.following));
  command("k", () => page.dataset.previous && location.assign(page.dataset.previous));
  command("Escape", () => location.assign(page.dataset.back));
  command("w", () => document.getElementById("a-prop").scrollIntoView({ block: "center" }));
  if (work) {
    command("a", accept);
    command("r", () => document.getElementById("write").focus());
    command("m", () => openSheet(`/joins/targets?${subject()}`));
    command("s", () => openSheet(`/closures/form?${subject()}`));
    for (const [key, focus] of [["e", "category"], ["o", "owner"], ["p", "priority"]]) {
      command(key, () => openSheet(`/corrections/form?focus=${focus}&${subject()}`));
    }
  }
  document.addEventListener("quell:tickets", (event) => { if (event.detail.includes(Number(number))) again(); });
  document.addEventListener("toggle", (event) => { if (event.target.id && event.target.matches?.("details")) opened.set(event.target.id, event.target.open); }, true);
  document.addEventListener("click", (event) => {
    const show = event.target.closest("[data-show]");
    const much = event.target.closest("[data-much-set]");
    if (show) chosen.source = show.dataset.show;
    else if (much) chosen.much = much.dataset.muchSet;
    else if (event.target.closest("[data-show-many]")) chosen.many = true;
    else return;
    apply();
  });
  document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
    const field = document.activeElement?.closest("input, select, textarea");
    if (field && event.detail.target.contains(field)) event.detail.shouldSwap = false;
  });
  document.body.addEventListener("htmx:oobAfterSwap", apply);
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const verb = event.detail.requestConfig?.verb;
    if (!event.detail.successful || !verb || verb === "get") return;
    if (event.detail.elt.matches?.("[data-clears]")) event.detail.elt.reset();
    if (event.detail.requestConfig.path === "/joins") return location.assign(`/tickets/${event.detail.requestConfig.parameters.into}`);
    again();
  });
  setInterval(() => { if (!document.hidden) again(); }, CLOCKS_MS);
  if (location.hash === "#write") document.getElementById("write")?.focus();
}
