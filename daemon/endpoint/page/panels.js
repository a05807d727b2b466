// Savings, rounds, what was learned, sources and rules: each a function that asks anew and shows the answer.

import { $, agreed, ask, button, buttons, coded, count, follow, make, moment, on, percent, remove, say, sentence, serving, texts } from "./common.js";
import { roving } from "./grid.js";
import { bars, curve, keyboard } from "./plot.js";

const figure = (name, value) => make("div", {}, make("dt", {}, name), make("dd", {}, value));
const bytes = (size) => size < 1e6 ? `${count(Math.ceil(size / 1e3))} KB` : `${count(Math.round(size / 1e6))} MB`;

const spaced = (letters) => letters.replaceAll(" ", "␣");

async function showSavings() {
  const days = Number($("days").value);
  const found = await ask(`/v1/report?days=${days}`);
  if (days !== Number($("days").value)) return; // as many days as are wanted now are asked for, too
  const by = new Map();
  for (let back = days - 1; back >= 0; back--) {
    const day = new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
    by.set(day, { day, word: 0, ghost: 0, accepted: 0, dismissed: 0 });
  }
  for (const { day, kind, saved, accepted, dismissed } of found.by_day) {
    const row = by.get(day);
    if (!row) continue;
    row[kind] += saved;
    row.accepted += accepted;
    row.dismissed += dismissed;
  }
  const shown = found.savings.accepted + found.savings.dismissed;
  $("savings-figures").replaceChildren(
    figure(`keystrokes saved in ${days} days`, count(found.savings.saved)),
  );
  $("plot-none").hidden = shown > 0;
  $("plotted").hidden = $("tabled").hidden = shown === 0;
  $("plot").replaceChildren(bars([...by.values()]));
  $("savings-rows").replaceChildren(...[...by.values()].reverse().filter((row) => row.accepted + row.dismissed).map((row) =>
    make("tr", {}, make("th", { scope: "row" }, row.day),
      ...[row.word, row.ghost, row.accepted, row.dismissed].map((value) => make("td", {}, count(value))))));
  $("hand").hidden = found.slips.length === 0;
  $("hand-keys").replaceChildren(keyboard(found.keyboard, found.slips));
  $("hand-rows").replaceChildren(...found.slips.map(([meant, typed, times]) => make("tr", {}, make("th", { scope: "row" }, spaced(meant)),
    make("td", {}, spaced(typed)), make("td", {}, count(times)))));
}

const VERDICT = {
  active: "In use: it predicts your recent writing clearly better",
  waiting: "Waits for its language model, which is not in use now",
  retired: "Was in use: it predicted your writing clearly better",
  refused: "Not used: it does not predict your recent writing clearly better",
  damaged: "Damaged, and never used again",
};

/** A verdict's figures: how uncertain the next word is, before and after, and the reason in the program's words. */
function details(row) {
  const { base, both } = row.metrics;
  const figures = base && both
    ? `Perplexity (how many words the next one is as uncertain as) with the base model alone and no memory: ${base.perplexity.toFixed(1)}; with this model and memory: ${both.perplexity.toFixed(1)}.`
    : null;
  const reason = row.reason ? `Against what was in use before: ${row.reason}.` : null;
  if (!figures && !reason) return null;
  return make("details", {}, make("summary", {}, "Details"), ...[reason, figures].filter(Boolean).map((text) => make("small", {}, `${text} `)));
}

export async function showRounds() {
  const [{ adapters }, { rounds_added, round_gains }] = await Promise.all([ask("/v1/adapters"), ask("/v1/status")]);
  const served = adapters.find((row) => row.status === "active");
  const rows = adapters.toReversed().map((row) => make("li", {},
    make("span", {}, `Personal model ${row.id}`, row.status === "active" ? make("span", { className: "badge active" }, "in use") : null),
    make("small", {}, `${VERDICT[row.status]}. Made `, moment(row.created_at), ".", details(row)),
    ["active", "waiting", "damaged"].includes(row.status) ? null
      : buttons(button("Use it", `Use personal model ${row.id}`, () => use(row.id)))));
  rows.push(make("li", {},
    make("span", {}, "Without personal training", served ? null : make("span", { className: "badge active" }, "in use")),
    make("small", {}, "idiolect uses what everybody writes, plus your own words and phrases."),
    served ? buttons(button("Go back to it", "Go back to the model without personal training", () => use(null))) : null));
  $("adapters").replaceChildren(...rows);
  $("gained").hidden = !rounds_added;
  $("gained").textContent = rounds_added ? `${sentence(rounds_added)}.` : "";
  $("gains").hidden = round_gains.length < 2;
  $("gains").replaceChildren(...(round_gains.length < 2 ? [] : [curve(round_gains)]));
}

