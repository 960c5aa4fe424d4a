// Toasts stay eight seconds and stop while somebody points at them; the way back stays under `z` after they went.
const STAY_MS = 8000;
const AT_ONCE_MAX = 3;
const box = document.getElementById("toasts");
let token = null;

function settle(toast) {
  let timer = setTimeout(() => toast.remove(), STAY_MS);
  toast.addEventListener("pointerenter", () => clearTimeout(timer));
  toast.addEventListener("pointerleave", () => { timer = setTimeout(() => toast.remove(), STAY_MS / 2); });
  const undo = toast.querySelector("[data-undo] [name=token]");
  if (undo) token = undo.value;
  while (box.children.length > AT_ONCE_MAX) box.firstElementChild.remove();
}

if (box) {
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) if (node.matches?.("[data-toast]")) settle(node);
    }
  }).observe(box, { childList: true });
}

export function undoLast() {
  if (!token) return say("Nothing to undo here.");
  const values = { token };
  token = null;
  for (const form of box.querySelectorAll("[data-undo]")) form.closest(".toast").remove();
  htmx.ajax("POST", "/undo", { values, target: "#toasts", swap: "beforeend" });
}

export function say(words) {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset.toast = "";
  const text = document.createElement("span");
  text.textContent = words;
  toast.append(text);
  box.append(toast);
}

document.body.addEventListener("htmx:sendError", () => say("No connection. Nothing was changed; try again."));
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.matches?.("[data-undo]")) {
    token = null;
    event.detail.elt.closest(".toast")?.remove();
  }
});
