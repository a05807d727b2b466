// The playground: words and ghost text for what is typed, how to take them, and which part they come from.

import { $, ask, make, on, percent, say } from "./common.js";

const PLACES = 3;
const EXPLAINED_AFTER_MS = 250; // without a key: an explanation costs more than the suggestion
const SPOKEN_AFTER_MS = 700;
const PART = { base: "from the base", adapter: "from the adapter", memory: "from memory" };

const text = $("text"), mirror = $("mirror");
const ghostSpan = make("span"), rest = document.createTextNode(""), before = document.createTextNode("");
mirror.append(before, make("wbr"), ghostSpan, rest);

let asked = 0; // counts questions: only the newest one's answer counts
let shown = { words: [], ghost: "", ghostP: 0, typed: "" };
let spaced = false; // whether the last key was a suggestion's, whose space a full stop may take back
let held = false; // whether a ghost is being taken word by word: its rest stays, whatever the answer to its beginning is
let timers = [];
let learned = 0; // characters that were sent to be learned

const cards = Array.from({ length: PLACES + 1 }, (_, place) => {
  const key = make("kbd", {}, place < PLACES ? `Alt ${place + 1}` : "Tab");
  const typed = make("span", { className: "typed" }), word = make("span"), part = make("span", { className: "part" });
  const button = make("button", { type: "button" }, make("span", { className: "word" }, typed, word), key);
  button.addEventListener("click", () => place < PLACES ? takeWord(place) : takeGhost(shown.ghost));
  const parts = make("dl", { className: "parts" });
  return { item: make("li", { hidden: true }, button, part, parts), typed, word, part, parts };
});
$("offers").append(...cards.map((card) => card.item));

function cursor() {
  const at = text.selectionEnd;
  return [text.value.slice(0, at), text.value.slice(at), text.selectionStart === at];
}

