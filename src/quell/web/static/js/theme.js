// The theme: shown at once, kept by the server in a cookie.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form.theme");
  if (!form) return;
  const chosen = event.target.value;
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  for (const radio of document.querySelectorAll(`form.theme [value="${chosen}"]`)) radio.checked = true;
  fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" } });
});
