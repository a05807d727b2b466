// "Switches": what is done about mistyped words, how much is shown, how fast its user types, languages, and going off the record.

import { $, ask, count, on, say } from "./common.js";

const SWITCHES = { corrections: $("switch-corrections"), show: $("switch-show"), speed: $("switch-speed") };
const LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl"];
const NAMES = new Intl.DisplayNames("en", { type: "language" });
const WORD_MS = 12_000; // a word of five characters in a minute, times the milliseconds of a character

let known = null; // how the switches stand, as the service said last

const boxes = () => [...$("switch-languages").querySelectorAll("input")];

function show(stands) {
  known = stands;
  for (const box of boxes()) box.checked = stands.languages.includes(box.value);
  for (const [name, select] of Object.entries(SWITCHES)) select.value = stands[name] || ""; // a speed of 0 is measured
  const slip = stands.mending_question;
  $("mending").hidden = !slip;
  if (slip) $("mending-question").textContent = `Mend sure slips as you type (${slip.typed} → ${slip.meant})? Backspace takes one back.`;
}

/** Shows what the service's status says of grey text, of speed and languages, and whether anything is learned. */
export function showStatus({ show: much, grey_text: grey, key_ms: keyMs, paused, languages, languages_awaited: awaited }) {
  $("held-back").hidden = !grey.held_back;
  $("held-back").firstElementChild.textContent
    = `Grey text is held back, since you took ${count(grey.taken)} of ${count(grey.shown)} of late.`;
  $("speed").hidden = !keyMs;
  if (keyMs) $("speed").textContent = `You type about ${Math.round(WORD_MS / keyMs)} words a minute; what saves time is judged for that.`;
  const named = (codes) => codes.map((code) => NAMES.of(code)).join(", ");
  const soon = awaited.length ? ` In a minute it is ${named(awaited)}: that list of words is being made.` : "";
  const found = boxes().some((box) => box.checked) ? "" : " as found in your text";
  $("languages").textContent = `Words are offered in ${named(languages)}${found}.${soon}`;
  SWITCHES.show.value = much;
  $("off-record").checked = paused;
}

async function set(name, value) {
  show(await ask("/v1/switches", { [name]: value }));
  showStatus(await ask("/v1/status"));
}

/** Sets one switch after the other, however fast they are changed. */
let changing = Promise.resolve();
function choose(name, value) {
  changing = changing.then(() => set(name, value)).catch((error) => {
    show(known); // nothing was changed
    say(error.message);
  });
}

/** `look` asks for the status anew. */
export async function start(look) {
  for (const [name, select] of Object.entries(SWITCHES)) select.addEventListener("change", () => choose(name, name === "speed" ? Number(select.value) : select.value));
  for (const code of LANGUAGES) {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: code });
    const label = document.createElement("label");
    label.append(box, ` ${NAMES.of(code)}`);
    $("switch-languages").append(label);
    box.addEventListener("change", () => choose("languages", boxes().filter((one) => one.checked).map((one) => one.value)));
  }
  for (const answer of $("mending").querySelectorAll("button")) answer.addEventListener("click", () => choose("corrections", answer.value));
  on($("bring-back"), "click", async () => {
    await set("show", "more");
    SWITCHES.show.focus();
    say("Grey text is shown wherever it is likely, from now on.");
  });
  on($("off-record"), "change", async () => {
    const paused = $("off-record").checked;
    try {
      await ask(paused ? "/v1/pause" : "/v1/resume", {});
    } catch (error) {
      $("off-record").checked = !paused; // the service has not heard
      throw error;
    }
    await look();
  });
  show(await ask("/v1/switches"));
}
