// When the page is read for what its user answers: once in a field, where the service and its user want it, and again while
// they write there for long. Never for a key.
idiolect.context ??= (() => {
  const { now, fields, thread } = idiolect;
  const AGAIN_MS = 5000; // between two readings
  const IDLE_MS = 500; // for so long a busy page may keep it from being read
  const NONE = [];
  let wanted = false; // as the last answer in this field said
  let found = null; // `{ texts, newest, url, at }` of the last reading
  let reading = 0;
  let first = () => {};

  /** The session says whether the service uses what is answered in this field. */
  function told(sees) {
    if (!sees) return forget();
    if (!wanted) read();
    wanted = true;
  }

  function read() {
    reading ||= requestIdleCallback(look, { timeout: IDLE_MS });
  }

  function look() {
    reading = 0;
    if (now.field === null || fields.of(now.field.element) === null) return forget();
    const before = found?.texts ?? NONE;
    const { texts: read, newest } = thread.around(now.field.element);
    const isSame = read.length === before.length && read.every((one, place) => one === before[place]);
    found = { texts: isSame ? before : read, newest, url: location.href, at: performance.now() };
    if (before === NONE && !isSame) first();
  }

  /** What is known to be answered in the field; looked for once more if that is some time ago. */
  function texts() {
    if (found === null) return NONE;
    if (found.url !== location.href || found.newest?.isConnected === false) {
      found = null;
      read();
      return NONE;
    }
    if (performance.now() - found.at > AGAIN_MS) read();
    return found.texts;
  }

  function forget() {
    if (reading) cancelIdleCallback(reading);
    reading = 0;
    wanted = false;
    found = null;
  }

  /** Calls `then` once something was found in a field. */
  function onFirst(then) {
    first = then;
  }

  return { told, texts, forget, onFirst };
})();
