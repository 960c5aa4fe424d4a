// Find or do: every command with its key, so that it teaches them; tickets and devices as the server finds them.
import { run } from "./commands.js";

const WAIT_MS = 120;
const dialog = document.getElementById("palette");
const input = document.getElementById("palette-words");
const found = document.getElementById("palette-found");
let timer;
let asked = 0;

const options = () => [...dialog.querySelectorAll('[role="option"]')].filter((option) => !option.hidden);

function choose(option) {
  for (const each of dialog.querySelectorAll('[aria-selected="true"]')) each.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
}

function take(option) {
  dialog.close();
  if (option.dataset.go) location.assign(option.dataset.go);
  else run(option.dataset.key);
}

function narrow() {
  const words = input.value.trim().toLowerCase();
  for (const option of dialog.querySelectorAll("[data-do]")) option.hidden = !option.textContent.toLowerCase().includes(words);
  choose(options()[0]);
}

async function search() {
  const words = input.value.trim();
  const mine = ++asked;
  if (!words) found.replaceChildren();
  else {
    const answer = await fetch(`/find?q=${encodeURIComponent(words)}`, { headers: { "HX-Request": "true" } });
    if (mine !== asked || !answer.ok) return;
    found.innerHTML = await answer.text();
  }
  choose(options()[0]);
}

export function openPalette() {
  if (dialog && !dialog.open) dialog.showModal();
}

if (dialog) {
  dialog.addEventListener("toggle", () => {
    if (!dialog.open) return;
    input.value = "";
    found.replaceChildren();
    narrow();
    input.focus();
  });
  input.addEventListener("input", () => {
    narrow();
    clearTimeout(timer);
    timer = setTimeout(search, WAIT_MS);
  });
  input.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Enter" && all[at]) {
      event.preventDefault();
      take(all[at]);
    }
  });
  dialog.addEventListener("click", (event) => {
    const option = event.target.closest('[role="option"]');
    if (option) take(option);
    else if (event.target === dialog) dialog.close();
  });
}
