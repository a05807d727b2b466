// What one sees first: an example that types itself, and one sentence on what is known and saved.

import { $, button, count } from "./common.js";

const KEY_MS = 90, READ_MS = 1800;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
/** What is typed, up to the bar, and what is taken. */
const EXAMPLES = ["Thanks for the quick re|ply", "See you tomor|row", "Let me know if you have any q|uestions"];

/** Shows the sentence, from the service's status and report. */
export function show(status) {
  const texts = status.entries === 1 ? "1 text" : `${count(status.entries)} texts`;
  const learned = `learned from ${texts} of yours`;
  const text = status.measured ? `idiolect saves you about ${Math.round(100 * status.measured)} of 100 keystrokes. It has ${learned}.`
    : `idiolect has ${learned}. Type to see what it suggests.`;
  if (status.entries) $("story").textContent = text;
  else if (!$("story").children.length) { // the focus stays where it is
    const choose = button("Choose what idiolect may read", "Choose what idiolect may read", () => $("steps-open").click());
    $("story").replaceChildren("idiolect knows nothing of you yet. ", choose);
  }
}

/** Types the examples one after another, until somebody types themselves. */
export async function play() {
  const stop = new Promise((resolve) => $("text").addEventListener("input", resolve, { once: true })).then(() => { ended = true; });
  let ended = false;
  const wait = (time_ms) => Promise.race([stop, new Promise((resolve) => setTimeout(resolve, time_ms))]);
  for (let turn = 0; !ended; turn++) {
    const [typed, ghost] = EXAMPLES[turn % EXAMPLES.length].split("|");
    for (let end = STILL.matches ? typed.length : 0; end <= typed.length && !ended; end++) {
      $("demo-typed").textContent = typed.slice(0, end);
      $("demo-ghost").textContent = end === typed.length ? ghost : "";
      await wait(KEY_MS);
    }
    if (STILL.matches) return;
    await wait(READ_MS);
    if (ended) break;
    $("demo-typed").textContent = typed + ghost;
    $("demo-ghost").textContent = "";
    await wait(READ_MS);
  }
  $("demo").className = "over"; // its place stays: nothing moves while one types
}