async function look() {
  const [prefix, suffix, single] = cursor();
  const question = ++asked;
  timers.forEach(clearTimeout);
  if (!prefix || !single) return show([], "", 0, "");
  keepGhost(prefix);
  const found = await ask("/v1/suggest", { prefix, suffix });
  if (question !== asked) return;
  const typed = prefix.match(/[\p{L}\p{N}'’]*$/u)[0];
  const ghost = found.ghost.show ? found.ghost.text : held ? shown.ghost : "";
  show(found.words.slice(0, PLACES), ghost, found.ghost.p, typed);
  timers = [
    setTimeout(() => explain(question, prefix, suffix).catch(() => {}), EXPLAINED_AFTER_MS),
    setTimeout(speak, SPOKEN_AFTER_MS),
  ];
}

/** Until the answer is there, the ghost that was typed on stays, less what was typed; any other goes. */
function keepGhost(prefix) {
  const added = prefix.slice(before.data.length);
  const goesOn = shown.ghost && prefix.startsWith(before.data) && shown.ghost.startsWith(added);
  shown.ghost = goesOn ? shown.ghost.slice(added.length) : "";
  draw();
}

function show(words, ghost, ghostP, typed) {
  shown = { words, ghost, ghostP, typed };
  cards.forEach(({ item, typed: stem, word, part, parts }, place) => {
    const offered = place < PLACES ? words[place]?.text : ghost;
    item.hidden = !offered;
    stem.textContent = offered && !/^\s/.test(offered) ? typed : "";
    word.textContent = (offered ?? "").trimStart();
    part.className = "part";
    part.textContent = "";
    parts.replaceChildren();
  });
  draw();
}

function draw() {
  const [prefix, suffix] = cursor();
  before.data = prefix;
  ghostSpan.textContent = /^[^\n]*\S/.test(suffix) ? "" : shown.ghost; // elsewhere it would lie over the text behind it
  rest.data = `${suffix}\u200b`; // a last empty line has a height, too
}

async function explain(question, prefix, suffix) {
  if (!shown.words.length && !shown.ghost) return;
  const found = await ask("/v1/explain", { prefix, suffix });
  if (question !== asked) return;
  cards.forEach(({ part, parts }, place) => {
    const origin = place < PLACES ? found.words[place] : found.ghost;
    const same = place < PLACES ? origin?.text === shown.words[place]?.text
      : origin && shown.ghost.trimStart().startsWith(origin.text);
    if (!origin || !same) return;
    part.className = `part ${origin.part}`;
    part.textContent = PART[origin.part];
    const steps = [["base", origin.base], ["adapter", origin.adapter], ["memory", origin.p]];
    parts.replaceChildren(...steps.filter(([, p]) => p !== null).flatMap(([name, p]) => [
      make("dt", {}, name === "base" ? "base" : `+ ${name}`),
      make("meter", { className: name, value: p, "aria-hidden": "true" }),
      make("dd", {}, percent(p)),
    ]));
  });
}

function speak() {
  const words = shown.words.map((word) => shown.typed + word.text).join(", ");
  $("spoken").textContent = [words, shown.ghost && `Grey text: ${shown.ghost.trim()}`].filter(Boolean).join(". ");
}

function insert(what) {
  text.setRangeText(what, text.selectionStart, text.selectionEnd, "end");
  text.focus();
  text.dispatchEvent(new Event("input"));
}

function takeWord(place) {
  const word = shown.words[place];
  if (!word) return;
  const space = /^\s/.test(cursor()[1]) ? "" : " ";
  count("word", word.p, word.text.length + 1, 1);
  insert(word.text + space);
  spaced = space === " ";
}

function takeGhost(what) {
  if (!what) return;
  count("ghost", shown.ghostP, what.length, what.trim().split(/\s+/).length);
  held = true;
  insert(what);
}

/** What is taken counts as saved only where what is typed is learned: else it is play. */
function count(kind, p, characters, words) {
  if ($("learn").checked) {
    ask("/v1/feedback", { kind, outcome: "accepted", p, characters, words }).catch(() => {});
  }
}

function dismiss() {
  shown.ghost = "";
  cards[PLACES].item.hidden = true;
  draw();
}

text.addEventListener("keydown", (event) => {
  const { altKey: alt, ctrlKey: ctrl, shiftKey: shift, metaKey: meta } = event;
  const digit = event.code.match(/^(?:Digit|Numpad)([1-3])$/);
  const word = shown.ghost.match(/^\s*\S+/)?.[0];
  let work;
  if (digit && alt && !ctrl && !meta) work = () => takeWord(digit[1] - 1);
  else if (!ghostSpan.textContent || shift || meta) work = undefined;
  else if (event.key === "Tab" && !alt && !ctrl) work = () => takeGhost(shown.ghost);
  else if (event.key === "ArrowRight" && alt !== ctrl) work = () => takeGhost(word);
  else if (event.key === "Escape") work = dismiss;
  if (work) {
    event.preventDefault();
    spaced = false;
    return work();
  }
  if (spaced && /^[.,;:!?)]$/.test(event.key) && text.selectionStart === text.selectionEnd) {
    text.setRangeText("", text.selectionStart - 1, text.selectionStart, "end");
  }
  if (!["Shift", "Alt", "Control", "Meta"].includes(event.key)) spaced = held = false;
});

on($("learn"), "change", () => {
  const wanted = $("learn").checked;
  learned = text.value.length;
  $("learn-hint").textContent = wanted
    ? "A line that you end with Enter is learned, and what you take counts as saved."
    : "Nothing that you type here is kept.";
});

/** Sends the lines that were ended since the switch was set, or since the last time. */
async function learn() {
  learned = Math.min(learned, text.value.length);
  const end = text.value.lastIndexOf("\n");
  if (!$("learn").checked || end < learned) return;
  const lines = text.value.slice(learned, end).trim();
  learned = end + 1;
  if (!lines) return;
  const found = await ask("/v1/history", { text: lines, source: "playground" });
  say(found.stored ? "Learned." : `Not learned: ${found.reason}.`);
}

export function start() {
  const failed = (error) => say(error.message);
  text.addEventListener("input", () => { look().catch(failed); learn().catch(failed); });
  document.addEventListener("selectionchange", () => {
    if (document.activeElement === text && cursor()[0] !== before.data) look().catch(failed);
  });
}
