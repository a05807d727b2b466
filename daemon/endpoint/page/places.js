// "In your programs": the programs that one types in, which of them are connected, and what connects the others.

import { $, agreed, ask, button, buttons, coded, count, make, say } from "./common.js";

const LOOK_MS = 10_000; // a package that was missing, or a log-out, is noticed without a click

/** What a button, or another program's menu, does for who has no terminal. */
const COMMAND = /(Run |, or (run )?)?`[^`]+`( again)?/;

/** What is said of one that is here, or that most people will want. */
function says({ connected, found, next_step: next, button: does }) {
  if (connected) return next ?? `Connected: ${found}`;
  const left = next.replace(COMMAND, "").replace(/\s*\.*$/, ".").replace(/^\.$/, "");
  return `${found ? "Found, not connected. " : ""}${left}${does ? "" : " This page notices once that is done."}`;
}

/** What is said, line by line; lines with a number are steps, in each of which code can be copied. */
function lines(text) {
  const made = [];
  for (const line of text.split("\n")) {
    const [, step] = line.match(/^\d+\. (.*)/) ?? [];
    if (!step) made.push(make("small", {}, ...coded(line)));
    else if (made.at(-1).tagName !== "OL") made.push(make("ol"));
    if (step) made.at(-1).append(make("li", {}, ...coded(step), ...[...step.matchAll(/`([^`]+)`/g)].map(([, code]) => copies(code))));
  }
  return made;
}

const copies = (text) => button("Copy", `Copy ${text}`, async () => {
  await navigator.clipboard.writeText(text);
  say("Copied.");
});

/** How much connecting writes; a change without a path is of a setting. */
function writes(place, changes) {
  const files = changes.filter(({ where }) => where.startsWith("/")).length, settings = changes.length - files;
  const much = (number, one, many) => number ? [`${count(number)} ${number === 1 ? one : many}`] : [];
  const all = [...much(files, "small file", "small files"), ...much(settings, "entry in your settings", "entries in your settings")].join(" and ");
  return all ? `To connect, idiolect adds ${all}. It changes none of your own files. \`idiolect setup ${place} --remove\` takes that back.` : "Nothing needs to be written.";
}

const named = (does, title) => `${does.replace(" …", "")}: ${title}`;

/** Shows what connecting would write, asks, and writes it. */
async function connect({ place, title, button: does }) {
  const { changes, learns } = await ask("/v1/places/connect", { place, dry_run: true });
  const learn = make("input", { type: "checkbox", role: "switch", checked: learns === true });
  const rows = changes.map(({ where, lines }) => make("details", {}, make("summary", {}, where), make("pre", { tabIndex: 0 }, lines)));
  const about = learns !== null
    ? [make("label", { className: "switch" }, learn, " Learn what I write with it, but for password fields, terminals and private windows")] : [];
  const details = rows.length ? [make("details", {}, make("summary", {}, "Details"), ...rows)] : [];
  if (!await agreed(named(does, title), [make("p", {}, ...coded(writes(place, changes))), ...about, ...details], does.replace(" …", ""), { no: "Leave it as it is" })) return;
  const { done, first } = await ask("/v1/places/connect", { place, learn: about.length ? learn.checked : null });
  await show();
  say(first || done.at(-1)); // which files were written, the user has read and agreed to; the row says the rest
}

let shown = "";

async function show() {
  const { places } = await ask("/v1/places");
  if (shown === JSON.stringify(places)) return; // the focus stays where it is
  shown = JSON.stringify(places);
  const here = places.filter((one) => one.found || one.next_step);
  $("place-rows").replaceChildren(...here.map((one) => make("li", {},
    make("span", {}, one.title, one.connected ? make("span", { className: "badge active" }, "connected") : null),
    ...lines(says(one)),
    one.button ? buttons(button(one.button, named(one.button, one.title), () => connect(one))) : null)));
  $("places-absent").textContent = here.length ? "" : "No program was found that idiolect connects to.";
}

export async function start() {
  await show();
  setInterval(() => { if (!document.hidden && $("gone").hidden) show().catch(() => {}); }, LOOK_MS);
}
