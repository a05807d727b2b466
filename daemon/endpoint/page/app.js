// The page's frame: the state that is always in view, pausing, training, and what to do when the session ends.

import { $, ask, coded, on, percent, say, sentence, serving, span } from "./common.js";
import * as base from "./base.js";
import * as devices from "./devices.js";
import * as panels from "./panels.js";
import * as places from "./places.js";
import * as playground from "./playground.js";
import * as steps from "./steps.js";
import * as story from "./story.js";
import * as switches from "./switches.js";
import * as trial from "./trial.js";
import * as words from "./words.js";

const LOOK_MS = 5000, LOOK_WHILE_TRAINING_MS = 1000;
const PHASE = { prepare: "Preparing", train: "Learning", export: "Saving what it learned", judge: "Checking what it learned" };

let paused = false, training = false, changing = false, timer;

function state(look, text, more = "") {
  $("state").className = look;
  $("state-more").textContent = more;
  if ($("state-text").textContent !== text) $("state-text").textContent = text; // said again only where it changes
}

/** When training starts, for people. */
function outlook(why) {
  const when = why.replace("a round is due; it waits until the keyboard rests", "learning starts when you stop typing")
    .replace("a round is due and starts within a minute", "learning starts within a minute")
    .replace("a round is due; it ", "learning ").replace(/^a round is due after (.*) more words of new text/, "learning starts after $1 more words that you write")
    .replace("rounds start only when asked for (auto_train is off)", "training starts only when you ask for it");
  return `${sentence(when)}.`;
}

async function status() {
  clearTimeout(timer);
  try {
    const now = await ask("/v1/status");
    paused = now.paused;
    const left = now.paused_for_s === null ? "until resumed" : `${span(now.paused_for_s)} left`;
    const serves = now.adapter === null ? "" : sentence(serving(now.adapter));
    const hides = now.quiet ? `Quiet: ${span(now.quiet_for_s)} left` : "";
    state(paused ? "paused" : "learning", paused ? "Paused" : "On", paused ? left : hides || serves);
    $("pause-button").textContent = paused ? "Resume" : "Pause";
    $("pause-for").hidden = paused;
    $("version").textContent = `idiolect ${now.version}`;
    story.show(now);
    switches.showStatus(now);
    changing = base.show(now);
    const round = now.training, used = now.rounds_today;
    const last = now.last_round;
    const failed = last && !["promoted", "refused", "running"].includes(last.status) ? ` The last training was ${last.status}: ${last.reason}.` : "";
    $("next").textContent = `${outlook(now.next_round)}${failed} Today it has trained for ${span(used.used_s)}, of ${span(used.budget_s)} at most.`;
    $("progress").hidden = !round;
    $("train").disabled = Boolean(round);
    if (round) {
      $("progress").firstElementChild.value = round.done ?? 0;
      const phase = sentence(PHASE[round.phase] ?? round.phase ?? "Starting");
      const holds = round.waits ? `. It ${round.waits}.` : "";
      $("progress-text").replaceChildren(...coded(`${phase}, ${percent(round.done ?? 0)}${holds}`));
    } else if (training) {
      if (last) say(`${sentence(last.status)}: ${last.reason}.`);
      await panels.showRounds();
    }
    training = Boolean(round);
    return now;
  } finally {
    if (!document.hidden && $("gone").hidden) {
      timer = setTimeout(() => status().catch(() => {}), training || changing ? LOOK_WHILE_TRAINING_MS : LOOK_MS);
    }
  }
}

on($("pause"), "submit", async () => {
  if (paused) await ask("/v1/resume", {});
  else await ask("/v1/pause", { for_s: Number($("pause-for").value) || null });
  await status();
});

on($("train"), "click", async () => {
  await ask("/v1/train", {});
  training = true;
  say("Training has begun. What it makes is used only if it predicts your newest text better.");
  await status();
});

document.addEventListener("unanswered", () => state("silent", "The service does not answer"));
document.addEventListener("ended", () => {
  document.querySelector("main").hidden = true;
  document.querySelector("header form").hidden = true;
  state("silent", "Not connected");
  $("gone").replaceChildren(...coded("This page needs a new link. Open idiolect among your programs, or run `idiolect open`."));
  $("gone").hidden = false;
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) status().catch(() => {}); });

try {
  const begun = await status();
  document.querySelector("main").hidden = false;
  playground.start();
  base.start(status);
  $("text").focus({ preventScroll: true });
  story.play();
  const shown = Promise.all([panels.start(), words.start(), switches.start(status), trial.start(), places.start(), devices.start()]);
  steps.start(begun);
  await shown;
} catch (error) {
  if ($("gone").hidden) say(error.message);
}
