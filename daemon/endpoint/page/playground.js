// The playground: words and grey text for what is typed, how to take them, and what becomes of them.

import { $, ask, make, on, say } from "./common.js";
import "./letter_intervals.js";

const PLACES = 3;
const SPOKEN_AFTER_MS = 700;
const READ_MS = 150; // nobody has read grey text by then
const CLOSED_MS = 1000; // in which a key may still be meant for words that are gone
const NOTHING = { words: [], ghost: "", ghostP: 0, prefix: "", suffix: "", reasons: [] };

const text = $("text"), mirror = $("mirror");
const ghostSpan = make("span"), rest = document.createTextNode(""), before = document.createTextNode("");
mirror.append(before, make("wbr"), ghostSpan, rest);

let asked = 0; // counts questions: only the newest one's answer counts
let shown = NOTHING; // `prefix` and `suffix` are what it was the answer for
let seen = null; // the ghost that is on screen, until its fate is known: {p, taken}
let spaced = false; // whether the last key was a suggestion's, whose space a full stop may take back
let held = false; // whether a ghost is being taken word by word: its rest stays, whatever the answer to its beginning is
let typedAt = -Infinity; // when the last character was typed
let closedAt = -Infinity; // when the last words went
let mended = null; // the correction that the last key took: {at, typed, put, word}, to be taken back by Backspace
let undoing = null; // the same, where the last key undoes it
const speed = new idiolect.LetterIntervals();
const kept = new Set(); // words whose correction was taken back
let speaking; // the timer that says the suggestions aloud
let learned = 0; // characters that were sent to be learned

const chips = Array.from({ length: PLACES + 1 }, (_, place) => {
  const typed = make("span", { className: "typed" }), word = make("span", { className: "rest" });
  const key = make("kbd", {}, place < PLACES ? `Alt ${place + 1}` : "Tab");
  const button = make("button", { type: "button", tabIndex: -1 }, make("span", { className: "word" }, typed, word), key);
  button.addEventListener("mousedown", (event) => event.preventDefault()); // the cursor stays in the text
  button.addEventListener("click", () => place < PLACES ? takeWord(place) : takeGhost(shown.ghost));
  return { item: make("li", { hidden: true, className: place < PLACES ? "" : "ghost" }, button), typed, word };
});
$("offers").append(...chips.map((chip) => chip.item));

function cursor() {
  const at = text.selectionEnd;
  return [text.value.slice(0, at), text.value.slice(at), text.selectionStart === at];
}

