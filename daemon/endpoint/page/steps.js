// The first steps: what to read, learning, where one types. Each shows a section of the page alone; it can be left, and taken up again.

import { $, on } from "./common.js";

const STEPS = [
  { shows: ["sources"], says: "Choose what idiolect may read of your own writing. Below is what it found on this computer. It reads nothing before you press “Read it”." },
  { shows: ["rounds"], says: "idiolect learns from what it has read, on this computer alone, while you do not type. You need not wait. Phrases you use often are suggested straight away." },
  { shows: ["try", "places"], says: "Try it below. Press Tab to take grey text. Type “teh” and a space: idiolect offers “the”. Further down, connect the programs that you write in." },
];
const KEPT = "idiolect-steps"; // the step that one is at, or "left"

let at = null;

/** Shows a step, or with null the whole page. */
function go(step) {
  at = step;
  localStorage.setItem(KEPT, step ?? "left");
  const shows = STEPS[step]?.shows;
  for (const section of document.querySelectorAll("main section:not(#steps)")) section.classList.toggle("aside", Boolean(shows) && !shows.includes(section.id));
  document.querySelector("nav").classList.toggle("aside", Boolean(shows));
  $("steps").hidden = !shows;
  $("steps-open").hidden = Boolean(shows);
  if (!shows) return;
  for (const [place, button] of [...$("step-list").querySelectorAll("button")].entries()) {
    if (place === step) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
  $("step-says").textContent = STEPS[step].says;
  $("step-next").textContent = step === STEPS.length - 1 ? "Done" : "Next";
  if (step === 0 && !$("found").children.length) $("find").click();
}

/** `status` says whether anything was ever learned: only who begins is led. */
export function start(status) {
  for (const [place, button] of [...$("step-list").querySelectorAll("button")].entries()) on(button, "click", () => go(place));
  on($("step-next"), "click", () => go(at === STEPS.length - 1 ? null : at + 1));
  on($("steps-leave"), "click", () => go(null));
  on($("steps-open"), "click", () => { go(0); $("steps").scrollIntoView(); });
  const kept = localStorage.getItem(KEPT);
  if (kept === null ? status.entries === 0 : kept !== "left") go(Number(kept ?? 0));
}
