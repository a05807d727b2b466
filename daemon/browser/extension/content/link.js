// The way to the background: what it is told, and what it tells.
idiolect.link ??= (() => {
  const api = globalThis.browser ?? chrome;
  const told = { mode() {}, answer() {}, lost() {}, gone() {} };
  let port = null;

  /**
   * Who is told of what comes: `mode` of what may be done here, `answer` of the answer with a number, `lost` when no
   * answer will come any more, `gone` when the extension has been removed or replaced.
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
    port.onMessage.addListener(({ mode, id, answer }) => (mode === undefined ? told.answer(id, answer) : told.mode(mode)));
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

  /** Tell what became of a suggestion. */
  const report = (of) => tell({ do: "feedback", of });

  function close() {
    port?.disconnect();
    port = null;
  }

  return { on, connect, tell, report, close };
})();
