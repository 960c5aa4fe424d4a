// Starts the desk: every module wires itself to the page that it finds.
import "./theme.js";
import "./copy.js";
import "./toasts.js";
import "./sheet.js";
import "./palette.js";
import "./keys.js";
import "./queue.js";
import "./ticket.js";
import "./devices.js";
import "./rail.js";
import "./live.js";

const csrf = document.querySelector('meta[name="csrf"]').content;
document.body.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = csrf;
});

// Dialogs open by `commandfor`; a browser from before 2025 is helped along.
if (!("commandForElement" in HTMLButtonElement.prototype)) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[commandfor]");
    if (button) document.getElementById(button.getAttribute("commandfor"))?.showModal();
  });
}

// The sign of the key that this machine has.
function sign(root) {
  for (const key of root.querySelectorAll("kbd")) key.textContent = key.textContent.replace("⌘", "Ctrl");
}
if (!/Mac|iPhone|iPad/.test(navigator.userAgent)) {
  sign(document);
  document.body.addEventListener("htmx:load", (event) => sign(event.detail.elt));
}
