// What each key does on the page that is open: pages register their commands, keys, buttons and palette run them.
const commands = new Map();

export function command(key, work) {
  commands.set(key, work);
}

export function run(key) {
  const work = commands.get(key);
  if (work) work();
  return Boolean(work);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-key]");
  if (button && !button.closest("dialog")) run(button.dataset.key);
});
