// "Training", the base model: one that knows the user's languages better, its terms, and how far the way to it has come.

import { $, agreed, ask, language, make, on, percent, say } from "./common.js";

const AND = new Intl.ListFormat("en");

let better = null, change = null; // as the service said last

/** What is said of a base model that is on its way. */
const DOING = {
  fetch: ({ title, done }) => `${title} is being fetched: ${percent(done)}. You can go on typing, and close this page.`,
  build: ({ title, done }) => `${title} is fetched, and is now prepared for this computer: ${percent(done)}.`,
  change: ({ title }) => `${title} takes over now.`,
};

function says() {
  if (change && !change.error) return DOING[change.phase](change);
  if (change) return `${change.title} is not in use. ${change.error}`;
  const named = AND.format(better.languages.map(language));
  return `You also write in ${named}. The language model in use knows little ${named}. Another one, ${better.title}, knows it far better. `
    + `It is ${better.download_mb} MB to fetch, and has terms of its own: the ${better.licence}.`;
}

/** Shows what the service's status says; returns whether another base model is on its way. */
export function show({ better_base, base_change }) {
  const going = Boolean(base_change && !base_change.error);
  if (change && !change.error && !base_change) say(`${change.title} is in use now. What you wrote is known to it.`);
  better = better_base;
  change = base_change;
  const known = Boolean(better || change), text = known ? says() : "";
  $("better-base").hidden = !known;
  if ($("better-base").textContent !== text) $("better-base").textContent = text; // said again only where it changes
  $("base-progress").hidden = !going || change.phase === "change";
  if (going) $("base-progress").firstElementChild.value = change.done;
  $("base-terms").hidden = going || !known;
  return going;
}

/** `look` asks for the status anew. */
export function start(look) {
  on($("base-terms"), "click", async () => {
    const base = change?.base ?? better.name;
    say("The terms are being fetched …");
    const about = await ask("/v1/bases/terms", { base });
    say("");
    const asks = about.terms === null || about.accepted ? [] : [
      `They say what ${about.title} may be used for. They also hold for what it learns from your text, and for whoever you give that to.`,
      make("pre", { tabIndex: 0, role: "region", "aria-label": about.licence }, about.terms),
      `They are kept at ${about.address}.`,
    ];
    const sentences = [...asks, about.fetch_mb ? `${about.fetch_mb} MB are fetched from where this computer gets its Python packages. Your text stays here.` : "It is here already."];
    if (!await agreed(`${about.title}: ${about.licence}`, sentences, asks.length ? "Accept them, and fetch it" : "Use it", { no: "Leave it" })) return;
    await ask("/v1/bases/use", { base, accept_terms: true });
    await look();
  });
}
