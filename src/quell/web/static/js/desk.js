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

if (!/Mac|iPhone|iPad/.test(navigator.userAgent)) {
  for (const key of document.querySelectorAll("kbd")) key.textContent = key.textContent.replace("⌘", "Ctrl");
}
