// The way to the service: the native-messaging host, which the browser starts and which relays.

const PROTOCOL = 5; // of the oldest host that this extension understands
const REST_MS = 300000; // without a page that asks; then the host ends
const AGAIN_MS = 5000; // between two tries to start a host that is not there

/** What is to be done, in one sentence, about each state in which nothing is suggested. */
export const ADVICE = {
  ready: "",
  paused: "Learning is paused: run `idiolect pause --end` to go on.",
  missing: "The browser finds no idiolect: install it, then run `idiolect setup browser`.",
  old: "The installed idiolect is older than this extension: update it, then start the browser anew.",
  stopped: "The service is stopped: run `idiolect start`.",
  locked: "The profile is locked: run `idiolect unlock`.",
  refused: "The service refuses what it is asked: run `idiolect doctor`.",
};

export class Host {
  #api;
  #name;
  #port = null;
  #greeted = null; // a promise of whether this host can be used
  #waiting = new Map();
  #asked = 0;
  #failed = 0; // when it could not be started, or ended soon after
  #started = 0;
  #trouble = "ready";
  #changed = () => {};
  #effects = () => {}; // is told what a frame is to do, or that a host has gone: null
  #resting = null; // the timer of `rest`

  constructor(api, name) {
    this.#api = api;
    this.#name = name;
  }

  /** Calls `then` whenever the state may have become another. */
  onChange(then) {
    this.#changed = then;
  }

  /** Calls `then` with what the host wants done in a frame, and with null once it knows none any more. */
  onEffects(then) {
    this.#effects = then;
  }

  get isThere() {
    return this.#port !== null;
  }

  get trouble() {
    return this.#trouble;
  }

  /** Start the host unless it runs, or could not be started just now; whether it can be used. */
  connect({ atOnce = false } = {}) {
    this.#wake();
    if (this.#port !== null) return this.#greeted;
    if (!atOnce && Date.now() - this.#failed < AGAIN_MS) return Promise.resolve(false);
    const port = this.#api.runtime.connectNative(this.#name);
    this.#port = port;
    this.#started = Date.now();
    port.onMessage.addListener((message) => this.#take(message));
    port.onDisconnect.addListener(() => {
      void this.#api.runtime.lastError; // read, or the browser complains
      if (this.#port === port) this.#lose();
    });
    this.#greeted = this.#send("hello", {}).then(({ answer }) => {
      if (answer === undefined) return this.#note("missing");
      if (!(answer.protocol >= PROTOCOL)) return this.#note("old");
      this.#note("ready");
      return true;
    });
    return this.#greeted;
  }

  /** The host's answer, or null where there is none; `state` then says why. */
  async ask(what, about) {
    if (!(await this.connect())) return null;
    const { answer, problem } = await this.#send(what, about);
    if (answer?.paused === undefined) this.#note(this.#troubleOf(problem ?? ""));
    else this.#note(answer.paused ? "paused" : "ready");
    return answer ?? null;
  }

  /** Tell the host of typing, to which there is no answer; nothing is kept for a host that is not there. */
  async tell(about) {
    if (await this.connect()) this.#port?.postMessage({ ...about, do: "typed" });
    else this.#effects(null);
  }

  /** How it stands, asked now: what to do about it, if anything. */
  async state() {
    await this.connect({ atOnce: true });
    const answer = await this.ask("state", {});
    return { advice: ADVICE[this.#trouble], sees: answer?.sees_context ?? true };
  }

  /** No page asks any more: end the host after a while, once no text waits in it for the service. */
  rest() {
    this.#wake();
    const resting = setTimeout(async () => {
      const { answer } = await this.#send("rest", {});
      if (this.#resting !== resting) return; // a page has asked meanwhile
      if (answer?.waits) return this.rest();
      this.#port?.disconnect();
      this.#port = null;
    }, REST_MS);
    this.#resting = resting;
  }

  #wake() {
    clearTimeout(this.#resting);
    this.#resting = null;
  }

  #send(what, about) {
    if (this.#port === null) return Promise.resolve({ problem: "missing" });
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#port.postMessage({ ...about, id, do: what });
    });
  }

  #take(message) {
    if (message.frame !== undefined) return this.#effects(message);
    if (message.id === undefined) return this.#note(this.#troubleOf(message.problem));
    this.#waiting.get(message.id)?.(message);
    this.#waiting.delete(message.id);
  }

  #lose() {
    this.#port = null;
    if (Date.now() - this.#started < AGAIN_MS) this.#failed = Date.now();
    for (const resolve of this.#waiting.values()) resolve({ problem: "missing" });
    this.#waiting.clear();
    this.#effects(null);
  }

  /** The state that a problem of the host's is; a busy service changes none, nor does an answer that a pause goes on. */
  #troubleOf(problem) {
    if (problem === "busy" || (problem === "" && this.#trouble === "paused")) return this.#trouble;
    return problem === "" ? "ready" : problem in ADVICE ? problem : "refused";
  }

  #note(trouble) {
    if (trouble !== this.#trouble) {
      this.#trouble = trouble;
      this.#changed();
    }
    return false;
  }
}
