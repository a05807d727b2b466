// The way to the background: what it is told, and what it tells.
idiolect.link ??= (() => {
  const api = globalThis.browser ?? chrome;
  const told = { mode() {}, answer() {}, lost() {}, gone() {}, putBack() {} };
  const QUIET_MS = 1000; // in which nothing becomes of a suggestion: then it is told what became of the last ones
  const MAX_KEPT = 50;
  let port = null;
  let fates = []; // what became of suggestions, not yet told
  let telling = 0;

  /**
   * Who is told of what comes: `mode` of what may be done here and whether a trial runs, `answer` of the answer with a number, `lost` when no
   * answer will come any more, `gone` when the extension has been removed or replaced, `putBack` when its user wants a mended word back.
   */
  function on(handlers) {
    Object.assign(told, handlers);
  }

  function connect() {
    if (port !== null) return;
    try {
      port = api.runtime.connect({ name: "field" });
    } catch {
      return told.gone();
    }
    port.onMessage.addListener(({ mode, trial, id, answer, putBack }) => {
      if (putBack) told.putBack();
      else if (mode === undefined) told.answer(id, answer);
      else told.mode(mode, trial);
    });
    port.onDisconnect.addListener(() => {
      void api.runtime.lastError; // read, or the browser complains
      port = null;
      told.lost();
    });
  }

  function tell(message) {
    connect();
    port?.postMessage(message);
  }

  const tenth = (p) => Math.min(9, Math.floor(10 * p)); // as the service counts it
  /** Whether two dismissed suggestions are counted together: a word that is not to be corrected again is not. */
  const isAlike = (one, other) =>
    one.outcome === "dismissed" && one.kind === other.kind && one.kind !== "correction" && tenth(one.p) === tenth(other.p);

  /** Tell what became of a suggestion: not while their user types, when the next suggestion is worth more. */
  function report(of) {
    const alike = of.outcome === "dismissed" ? fates.find((one) => isAlike(one, of)) : undefined;
    if (alike) alike.count++;
    else fates.push({ ...of, count: 1 });
    clearTimeout(telling);
    if (fates.length >= MAX_KEPT) tellFates();
    else telling = setTimeout(tellFates, QUIET_MS);
  }

  /** Tell what became of suggestions and was not yet told. */
  function tellFates() {
    clearTimeout(telling);
    if (fates.length > 0) tell({ do: "feedback", of: fates });
    fates = [];
  }

  function close() {
    tellFates();
    port?.disconnect();
    port = null;
  }

  return { on, connect, tell, report, tellFates, close };
})();