const typedOf = (prefix) => prefix.match(/[\p{L}\p{N}'’]*$/u)[0];

async function suggest() {
  const [prefix, suffix, single] = cursor();
  const question = ++asked;
  clearTimeout(speaking);
  keepGhost(prefix);
  if (!prefix || !single) return showOffers(NOTHING);
  $("offers").ariaBusy = "true"; // what is shown is of an earlier text
  const found = await ask("/v1/suggest", { prefix, suffix, corrections: true, letter_ms: speed.medianMs, reasons: true }).catch((error) => {
    if (question === asked) $("offers").ariaBusy = "false";
    throw error;
  });
  if (question !== asked) return;
  const fix = found.correction;
  if (fix && !kept.has(wordOf(prefix, fix))) {
    if (fix.apply && putCorrection(prefix, fix)) return;
    found.words = [fix, ...found.words];
  }
  const ghost = found.ghost.show ? found.ghost.text : held ? shown.ghost : "";
  showOffers({ words: found.words.slice(0, PLACES), ghost, ghostP: found.ghost.p, prefix, suffix, reasons: found.reasons ?? [] });
  speaking = setTimeout(speak, SPOKEN_AFTER_MS);
}

/** Until the answer is there, the ghost that was typed on stays, less what was typed; any other goes. */
function keepGhost(prefix) {
  const added = prefix.slice(before.data.length);
  const goesOn = shown.ghost && prefix.startsWith(before.data) && shown.ghost.startsWith(added);
  shown.ghost = goesOn ? shown.ghost.slice(added.length) : "";
  if (!shown.ghost) endGhost();
  draw();
}

/** The ghost is on screen no longer: it was taken, or else it counts as dismissed. */
function endGhost() {
  if (seen && !seen.taken) sendFeedback({ kind: "ghost", outcome: "dismissed", p: seen.p });
  seen = null;
}

function showOffers(next) {
  if (shown.words.length && !next.words.length) closedAt = performance.now();
  shown = next;
  $("offers").ariaBusy = "false";
  const typed = typedOf(shown.prefix);
  chips.forEach(({ item, typed: stem, word }, place) => {
    const offered = place < PLACES ? shown.words[place]?.text : shown.ghost;
    const fix = place < PLACES && shown.words[place]?.replace ? shown.words[place] : null;
    item.hidden = !offered;
    if (fix) stem.textContent = typed ? "" : `${wordOf(shown.prefix, fix)} → `; // the word that ended is named
    else stem.textContent = offered && !/^\s/.test(offered) ? typed : "";
    word.textContent = (offered ?? "").trimStart();
  });
  const [reason] = shown.words.length || shown.ghost ? [] : shown.reasons;
  $("nothing").textContent = reason ? `Nothing is suggested: ${reason.why} ${reason.remedy.replaceAll("`", "")}` : "";
  if (shown.ghost) seen = { p: shown.ghostP, taken: false };
  else endGhost();
  draw();
}

function draw() {
  const [prefix, suffix] = cursor();
  before.data = prefix;
  ghostSpan.textContent = /^[^\n]*\S/.test(suffix) ? "" : shown.ghost; // elsewhere it would lie over the text behind it
  rest.data = `${suffix}\u200b`; // a last empty line has a height, too
}

function speak() {
  const typed = typedOf(shown.prefix);
  const words = shown.words.map((word) => (word.replace ? word.text : typed + word.text)).join(", ");
  $("spoken").textContent = [words, shown.ghost && `Grey text: ${shown.ghost.trim()}`].filter(Boolean).join(". ");
}

/** Ends what Ctrl+Z takes back in one step: a browser joins all that is typed with the cursor not moved meanwhile. */
function closeStep() {
  const { selectionStart: start, selectionEnd: end } = text;
  text.setSelectionRange(0, 0);
  text.setSelectionRange(start, end);
}

/** Inserts as typing does, so that Ctrl+Z takes it back, and no more than it. */
function insert(what) {
  text.focus();
  closeStep();
  if (!document.execCommand("insertText", false, what)) {
    text.setRangeText(what, text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input"));
  }
  closeStep();
}

/** What is left of an offered text where it was asked for at another place; null where it does not belong here. */
function restOf(offered) {
  const [prefix, suffix, single] = cursor();
  const added = prefix.slice(shown.prefix.length);
  const fits = single && suffix === shown.suffix && prefix.startsWith(shown.prefix) && offered.startsWith(added);
  return fits && offered.length > added.length ? offered.slice(added.length) : null;
}

/** The word that a correction is for; it counts code points, and a field UTF-16 units. */
const wordOf = (prefix, fix) => Array.from(prefix).slice(-fix.replace).join("").match(/^[\p{L}\p{N}'’ ]*/u)[0].trim();

/**
 * Puts a correction in the place of what was typed; whether it did. It does so where that still stands at the cursor, or
 * right before the space or mark that has ended the word since: a fast hand types that before the next answer is there.
 */
function putCorrection(prefix, fix) {
  const [now, suffix, single] = cursor();
  const since = now.slice(prefix.length);
  if (!single || !now.startsWith(prefix) || !/^[\s.,;:!?)]*$/.test(since)) return false;
  const mistyped = Array.from(prefix).slice(-fix.replace).join("");
  const typed = mistyped + since;
  const at = prefix.length - mistyped.length;
  text.setSelectionRange(at, now.length);
  const ended = since || /[\s\p{P}]$/u.test(fix.text) || /^\s/.test(suffix);
  const put = ended ? fix.text + since : `${fix.text} `;
  insert(put);
  mended = { at, typed, put, word: wordOf(prefix, fix) };
  say(`“${typed.trim()}” became “${put.trim()}”. Backspace takes that back.`);
  sendFeedback({ kind: "correction", outcome: "accepted", p: fix.p, characters: put.length, word: mended.word });
  return true;
}

/** Takes the last correction back, whose word is not corrected again; whether there was one right before the cursor. */
function takeCorrectionBack() {
  const { at, typed, put, word } = mended ?? {};
  mended = null;
  const end = text.selectionEnd;
  if (put === undefined || end !== at + put.length || text.value.slice(at, end) !== put) return false;
  text.setSelectionRange(at, end);
  insert(typed);
  keepWord(word);
  return true;
}

/** Ctrl+Z has brought back what was typed. Browsers select it then, and the next key would type it away. */
function selectNothing() {
  const { at, typed, word } = undoing ?? {};
  undoing = null;
  const [prefix] = cursor();
  if (typed === undefined || prefix !== prefix.slice(0, at) + typed) return;
  text.setSelectionRange(prefix.length, prefix.length);
  keepWord(word);
}

/** The correction of this word was taken back, and is not made again. */
function keepWord(word) {
  kept.add(word);
  sendFeedback({ kind: "correction", outcome: "dismissed", p: 0, word });
}

function takeWord(place) {
  const word = shown.words[place];
  if (word?.replace) return void putCorrection(shown.prefix, word);
  const what = word && restOf(word.text);
  if (!what) return;
  const space = /^\s/.test(cursor()[1]) ? "" : " ";
  sendFeedback({ kind: "word", outcome: "accepted", p: word.p, characters: what.length + space.length, words: 1 });
  for (const other of shown.words) if (other !== word) sendFeedback({ kind: "word", outcome: "dismissed", p: other.p });
  insert(what + space);
  spaced = space === " ";
}

function takeGhost(what) {
  if (!what || !cursor()[2] || cursor()[0] !== before.data) return;
  sendFeedback({ kind: "ghost", outcome: "accepted", p: shown.ghostP, characters: what.length, words: what.trim().split(/\s+/).length });
  if (seen) seen.taken = true;
  held = true;
  insert(what);
}

/** What is taken counts as saved only where what is typed is learned: else it is play. */
function sendFeedback(given) {
  if (!$("learn").checked) return;
  ask("/v1/feedback", given).then(() => document.dispatchEvent(new CustomEvent("counted"))).catch(() => {});
}

function dismiss() {
  shown.ghost = "";
  endGhost();
  chips[PLACES].item.hidden = true;
  draw();
}

text.addEventListener("keydown", (event) => {
  const { altKey: alt, ctrlKey: ctrl, shiftKey: shift, metaKey: meta } = event;
  const digit = event.code.match(/^(?:Digit|Numpad)([1-3])$/);
  const word = shown.ghost.match(/^\s*\S+/)?.[0];
  const modifier = ["Shift", "Alt", "Control", "Meta"].includes(event.key); // pressed for another key
  const tab = event.key === "Tab" && !alt && !ctrl && !shift && !meta;
  const types = event.key.length === 1 && !alt && !ctrl && !meta;
  if (event.isTrusted && !modifier) speed.key(types && !event.isComposing ? event.key : "", event.timeStamp);
  const read = performance.now() - typedAt >= READ_MS;
  let work; // where there is none the key is the browser's: Tab leaves the field
  if (event.key === "Backspace" && !alt && !ctrl && !meta && takeCorrectionBack()) return event.preventDefault();
  if (!modifier) {
    undoing = (ctrl || meta) && !alt && event.key.toLowerCase() === "z" ? mended : null;
    mended = null;
  }
  if (digit && alt && !ctrl && !meta) {
    if (shown.words.length || performance.now() - closedAt < CLOSED_MS) work = () => takeWord(digit[1] - 1);
  } else if (!ghostSpan.textContent || shift || meta) work = undefined;
  else if (tab && read) work = () => takeGhost(shown.ghost);
  else if (event.key === "ArrowRight" && ctrl && !alt) work = () => takeGhost(word);
  else if (event.key === "Escape") work = dismiss;
  if (types) typedAt = performance.now();
  if (work) {
    event.preventDefault();
    spaced = false;
    return work();
  }
  if (spaced && /^[.,;:!?)]$/.test(event.key) && text.selectionStart === text.selectionEnd) {
    text.setSelectionRange(text.selectionStart - 1, text.selectionStart); // the key takes the space's place
  }
  if (!modifier) spaced = held = false;
});

on($("learn"), "change", () => {
  learned = text.value.length;
  $("learn-hint").textContent = $("learn").checked
    ? "A line that you end with Enter is learned, and what you take counts as saved."
    : "Nothing that you type here is kept.";
});

// A key that was meant for the text must never switch learning on: from the keyboard that is asked for once more.
$("learn").addEventListener("click", (event) => {
  if (event.detail !== 0 || !$("learn").checked) return; // a real click, or it goes off
  event.preventDefault();
  $("learn-sure").showModal();
});
$("learn-sure").addEventListener("close", () => {
  if ($("learn-sure").returnValue !== "yes") return;
  $("learn").checked = true;
  $("learn").dispatchEvent(new Event("change"));
});

/** Sends the lines that were ended since the switch was set, or since the last time. */
async function learnLines() {
  learned = Math.min(learned, text.value.length);
  const end = text.value.lastIndexOf("\n");
  if (!$("learn").checked || end < learned) return;
  const lines = text.value.slice(learned, end).trim();
  learned = end + 1;
  if (!lines) return;
  const found = await ask("/v1/history", { text: lines, source: "page" });
  say(found.stored ? "Learned." : `Not learned: ${found.reason}.`);
}

export function start() {
  const failed = (error) => say(error.message);
  text.addEventListener("input", ({ inputType }) => {
    if (inputType === "historyUndo") selectNothing();
    suggest().catch(failed);
    learnLines().catch(failed);
  });
  document.addEventListener("selectionchange", () => {
    if (document.activeElement === text && cursor()[0] !== before.data) suggest().catch(failed);
  });
  document.addEventListener("words-changed", () => suggest().catch(failed));
}
