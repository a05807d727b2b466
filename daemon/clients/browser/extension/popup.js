// The popup of the toolbar button: what is done on this site, and what to do where nothing works.
import { ALL, patternOf } from "./background/sites.js";

const api = globalThis.browser ?? chrome;
const element = (id) => document.getElementById(id);
const radios = [...document.querySelectorAll("input[name=mode]")];

/** The page that the popup is about; in a window of its own, as tests open it, the one that is named. */
async function pageUrl() {
  const named = new URLSearchParams(location.search).get("url");
  if (named !== null) return named;
  const [tab] = await api.tabs.query({ active: true, currentWindow: true });
  return tab?.url ?? "";
}

const url = await pageUrl();

function show({ site, never, mode, all, sees }) {
  element("site").textContent = site || "idiolect";
  element("never").hidden = !never;
  element("nowhere").hidden = site !== "";
  element("here").hidden = never || site === "";
  for (const radio of radios) radio.checked = radio.value === mode;
  element("all").checked = all !== "off";
  element("sees").checked = sees;
  element("sees").disabled = mode === "off";
  document.body.dataset.ready = mode;
}

function code(text) {
  const found = document.createElement("code");
  found.textContent = text;
  return found;
}

function showHost({ advice, sees }) {
  element("unseen").hidden = sees;
  element("trouble").hidden = advice === "";
  // What is to be run stands between backticks.
  const parts = advice.split("`").map((text, place) => (place % 2 === 0 ? text : code(text)));
  element("trouble").replaceChildren(...parts);
}

/** Show whether nothing is shown for a while, and what may be chosen of the words that were mended in a page of this site. */
function showMenu([quiet, ...lines]) {
  element("quietly").hidden = quiet === undefined;
  element("quiet").checked = quiet?.checked;
  element("quietly").lastElementChild.textContent = quiet?.label ?? "";
  element("mended").hidden = lines.length === 0;
  for (const { key, label } of lines) {
    const button = document.createElement("button");
    button.textContent = label;
    button.value = key;
    button.addEventListener("click", () => void choose(key));
    element("mended").append(button);
  }
}

async function choose(line) {
  const done = await api.runtime.sendMessage({ do: "choose", line });
  element("mended").replaceChildren(done ? "It is put back where it stands close before the cursor." : "The service did not answer.");
}

/** Ask the browser whether the extension may work on a site. Chromium closes the popup meanwhile. */
async function ask(site, mode) {
  void api.runtime.sendMessage({ do: "wish", site, mode }); // not awaited, since only a click may ask
  const may = await api.permissions.request({ origins: [patternOf(site)] });
  if (!may) void api.runtime.sendMessage({ do: "unwish" });
  return may;
}

/** Switch a site, if the browser lets the extension work there. */
async function set(site, mode) {
  const may = mode === "off" || (await ask(site, mode));
  show(await api.runtime.sendMessage(may ? { do: "set", site, mode, url } : { do: "state", url }));
}

const state = await api.runtime.sendMessage({ do: "state", url });
for (const radio of radios) radio.addEventListener("change", () => void set(state.site, radio.value));
element("sees").addEventListener("change", ({ target }) => void api.runtime.sendMessage({ do: "look", site: state.site, sees: target.checked }));
element("quiet").addEventListener("change", () => void api.runtime.sendMessage({ do: "choose", line: "quiet" }));
element("all").addEventListener("change", ({ target }) => void set(ALL, target.checked ? "suggest" : "off"));
show(state);
showMenu(state.menu);
showHost(state.host);
