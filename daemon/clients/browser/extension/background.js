// The extension's background: who may ask, what is asked of the host, and what the toolbar button shows.
import { Host } from "./background/host.js";
import { Button } from "./background/button.js";
import { Sites, siteOf } from "./background/sites.js";

const api = globalThis.browser ?? chrome;
const host = new Host(api, "idiolect");
const sites = new Sites(api);
const button = new Button(api, sites, host);
let trial = false; // whether one runs, as the service said last
const mended = new Map(); // port → the last word that was mended there: { word, meant }
const frames = new Map(); // ports of content scripts, and the promise of what may be done in each

/** What `told` says of a frame's own site, and of that of the tab that it is in: only what both allow may be done. */
const ofBoth = ({ origin, url, tab }, told) => Promise.all([told(siteOf(origin ?? url)), told(siteOf(tab?.url))]);

async function modeOf(sender) {
  const [own, whole] = await ofBoth(sender, (site) => sites.modeOf(site));
  return own === "off" || whole === "off" ? "off" : own === "learn" && whole === "learn" ? "learn" : "suggest";
}

async function tellMode(port) {
  const found = modeOf(port.sender).catch(() => "off"); // the browser rejects a call now and then
  frames.set(port, found);
  const mode = await found;
  if (mode !== "off") host.connect(); // by the first key it answers
  post(port, { mode, trial });
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
  suggest: async ({ context, prefix, suffix, input_purpose, letter_ms, candidates = 3, ghost_words = 8 }, sender) => {
    const sees = (await ofBoth(sender, (site) => sites.sees(site))).every(Boolean);
    const about = { prefix, suffix, input_purpose, letter_ms, candidates, ghost_words, context: sees ? context : [] };
    const answer = await host.ask("suggest", about);
    if (answer) trial = answer.trial ?? false;
    return answer && { ...answer, sees_context: sees && answer.sees_context === true };
  },
  mended: ({ word, meant }, sender, mode, port) => {
    mended.delete(port);
    if (word) mended.set(port, { word, meant }); // the newest is the last
    return null;
  },
  stretch: ({ suggestions, characters, seconds, keys, input_purpose }) =>
    host.ask("stretch", { suggestions, characters, seconds, keys, input_purpose }),
  slip: ({ meant, typed, input_purpose }, sender, mode) => (mode === "learn" ? host.ask("slip", { meant, typed, input_purpose }) : null),
  feedback: async ({ of }) => {
    for (const one of of) await host.ask("feedback", one); // one at a time: whoever types on goes between
  },
  learn: ({ lines }, sender, mode) =>
    mode === "learn" ? host.learn({ lines, site: siteOf(sender.origin ?? sender.url) }) : null,
};

async function serve(port, message) {
  const mode = (await frames.get(port)) ?? "off";
  const work = mode !== "off" && Object.hasOwn(WORK, message?.do) ? WORK[message.do] : null;
  let answer = null;
  try {
    answer = (await work?.(message, port.sender, mode, port)) ?? null;
  } catch {
    // a call that the browser rejects; who asked waits for an answer
  }
  if (message.id !== undefined) post(port, { id: message.id, answer });
}

api.runtime.onConnect.addListener((port) => {
  if (port.name !== "field" || port.sender.id !== api.runtime.id) return;
  port.onMessage.addListener((message) => void serve(port, message));
  port.onDisconnect.addListener(() => {
    frames.delete(port);
    mended.delete(port);
    if (frames.size === 0) host.rest();
  });
  void tellMode(port);
});

/** The page of a site in which a word was mended last: `[port, { word, meant }]`. */
const mendedOn = (url) => [...mended].findLast(([{ sender }]) => siteOf(url) !== "" && siteOf(sender.tab?.url) === siteOf(url));

/** What the extension's own pages may have done. */
const OWN = {
  state: async ({ url }) => ({ ...(await sites.about(url)), host: await host.state(), mended: mendedOn(url)?.[1] ?? null }),
  putBack: async ({ url, never }) => {
    const found = mendedOn(url);
    if (found === undefined) return false; // its page is gone
    const [port, { word }] = found;
    post(port, { putBack: true });
    return never ? (await host.ask("decide", { kind: "never_correct", text: word })) !== null : true;
  },
  wish: ({ site, mode }) => sites.wish(site, mode),
  unwish: () => sites.unwish(),
  set: async ({ site, mode, url }) => {
    await sites.set(site, mode).catch(() => {}); // it is shown what holds: the choice of before
    return sites.about(url);
  },
  look: ({ site, sees }) => sites.look(site, sees),
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
