// The rules by site: which pages get the content script, and what it may do there.
import { isNever, NEVER_PATTERNS } from "../never_sites.js";

const files = (names) => names.split(" ").map((name) => `content/${name}.js`);
/** What every page of a site gets that is switched on. */
const FIRST = files("fields text start");
/** The rest, once its user is in a field; each file needs those before it. */
const REST = files(
  "now nodes sight thread context caret overlay link showing telling insert mending taking visiting keys pointing main",
);
const SCRIPT = "fields";
const MODES = ["off", "suggest", "learn"];
const WISH_MS = 5 * 60_000; // for so long the browser's question may stay unanswered
const AGAIN_MS = 5000; // after the browser has refused to register the content script
/** The name that stands for every site which has no rule of its own. */
export const ALL = "*";

/** The site that an address belongs to: its host's name; "" where it has none. */
export function siteOf(url) {
  if (!URL.canParse(url ?? "")) return "";
  const { protocol, hostname } = new URL(url);
  return /^https?:$/.test(protocol) ? hostname : "";
}

/** The match pattern of a site. */
export const patternOf = (site) => (site === ALL ? "*://*/*" : `*://${site}/*`);

export class Sites {
  #api;
  #kept = {}; // what storage holds, by name, once it was read: `rules`, site → mode; `unseen`, sites whose pages are not read
  #changed = () => {};
  #registering = Promise.resolve();
  #again;

  constructor(api) {
    this.#api = api;
    api.permissions.onAdded.addListener(() => void this.#allowed());
    api.permissions.onRemoved.addListener(() => {
      this.#changed(); // what may be done is asked of the browser each time
      void this.#register();
    });
    api.runtime.onInstalled.addListener(() => void this.#register());
    api.runtime.onStartup.addListener(() => void this.#register());
  }

  /** Calls `then` whenever a rule has changed. */
  onChange(then) {
    this.#changed = then;
  }

  /** "off", "suggest" or "learn": what may be done in the pages of a site; "off" once the browser does not allow it. */
  async modeOf(site) {
    if (site === "" || isNever(site)) return "off";
    const rules = await this.#read("rules", {});
    const mode = rules[site] ?? rules[ALL] ?? "off";
    return mode !== "off" && (await this.#mayRunOn(site)) ? mode : "off";
  }

  /** What the popup shows of the site of an address. */
  async about(url) {
    const site = siteOf(url);
    const rules = await this.#read("rules", {});
    const all = rules[ALL] !== undefined && (await this.#mayRunOn(ALL)) ? rules[ALL] : "off";
    return { site, never: site !== "" && isNever(site), mode: await this.modeOf(site), all, sees: await this.sees(site) };
  }

  /** Whether what its user answers may be read in the pages of a site, where anything is suggested there. */
  async sees(site) {
    return !(await this.#read("unseen", [])).includes(site);
  }

  /** From now on it may be read, or not. */
  async look(site, sees) {
    const others = (await this.#read("unseen", [])).filter((one) => one !== site);
    await this.#keep("unseen", sees ? others : [...others, site]);
  }

  /**
   * Remember the choice for which the browser is about to be asked: the popup may be closed by the question, and then
   * learns of no answer.
   */
  async wish(site, mode) {
    await this.#api.storage.session.set({ wish: { site, mode, at: Date.now() } });
  }

  /** Nothing is chosen that waits for the browser. */
  async unwish() {
    await this.#api.storage.session.remove("wish");
  }

  /** Its user has allowed the extension to run somewhere: what they had chosen there holds from now on. */
  async #allowed() {
    const { wish } = await this.#api.storage.session.get("wish");
    const isFresh = wish && Date.now() - wish.at < WISH_MS; // the popup may have been closed before it could say no
    if (isFresh && (await this.#mayRunOn(wish.site))) return this.set(wish.site, wish.mode);
    await this.#register();
    this.#changed();
  }

  /** Give a site, or all, another mode. The browser has been asked for the permission before. */
  async set(site, mode) {
    await this.unwish();
    if (!MODES.includes(mode) || site === "") return;
    const rules = { ...(await this.#read("rules", {})), [site]: mode };
    const isAsAll = site !== ALL && mode === (rules[ALL] ?? "off");
    if (isAsAll && (mode === "off" || (await this.#mayRunOn(ALL)))) delete rules[site];
    if (rules[ALL] === "off") delete rules[ALL];
    await this.#keep("rules", rules);
    await this.#register();
    this.#changed();
  }

  /** Load the rest of the content script into a frame; whether anything may be done there. */
  async load({ tab, frameId }, mode) {
    if (mode === "off" || tab === undefined) return false;
    try {
      await this.#api.scripting.executeScript({ target: { tabId: tab.id, frameIds: [frameId] }, files: REST });
    } catch {
      return false; // the frame has gone meanwhile
    }
    return true;
  }

  #mayRunOn(site) {
    return this.#api.permissions.contains({ origins: [patternOf(site)] });
  }

  /** What storage holds under a name; a call that the browser rejects is made again the next time. */
  async #read(name, otherwise) {
    const found = this.#kept[name] ?? (await this.#api.storage.local.get(name))[name];
    return (this.#kept[name] ??= found ?? otherwise);
  }

  async #keep(name, value) {
    await this.#api.storage.local.set({ [name]: value });
    this.#kept[name] = value;
  }

  /** Have the browser run the content script in the pages that are switched on, and in no other; soon again if it refuses. */
  #register() {
    clearTimeout(this.#again);
    this.#registering = this.#registering
      .then(() => this.#registerNow())
      .catch(() => (this.#again = setTimeout(() => void this.#register(), AGAIN_MS)));
    return this.#registering;
  }

  async #registerNow() {
    const { scripting } = this.#api;
    const rules = await this.#read("rules", {});
    const matches = [];
    for (const site of Object.keys(rules).filter((site) => rules[site] !== "off")) {
      if (await this.#mayRunOn(site)) matches.push(patternOf(site));
    }
    const off = Object.keys(rules).filter((site) => rules[site] === "off");
    const ids = [SCRIPT];
    const [registered] = await scripting.getRegisteredContentScripts({ ids });
    if (matches.length === 0) return registered && scripting.unregisterContentScripts({ ids });
    const script = {
      id: SCRIPT,
      js: FIRST,
      matches,
      excludeMatches: [...NEVER_PATTERNS, ...off.map(patternOf)],
      allFrames: true,
      matchOriginAsFallback: true, // frames of the same site without an address of their own
      runAt: "document_idle",
      persistAcrossSessions: true,
    };
    await (registered ? scripting.updateContentScripts([script]) : scripting.registerContentScripts([script]));
    await this.#inject(matches);
  }

  /** Run it in the pages that are open already. */
  async #inject(matches) {
    for (const { id } of await this.#api.tabs.query({ url: matches })) {
      const target = { tabId: id, allFrames: true };
      try {
        const found = await this.#api.scripting.executeScript({ target, func: () => Object.hasOwn(globalThis, "idiolect") });
        const frameIds = found.filter(({ result }) => !result).map(({ frameId }) => frameId);
        if (frameIds.length > 0) {
          await this.#api.scripting.executeScript({ target: { tabId: id, frameIds }, files: FIRST });
        }
      } catch {
        // a page that no extension may touch, such as a store of extensions
      }
    }
  }
}
