// The way to the background: what it is told, and what it tells.
idiolect.link ??= (() => {
  const api = globalThis.browser ?? chrome;
  const told = { mode() {}, effects() {}, lost() {}, gone() {} };
  let port = null;

  /**
   * Who is told of what comes: `mode` of what may be done here, `effects` of what the session wants done, `lost` when it has
   * forgotten this page, `gone` when the extension has been removed or replaced.
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
    port.onMessage.addListener((message) => {
      if (message.mode !== undefined) told.mode(message.mode);
      else if (message.lost) told.lost();
      else told.effects(message);
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

  function close() {
    port?.disconnect();
    port = null;
  }

  return { on, connect, tell, close };
})();