async function use(adapter) {
  await ask("/v1/use", { adapter });
  await showRounds();
  say(`${sentence(serving(adapter))} is in use now.`);
}

const SHOWN = 100; // words and phrases

async function showLearned() {
  const contains = $("contains").value;
  const words = (await ask("/v1/learned", { limit: SHOWN + 1, contains })).words; // one more says that there are more
  if (contains !== $("contains").value) return; // what is searched for now is asked for, too
  $("words").replaceChildren(...words.slice(0, SHOWN).map((one) => make("tr", {},
    make("th", { scope: "row" }, one.text), make("td", {}, one.count === 1 ? "once" : `${count(one.count)} times`),
    make("td", {},
      button("Never suggest", `Never suggest ${one.text}`, async () => {
        await ask("/v1/words/add", { kind: "never", text: one.text });
        document.dispatchEvent(new CustomEvent("words-changed"));
        say(`“${one.text}” is never suggested now. Undo it under Your words.`);
      }),
      button("Forget", `Forget ${one.text}`, () =>
        remove(`Forget “${one.text}”?`, "/v1/forget", { phrase: one.text }, showAll))))));
  roving($("words-grid"));
  $("words-more").textContent = words.length > SHOWN ? `The first ${SHOWN} are listed. Search for others.` : "";
  $("words-none").replaceChildren(...coded(contains ? "Nothing characteristic has this in it. Text may: “Forget text with this” looks there."
    : "Nothing yet. idiolect learns from what you let it read, and from the programs that you type in."));
  $("words-none").hidden = words.length > 0;
}

async function showSources() {
  const [{ sources: read }, now] = await Promise.all([ask("/v1/sources"), ask("/v1/status")]);
  const kinds = Object.entries(now.sources); // of one alone the first sentence of the page says how many texts it is
  const by = kinds.length > 1 ? `: ${kinds.map(([name, number]) => `${name} ${texts(number)}`).join(", ")}` : "";
  await offerTextSources(kinds.map(([name]) => name));
  $("sources-sum").textContent = now.words ? `idiolect has read ${count(now.words)} words of yours${by}.` : "";
  const unread = now.watches.filter((path) => !read.some((row) => row.path === path));
  $("source-rows").replaceChildren(...[...read, ...unread.map((path) => ({ path }))].map((row) => {
    const followed = now.watches.includes(row.path);
    return make("li", {},
      make("span", { title: row.path }, row.path.split("/").at(-1) || row.path, followed ? make("span", { className: "badge active" }, "followed") : null),
      row.kind ? make("small", {}, `${row.path} · ${texts(row.entries)}, ${count(row.words)} words · read `, moment(row.read_at)) : null,
      buttons(followed ? button("Stop following", `Stop following ${row.path}`, () => unfollow(row.path))
        : row.kind === "folder" ? button("Follow", `Follow ${row.path}`, () => followFolder(row.path)) : null,
        row.kind ? button("Remove …", `Remove ${row.path}`, () =>
          remove("Forget what was read here?", "/v1/sources/remove", { path: row.path }, showAll, ["Your own files stay as they are."])) : null));
  }));
}

const TEXTS = 20; // shown at once
let oldest = null; // the number of the last text that is shown

/** Lists the newest texts of the chosen source, or goes on with older ones. */
async function showTexts(more = false) {
  const source = $("texts-of").value;
  const found = (await ask("/v1/audit/texts", { source, limit: TEXTS, before: more ? oldest : null })).texts;
  if (!more) $("text-rows").replaceChildren();
  $("text-rows").append(...found.map((entry) => make("li", {},
    make("span", {}, entry.text),
    make("small", {}, `${entry.app ?? source} · `, moment(entry.at)),
    buttons(button("Forget", `Forget text ${entry.id}`, () =>
      remove("Forget this text?", "/v1/forget", { ids: [entry.id] }, showAll))))));
  oldest = found.at(-1)?.id ?? oldest;
  $("texts-more").hidden = found.length < TEXTS;
}

/** Offers the sources whose texts can be read; texts that are shown are read again, unless their source is gone. */
async function offerTextSources(names) {
  const chosen = $("texts-of").value;
  $("texts-of").replaceChildren(...names.map((name) => make("option", { value: name, selected: name === chosen }, name)));
  $("texts").hidden = !names.length;
  if (!names.includes(chosen)) {
    $("text-rows").replaceChildren();
    $("texts-more").hidden = true;
  }
  if ($("text-rows").children.length) await showTexts();
}

