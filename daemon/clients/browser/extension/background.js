// The extension's background: who may ask, what is asked of the host, and what the toolbar button shows.
import { Host } from "./background/host.js";
import { Button } from "./background/button.js";
import { Sites, siteOf } from "./background/sites.js";

const api = globalThis.browser ?? chrome;
const host = new Host(api, "idiolect");
const sites = new Sites(api);
const button = new Button(api, sites, host);
// Ports of content scripts, and of each its number, the promise of what may be done in it, and whether the host `wants` it
// to read what is answered.
const frames = new Map();
const told = new Map(); // port → the promise that all that it has told is with the host
let framesSeen = 0;

/** What `told` says of a frame's own site, and of that of the tab that it is in: only what both allow may be done. */
const ofBoth = ({ origin, url, tab }, told) => Promise.all([told(siteOf(origin ?? url)), told(siteOf(tab?.url))]);

async function modeOf(sender) {
  const [own, whole] = await ofBoth(sender, (site) => sites.modeOf(site));
  return own === "off" || whole === "off" ? "off" : own === "learn" && whole === "learn" ? "learn" : "suggest";
}

async function tellMode(port) {
  const found = modeOf(port.sender).catch(() => "off"); // the browser rejects a call now and then
  const { number = ++framesSeen, wants = false } = frames.get(port) ?? {};
  frames.set(port, { number, wants, mode: found });
  const mode = await found;
  if (host.isThere && mode !== "learn") host.tell({ frame: number, events: [], site: null }); // what waits to be learned is not
  if (mode !== "off") host.connect(); // by the first key it answers
  post(port, { mode });
}

function post(port, message) {
  try {
    port.postMessage(message);
  } catch {
    frames.delete(port); // its page has gone meanwhile
  }
}

/** What a content script may have done, and in which mode; the site is the browser's word, not the script's. */
const WORK = {
  typed: async ({ events }, sender, { mode, number }) => {
    const isAnswered = ([name, texts]) => name === "answered" && texts.length > 0;
    const mayBe = !events.some(isAnswered) || (await sees(sender));
    const site = mode === "learn" ? siteOf(sender.origin ?? sender.url) : null;
    await host.tell({ frame: number, site, events: events.filter((one) => mayBe || !isAnswered(one)) });
  },
};

/** Whether what its user answers may be read in a frame. */
const sees = async (sender) => (await ofBoth(sender, (site) => sites.sees(site))).every(Boolean);

async function tellSees(port, wants) {
  post(port, { sees: wants && (await sees(port.sender).catch(() => false)) });
}

async function serve(port, message) {
  const { number, mode: asked = "off" } = frames.get(port) ?? {};
  const mode = await asked;
  if (mode === "off" || !Object.hasOwn(WORK, message?.do)) return;
  try {
    await WORK[message.do](message, port.sender, { number, mode });
  } catch {
    // a call that the browser rejects
  }
}

host.onEffects((message) => {
  for (const [port, frame] of frames) {
    if (message === null) post(port, { lost: true });
    else if (frame.number === message.frame) {
      const { frame: number, sees: wants = frame.wants, ...effects } = message;
      if (wants !== frame.wants) void tellSees(port, (frame.wants = wants));
      post(port, effects);
    }
  }
});

api.runtime.onConnect.addListener((port) => {
  if (port.name !== "field" || port.sender.id !== api.runtime.id) return;
  // One after another: keys in their order.
  port.onMessage.addListener((message) => told.set(port, (told.get(port) ?? Promise.resolve()).then(() => serve(port, message))));
  port.onDisconnect.addListener(async () => {
    await told.get(port);
    const { number } = frames.get(port) ?? {};
    frames.delete(port);
    told.delete(port);
    if (number !== undefined && host.isThere) host.tell({ frame: number });
    if (frames.size === 0) host.rest();
  });
  void tellMode(port);
});

/** The numbers of the frames of a site. */
const framesOf = (url) =>
  [...frames].filter(([{ sender }]) => siteOf(url) !== "" && siteOf(sender.tab?.url) === siteOf(url)).map(([, { number }]) => number);

/** What the extension's own pages may have done. */
const OWN = {
  state: async ({ url }) => {
    const about = await sites.about(url);
    const state = await host.state();
    return { ...about, host: state, menu: (await host.ask("menu", { frames: framesOf(url) }))?.lines ?? [] };
  },
  choose: async ({ line }) => (await host.ask("choose", { line })) !== null,
  wish: ({ site, mode }) => sites.wish(site, mode),
  unwish: () => sites.unwish(),
  set: async ({ site, mode, url }) => {
    await sites.set(site, mode).catch(() => {}); // it is shown what holds: the choice of before
    return sites.about(url);
  },
  look: async ({ site, sees }) => {
    await sites.look(site, sees);
    for (const [port, { wants }] of frames) void tellSees(port, wants);
  },
};
/** What a content script may, which runs in somebody else's page. */
const THEIRS = { load: async (_, sender) => sites.load(sender, await modeOf(sender)) };

api.runtime.onMessage.addListener((message, sender, reply) => {
  if (sender.id !== api.runtime.id) return false;
  const work = sender.url?.startsWith(api.runtime.getURL("")) ? OWN : THEIRS;
  if (!Object.hasOwn(work, message?.do)) return false;
  work[message.do](message, sender).then(reply, () => reply(null));
  return true;
});

sites.onChange(() => {
  for (const port of frames.keys()) void tellMode(port);
  void button.show();
});
host.onChange(() => void button.show());
void button.show();
