// A table of buttons that Tab passes in one step: the arrow keys move in it, as the ARIA practices have it for grids.

const PAGE = 10; // rows

const rowsOf = (grid) => [...grid.querySelectorAll("tr")].map((row) => [...row.querySelectorAll("button")]).filter((row) => row.length);

/** Has Tab stop at the first button of a grid alone. Asked anew for each new content; the keys are listened to once. */
export function roving(grid) {
  const rows = rowsOf(grid);
  for (const button of rows.flat()) button.tabIndex = -1;
  if (rows.length) rows[0][0].tabIndex = 0;
  if (grid.dataset.roving) return;
  grid.dataset.roving = "true";
  grid.addEventListener("keydown", (event) => move(grid, event));
  grid.addEventListener("focusin", ({ target }) => stop(grid, target));
}

/** Tab comes back to where one was. */
function stop(grid, button) {
  if (button.tagName !== "BUTTON") return;
  for (const other of rowsOf(grid).flat()) other.tabIndex = other === button ? 0 : -1;
}

function move(grid, event) {
  const rows = rowsOf(grid);
  const at = rows.findIndex((row) => row.includes(event.target));
  if (at < 0 || event.altKey || event.metaKey) return;
  const column = rows[at].indexOf(event.target);
  const [row, to] = {
    ArrowDown: [at + 1, column], ArrowUp: [at - 1, column], ArrowRight: [at, column + 1], ArrowLeft: [at, column - 1],
    PageDown: [at + PAGE, column], PageUp: [at - PAGE, column],
    Home: [event.ctrlKey ? 0 : at, 0], End: [event.ctrlKey ? rows.length - 1 : at, Infinity],
  }[event.key] ?? [];
  if (row === undefined) return;
  event.preventDefault();
  const chosen = rows[Math.min(Math.max(row, 0), rows.length - 1)];
  chosen[Math.min(Math.max(to, 0), chosen.length - 1)].focus();
}
