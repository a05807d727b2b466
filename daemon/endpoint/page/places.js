// "In your programs": the programs that one types in, which of them are connected, and what to type for the others.

import { $, ask, coded, make } from "./common.js";

/** What is said of one that is here, or that most people will want. */
function says({ connected, found, next_step: next }) {
  if (connected) return next ? `Connected. ${next}` : `Connected: ${found}`;
  return found ? `Here, not connected. ${next.startsWith("`") ? "In a terminal: " : ""}${next}` : next;
}

export async function start() {
  const { places } = await ask("/v1/places");
  const shown = places.filter((one) => one.found || one.next_step), absent = places.filter((one) => !shown.includes(one));
  $("place-rows").replaceChildren(...shown.map((one) => make("li", {},
    make("span", {}, one.title, one.connected ? make("span", { className: "badge active" }, "connected") : null),
    make("small", {}, ...coded(says(one))))));
  $("places-absent").textContent = absent.length ? `Not found here: ${absent.map((one) => one.title).join(", ")}.` : "";
}
