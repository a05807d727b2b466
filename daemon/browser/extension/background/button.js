// The toolbar button: what is done on the site of each tab, and whether something keeps it from being done.
import { siteOf } from "./sites.js";
import { ADVICE } from "./host.js";

const SHOWN = {
  off: { text: "", title: "idiolect: off the record here" },
  suggest: { text: "s", title: "idiolect: suggests here" },
  learn: { text: "l", title: "idiolect: suggests and learns here" },
};

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
    api.action.setBadgeBackgroundColor({ color: "#0a5fb4" });
  }

  /** Show it in all tabs anew. */
  async show() {
    for (const tab of await this.#api.tabs.query({})) await this.#showTab(tab);
  }

  async #showTab({ id: tabId, url }) {
    const mode = await this.#sites.modeOf(siteOf(url)); // without the permission there is no address: off
    const advice = mode === "off" ? "" : ADVICE[this.#host.trouble];
    const { text, title } = SHOWN[mode];
    try {
      await this.#api.action.setBadgeText({ tabId, text: advice ? "!" : text });
      await this.#api.action.setTitle({ tabId, title: advice ? `idiolect: ${advice}` : title });
    } catch {
      // the tab has been closed meanwhile
    }
  }
}