async function followFolder(path) {
  const sentences = [`${path} is read once more. What you newly write there is learned, too.`];
  if (!await agreed("Follow this folder?", sentences, "Follow it", { no: "Do not follow it" })) return;
  await read("/v1/watch", { path, confirmed: true });
  say("It is followed: what you newly write there is learned, too.");
}

async function unfollow(path) {
  await ask("/v1/watch", { path, remove: true });
  await showSources();
  say("It is followed no longer; what was read of it is kept.");
}

const DOES = { exclude: "is off", quiet: "suggests only", allow: "suggests and learns",
  on: "sees what you answer", off: "does not see what you answer" };

async function showRules(given) {
  const { rules } = given ?? await ask("/v1/apps");
  const shown = (row) => make("li", {},
    make("span", {}, make("strong", {}, row.app), `: ${DOES[row.rule ?? row.context]}`), make("small", {}, row.source === "you" ? "your rule" : row.source),
    row.source === "you" ? buttons(button("Remove", `Remove the rules for ${row.app}`, async () => {
      await showRules(await ask("/v1/apps", { app: row.app, remove: true }));
      say("The rule is removed.");
    })) : null);
  const yours = rules.filter((row) => row.source === "you"), others = rules.filter((row) => row.source !== "you");
  $("rule-rows").replaceChildren(...yours.map(shown));
  $("rule-others").replaceChildren(...others.map(shown));
  $("rules-built-in").textContent = `${others.length} other rules: password managers, terminals, settings`;
}

/** Lists what there is to read on this machine, each with a button that reads it. */
async function find() {
  $("reading").textContent = "Looking …";
  let nothing = "";
  try {
    const { sources: found } = await ask("/v1/sources/find", {});
    $("found").replaceChildren(...found.map((place) => {
      const row = make("li", {},
        make("span", {}, sentence(place.says)),
        make("small", {}, `${bytes(place.size_bytes)} in ${place.path}${place.me.length ? `. Only what ${place.me.join(" or ")} wrote is read.` : ""}`),
        buttons(button("Read it", `Read ${place.path}`, async () => {
          await read("/v1/import", { paths: [place.path], me: place.me });
          row.remove();
        })));
      return row;
    }));
    if (found.length) say(`${found.length} found.`);
    else nothing = "Nothing else was found. Name a file or folder below.";
  } finally {
    $("reading").textContent = nothing;
  }
}

/** Has files or a folder read, as `asked`, and says how far it is. */
async function read(address, asked) {
  $("reading").textContent = "Reading …";
  try {
    const report = await follow(address, asked, (event) => {
      if (event.path) $("reading").textContent = `Reading ${event.path} …`;
    });
    say(`Read: ${texts(report.entries ?? 0)} taken.`);
  } finally {
    $("reading").textContent = "";
  }
  await showAll();
}

async function showAll() {
  await Promise.all([showSavings(), showRounds(), showLearned(), showSources(), showRules()]);
}

export async function start() {
  on($("days"), "change", showSavings);
  let typing;
  const mayForget = () => { $("forget-text").disabled = !$("contains").value; };
  mayForget(); // a browser keeps what stood in a field when its page is loaded anew
  $("contains").addEventListener("input", () => {
    mayForget();
    clearTimeout(typing);
    typing = setTimeout(() => showLearned().catch((error) => say(error.message)), 250);
  });
  on($("search"), "submit", showLearned);
  on($("forget-text"), "click", () => {
    const text = $("contains").value;
    return remove(`Forget all text with “${text}” in it?`, "/v1/forget", { text }, showAll);
  });
  on($("rule"), "submit", async () => {
    const kind = $("rule-kind").value, field = ["on", "off"].includes(kind) ? "context" : "rule";
    await showRules(await ask("/v1/apps", { app: $("rule-app").value, [field]: kind }));
    $("rule").reset();
    say("The rule holds from now on.");
  });
  on($("source"), "submit", async () => {
    await read("/v1/import", { paths: [$("source-path").value.trim()] });
    $("source").reset();
  });
  on($("find"), "click", find);
  on($("texts"), "submit", () => showTexts());
  on($("texts-more"), "click", () => showTexts(true));
  let counted;
  document.addEventListener("counted", () => {
    clearTimeout(counted);
    counted = setTimeout(() => showSavings().catch(() => {}), 300);
  });
  await showAll();
}
