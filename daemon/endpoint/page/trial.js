// The trial of one: begun and ended, and what came of it.

import { $, agreed, ask, on } from "./common.js";

let state = "none";

function show(stands) {
  state = stands.state;
  $("trial-says").textContent = state === "none" ? "Do suggestions make you faster?" : stands.says;
  $("trial").textContent = state === "running" ? "End the trial" : state === "none" ? "Find out" : "Try again";
  $("trial").hidden = false;
}

export async function start() {
  on($("trial"), "click", async () => {
    if (state === "running") return show(await ask("/v1/trial/stop", {}));
    const sentences = [
      "In one of four fields that you write in, drawn by chance, nothing is suggested, until enough is known or you end it.",
      "Of each field the number of characters, keys and seconds is kept, and no text.",
      ...(state === "ended" ? ["What came of the last trial is forgotten."] : []),
    ];
    if (await agreed("Leave out suggestions now and then?", sentences, "Begin")) show(await ask("/v1/trial/start", {}));
  });
  show(await ask("/v1/trial"));
}
