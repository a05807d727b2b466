// "Devices": those that share the folder, each with a button that removes one that is lost.

import { $, agreed, ask, make, on, say, texts } from "./common.js";

function button(one) {
  const made = make("button", { type: "button", className: "plain", "aria-label": `Remove ${one.name}` }, "Remove");
  on(made, "click", async () => {
    const told = ["It counts as a device that has left; what came from it stays.", "If it still has the words and the folder, it can read on."];
    if (!await agreed(`Remove ${one.name}?`, told, "Remove it")) return;
    show((await ask("/v1/sync", { action: "remove", device: one.id })).sharing);
    say(`${one.name} shares the folder no more.`);
  });
  return made;
}

function show(sharing) {
  $("devices").hidden = sharing === null;
  if (sharing === null) return;
  $("devices-folder").textContent = `They share the folder ${sharing.folder}.`;
  $("device-rows").replaceChildren(...sharing.devices.map((one) => make("li", {},
    make("span", {}, one.name),
    make("small", {}, one.this ? "this device" : `${texts(one.entries)} came from it`),
    one.this ? null : button(one))));
}

export async function start() {
  show((await ask("/v1/sync")).sharing);
}
