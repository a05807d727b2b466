// What all parts of the page use: asking the service, making elements, telling and asking the user.
// Text from the service only ever becomes text: nothing here or elsewhere writes HTML.

export const $ = (id) => document.getElementById(id);

/** An element with properties, attributes (by their names, hyphens included) and children; strings become text. */
export function make(tag, given = {}, ...children) {
  const element = tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name in element && !tag.startsWith("svg:")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Text in which what stands between backquotes is code. */
export const coded = (text) => text.split("`").map((part, place) => place % 2 ? make("code", {}, part) : part);

/** The service's answer; POST where there is a body. Throws an Error with its sentence. */
export async function ask(path, body) {
  const how = body === undefined ? { cache: "no-store" } : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  let answer, content;
  try {
    answer = await fetch(path, how);
    content = await answer.json();
  } catch {
    document.dispatchEvent(new CustomEvent("unanswered"));
    throw new Error("The service does not answer. Open idiolect among your programs, or run `idiolect open`.");
  }
  if (answer.status === 401) document.dispatchEvent(new CustomEvent("ended"));
  if (!answer.ok) throw new Error(content.error?.message ?? `The service answered ${answer.status}.`);
  return content;
}

/** The last of an answer's events; `onEvent` gets each. Throws an Error with the service's sentence. */
export async function follow(path, body, onEvent) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error((await answer.json()).error?.message ?? `The service answered ${answer.status}.`);
  let last = {};
  for (const line of (await answer.text()).split("\n").filter(Boolean)) {
    last = JSON.parse(line);
    if (last.event === "error") throw new Error(last.message);
    onEvent(last);
  }
  return last;
}

let silence;
/** Tells something for a while, to screen readers, too. */
export function say(text) {
  $("said").replaceChildren(...coded(text));
  clearTimeout(silence);
  silence = setTimeout(() => { $("said").textContent = ""; }, 8000);
}

/** Has a control do `work`, once at a time; what goes wrong is said. */
export function on(element, event, work) {
  let busy = false;
  element.addEventListener(event, async (what) => {
    if (event === "submit") what.preventDefault();
    if (busy) return;
    busy = true;
    try { await work(what); } catch (error) { say(error.message); } finally { busy = false; }
  });
}

/** A button that looks like a link; `name` says to a screen reader which of many it is. */
export function button(text, name, work) {
  const made = make("button", { type: "button", className: "plain", "aria-label": name }, text);
  on(made, "click", work);
  return made;
}

export const buttons = (...given) => make("div", {}, ...given);

/** Whether the user agrees; `sentences`, or elements, say to what. With a `number`, that has to be typed before they can. */
export function agreed(title, sentences, yes, { number = null, no = "Keep it", danger = false } = {}) {
  const typed = $("ask-number");
  const check = () => { $("ask-yes").disabled = number !== null && typed.value.trim() !== String(number); };
  $("ask-much").hidden = number === null;
  typed.value = "";
  typed.oninput = check;
  typed.onkeydown = (key) => {
    if (key.key !== "Enter") return; // it would press the first button
    key.preventDefault();
    $("ask-yes").click();
  };
  check();
  const dialog = $("ask");
  $("ask-title").textContent = title;
  $("ask-text").replaceChildren(...sentences.map((one) => typeof one === "string" ? make("p", {}, one) : one));
  $("ask-no").textContent = no;
  $("ask-yes").textContent = yes;
  $("ask-yes").className = danger ? "danger" : "";
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/**
 * Shows what would go, asks, lets it go, and says what has gone; then it offers what is nearly the same.
 * Where nothing would go there is nothing to do; but a source that brought nothing is removed all the same.
 */
export async function remove(title, path, body, after, more = []) {
  const would = await ask(path, { ...body, dry_run: true });
  if (!would.entries && path === "/v1/forget") return say("There is no text that this fits.");
  const sentences = [...more, `${texts(would.entries)} (${count(would.words)} ${would.words === 1 ? "word" : "words"}) would be deleted for good, and known no longer.`];
  if (would.adapters_dropped.length) {
    const those = would.adapters_dropped.length === 1 ? "has seen it and would" : "have seen it and would";
    sentences.push(`${list("Personal model", would.adapters_dropped)} ${those} be deleted, too. Then ${serving(would.active)} is in use, and training without the text is due.`);
  }
  if (would.backups.length) sentences.push(`Backups still hold it: ${would.backups.join(", ")}.`);
  if (would.large) sentences.push(`That is more than a tenth of all ${texts(would.total)}.`);
  if (!await agreed(title, sentences, "Forget it", { danger: true, number: would.large ? would.entries : null })) return;
  const done = await ask(path, { ...body, expect: would.entries });
  const receipt = done.receipt === null ? "" : ` Receipt ${done.receipt}.`;
  say(`Forgotten: ${texts(done.entries)}.${receipt} ${sentence(serving(done.active))} is in use now.`);
  await after();
  if (!done.near?.length) return;
  const forms = done.near.map((one) => `“${one.text}” (${texts(one.entries)})`).join(", ");
  await remove("Forget what is nearly the same, too?", path, { phrases: done.near.map((one) => one.text) }, after,
    [`Nearly the same is left: ${forms}.`, ...(done.near_complete ? [] : ["There may be more."])]);
}

export const count = (number) => number.toLocaleString("en");
export const texts = (number) => `${count(number)} ${number === 1 ? "text" : "texts"}`;
const LANGUAGES = new Intl.DisplayNames("en", { type: "language" });
export const language = (code) => LANGUAGES.of(code);
export const percent = (p) => p > 0 && p < 0.01 ? "< 1 %" : `${Math.round(100 * p)} %`;
export const serving = (adapter) => adapter === null ? "the model without personal training" : `personal model ${adapter}`;
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const list = (name, ids) => `${name}${ids.length > 1 ? "s" : ""} ${ids.join(", ")}`;
const MOMENT = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
export const moment = (iso) => make("time", { dateTime: iso }, MOMENT.format(new Date(iso)));
export const span = (seconds) => seconds < 90 ? `${Math.ceil(seconds)} seconds`
  : seconds < 5400 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`;
