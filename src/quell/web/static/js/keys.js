// The keyboard: single letters outside of fields (they can be switched off), `g` and a letter to go somewhere.
import { command, run } from "./commands.js";
import { openPalette } from "./palette.js";
import { overlayOpen } from "./sheet.js";
import { undoLast } from "./toasts.js";

const PREFIX_MS = 1500;
const PLACES = { q: "/", d: "/devices", s: "/setup", h: "/portal" };
const LETTERS = "quell_letters_off";
const toggle = document.getElementById("letters");
let gone = 0;

const inField = (target) => Boolean(target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]"));

if (toggle) {
  toggle.checked = !localStorage.getItem(LETTERS);
  toggle.addEventListener("change", () => {
    if (toggle.checked) localStorage.removeItem(LETTERS);
    else localStorage.setItem(LETTERS, "1");
  });
}

command("z", undoLast);
command("?", () => document.getElementById("help")?.showModal());
command("/", () => document.getElementById("search-here")?.focus());

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey)) {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || event.isComposing) return;
  if (event.key === "Escape" && inField(event.target) && !overlayOpen()) return event.target.blur();
  if (inField(event.target) || overlayOpen()) return;
  const letter = event.key.length === 1;
  if (letter && toggle && !toggle.checked) return;
  if (letter && event.timeStamp - gone < PREFIX_MS && gone) {
    gone = 0;
    const place = PLACES[event.key];
    if (place) location.assign(place);
    return;
  }
  if (event.key === "g") {
    gone = event.timeStamp;
    return;
  }
  const onControl = event.target.closest?.("button, a, summary, [role=button]");
  if (event.key === "Enter" && onControl && !event.target.closest("tr.row")) return;
  if (run(event.shiftKey && event.key === "X" ? "X" : event.key)) event.preventDefault();
});
