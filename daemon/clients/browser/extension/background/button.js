// The toolbar button: what is done on the site of each tab, and whether something keeps it from being done.
import { siteOf } from "./sites.js";
import { ADVICE } from "./host.js";

const SHOWN = {
  off: { text: "", title: "idiolect: off", color: "#4b5563" },
  suggest: { text: "S", title: "idiolect: suggests only", color: "#4b5563" },
  learn: { text: "L", title: "idiolect: suggests and learns", color: "#1a7f37" },
};
const TROUBLE_COLOR = "#b3410a";

export class Button {
  #api;
  #sites;
  #host;

  constructor(api, sites, host) {
    this.#api = api;
    this.#sites = sites;
    this.#host = host;
    api.tabs.onUpdated.addListener((tabId, change, tab) => {
      if (change.url !== undefined || change.status === "loading") void this.#showTab(tab);
    });
  }

  /** Show it in all tabs anew. */
  async show() {
    for (const tab of await this.#api.tabs.query({})) await this.#showTab(tab);
  }

  async #showTab({ id: tabId, url }) {
    const mode = await this.#sites.modeOf(siteOf(url)); // without the permission there is no address: off
    const { trouble } = this.#host;
    const matters = mode !== "off" && (mode === "learn" || trouble !== "paused"); // suggestions go on
    const advice = matters ? ADVICE[trouble] : "";
    const { text, title, color } = SHOWN[mode];
    try {
      await this.#api.action.setBadgeBackgroundColor({ tabId, color: advice ? TROUBLE_COLOR : color });
      await this.#api.action.setBadgeText({ tabId, text: advice ? "!" : text });
      await this.#api.action.setTitle({ tabId, title: advice ? `idiolect: ${advice}` : title });
    } catch {
      // the tab has been closed meanwhile
    }
  }
}
