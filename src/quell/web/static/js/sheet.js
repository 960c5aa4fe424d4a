// The one dialog for edit, merge and solve: fetched when asked for, closed when its form has done its work.
const sheet = document.getElementById("sheet");

export async function openSheet(url) {
  await htmx.ajax("GET", url, { target: "#sheet", swap: "innerHTML" });
  if (!sheet.firstElementChild || sheet.open) return;
  sheet.showModal();
  sheet.querySelector("[autofocus]")?.focus();
}

export function overlayOpen() {
  return Boolean(document.querySelector("dialog[open], [popover]:popover-open"));
}

if (sheet) {
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet || event.target.closest("[data-close]")) sheet.close();
  });
  sheet.addEventListener("close", () => sheet.replaceChildren());
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && event.detail.elt.closest?.("[data-closes]")) sheet.close();
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.metaKey || event.ctrlKey)) return;
  const form = event.target.closest?.("form");
  if (form?.matches(".sheet, .composer, .say")) {
    event.preventDefault();
    form.requestSubmit();
  }
});
