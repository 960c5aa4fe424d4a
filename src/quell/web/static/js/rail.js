// The counts in the rail follow the log, at most once in a while.
const WAIT_MS = 1200;
const rail = document.getElementById("rail");
let timer;

function again() {
  timer = null;
  const query = new URLSearchParams(location.pathname === "/" ? location.search : "");
  query.set("here", rail.dataset.here);
  htmx.ajax("GET", `/rail?${query}`, { target: "#rail", swap: "innerHTML" });
}

if (rail?.firstElementChild) document.addEventListener("quell:tickets", () => { timer ??= setTimeout(again, WAIT_MS); });
