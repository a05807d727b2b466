// "Switches": what is done about mistyped words, how much is shown, how fast its user types, languages, keys, quiet, and going off the record.

import { $, ask, count, language, make, on, say } from "./common.js";

const SWITCHES = { corrections: $("switch-corrections"), show: $("switch-show"), speed: $("switch-speed") };
const LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl"];
/** What keys do. */
const KEYS = {
  grey: "Take the grey text", next: "Take its next word", word: "Take the first word", hide: "Hide what is shown", ask: "Show the words",
  quiet: "Quiet for a while",
};
const WORD_MS = 12_000; // a word of five characters in a minute, times the milliseconds of a character

let known = null; // how the switches stand, as the service said last

const boxes = () => [...$("switch-languages").querySelectorAll("input")];

function show(stands) {
  known = stands;
  for (const box of boxes()) box.checked = stands.languages.includes(box.value);
  for (const [name, select] of Object.entries(SWITCHES)) select.value = stands[name] || ""; // a speed of 0 is measured
  for (const [what, key] of Object.entries(stands.keys)) $(`key-${what}`).value = key;
  const uses = Object.entries(stands.key_uses).map(([what, use]) => `${stands.keys[what]} ${use}: not while it takes something here.`);
  $("keys").textContent = `Such as F8, Ctrl+Enter or Alt+1; empty: as at first. ${uses.join(" ")}`;
  const slip = stands.mending_question;
  $("mending").hidden = !slip;
  if (slip) $("mending-question").textContent = `Correct clear typing mistakes as you type (${slip.typed} → ${slip.meant})? Backspace undoes a correction.`;
}

/** Shows what the service's status says of grey text, of speed and languages, and whether anything is learned. */
export function showStatus({ show: much, grey_text: grey, key_ms: keyMs, paused, quiet, languages }) {
  $("held-back").hidden = !grey.held_back;
  $("held-back").firstElementChild.textContent
    = `Grey text is held back, since you took ${count(grey.taken)} of ${count(grey.shown)} of late.`;
  $("speed").hidden = !keyMs;
  if (keyMs) $("speed").textContent = `You type about ${Math.round(WORD_MS / keyMs)} words a minute; what saves time is judged for that.`;
  const named = languages.map(language).join(", ");
  const found = boxes().some((box) => box.checked) ? "" : " as found in your text";
  $("languages").textContent = `Words are offered in ${named}${found}.`;
  SWITCHES.show.value = much;
  $("off-record").checked = paused;
  $("quiet").checked = quiet;
}

async function set(name, value) {
  known = await ask("/v1/switches", { [name]: value });
  if (changes > 1) return; // what was chosen since stays as it is shown
  show(known);
  showStatus(await ask("/v1/status"));
}

/** Sets one switch after the other, however fast they are changed. */
let changing = Promise.resolve();
let changes = 0; // that the service has not answered
function choose(name, value) {
  changes += 1;
  changing = changing.then(() => set(name, value)).catch((error) => {
    show(known); // nothing was changed
    say(error.message);
  }).finally(() => { changes -= 1; });
}

/** `look` asks for the status anew. */
export async function start(look) {
  for (const [name, select] of Object.entries(SWITCHES)) select.addEventListener("change", () => choose(name, name === "speed" ? Number(select.value) : select.value));
  for (const code of LANGUAGES) {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: code });
    const label = document.createElement("label");
    label.append(box, ` ${language(code)}`);
    $("switch-languages").append(label);
    box.addEventListener("change", () => choose("languages", boxes().filter((one) => one.checked).map((one) => one.value)));
  }
  for (const [what, does] of Object.entries(KEYS)) {
    const input = make("input", { id: `key-${what}`, size: 12, autocomplete: "off", spellcheck: false });
    $("switch-keys").append(make("label", { className: "setting" }, make("span", {}, does), input));
    const chosen = () => Object.keys(KEYS).filter((one) => $(`key-${one}`).value.trim()).map((one) => [one, $(`key-${one}`).value]);
    input.addEventListener("change", () => choose("keys", Object.fromEntries(chosen())));
  }
  for (const answer of $("mending").querySelectorAll("button")) answer.addEventListener("click", () => choose("corrections", answer.value));
  on($("bring-back"), "click", async () => {
    await set("show", "more");
    SWITCHES.show.focus();
    say("Grey text is shown wherever it is likely, from now on.");
  });
  for (const [id, begin, end] of [["off-record", "/v1/pause", "/v1/resume"], ["quiet", "/v1/quiet", "/v1/quiet/end"]]) {
    on($(id), "change", async () => {
      const begins = $(id).checked;
      try {
        await ask(begins ? begin : end, {});
      } catch (error) {
        $(id).checked = !begins; // the service has not heard
        throw error;
      }
      await look();
    });
  }
  show(await ask("/v1/switches"));
}
