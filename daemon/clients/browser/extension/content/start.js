// The little that every page of a site pays which is switched on: it waits for a field, and has the rest loaded.
//
// Only trusted events do anything, here and in what is loaded: a page can make others.
idiolect.start ??= (() => {
  const { fields, text } = idiolect;
  const MAX_KEYED = 64; // characters
  const MAX_TYPED = 20000;
  let roots = []; // shadow trees on the way to the focus: it moves within them without the document's being told
  let visit = load;
  let asked = false;
  let early = null; // what is told by `early`, of the field that has the focus; null outside of one
  let ends = null; // ends the watch over what is done before the rest is there

  function onFocus(event) {
    if (event && !event.isTrusted) return;
    const found = fields.focused();
    for (const root of found.roots) {
      if (!roots.includes(root)) root.addEventListener("focusin", onFocus);
    }
    roots = found.roots;
    const field = fields.of(found.element);
    if (ends !== null) enter(field);
    visit(field);
  }

  function onBlur(event) {
    if (event.isTrusted) setTimeout(onFocus); // where the focus goes is known only then
  }

  /** There is a field: the background loads the rest, which then calls `hand`. */
  async function load(field) {
    if (field === null || asked) return;
    asked = true;
    watch();
    enter(field);
    try {
      const api = globalThis.browser ?? chrome; // browsers make it when it is first named, which takes a millisecond
      asked = await api.runtime.sendMessage({ do: "load" });
      if (!asked) told(); // nothing may be done here
    } catch {
      stop(); // the extension has been removed or replaced
    }
  }

  /** Keep what its user does until the rest is there. */
  function watch() {
    ends = new AbortController();
    const about = { capture: true, signal: ends.signal };
    window.addEventListener("keydown", onKey, about);
    document.addEventListener("beforeinput", onChange, about);
  }

  function enter(field) {
    if (field?.element === early?.element) return;
    early = field && { element: field.element, before: text.all(field), keyed: null, typed: "" };
  }

  function onKey({ isTrusted, key, altKey, ctrlKey, metaKey }) {
    if (!isTrusted || early === null || fields.MODIFIERS.includes(key)) return;
    const typed = key.length === 1 && !altKey && !ctrlKey && !metaKey;
    early.keyed = typed ? ((early.keyed ?? "") + key).slice(-MAX_KEYED) : "";
  }

  function onChange(event) {
    const { inputType, data } = event;
    if (!event.isTrusted || !early?.element.contains(event.composedPath()[0])) return;
    if (["insertText", "insertFromComposition"].includes(inputType)) early.typed = (early.typed + (data ?? "")).slice(-MAX_TYPED);
    else if (inputType === "deleteContentBackward") early.typed = early.typed.slice(0, -1);
  }

  /**
   * What was done in the field before the rest was there; null outside of a field. Told once.
   *
   * `before` is what stood in `element` when its user came, null if that is far too much; `keyed` what keys typed up to the
   * cursor, null if none came; `typed` what the browser says that its user has put in.
   */
  function told() {
    const last = early;
    ends?.abort();
    ends = early = null;
    return last;
  }

  /** From now on `to` is told of each field that its user comes to, and of null where it is none; now of the present one. */
  function hand(to) {
    visit = to;
    document.addEventListener("focusout", onBlur, true);
    onFocus();
  }

  function stop() {
    document.removeEventListener("focusin", onFocus, true);
    document.removeEventListener("focusout", onBlur, true);
    told();
    visit = () => {};
  }

  document.addEventListener("focusin", onFocus, true);
  // An element that a script names takes a millisecond the first time, so none is named where nothing has the focus.
  if (document.querySelector(":focus-within") !== null) onFocus();
  return { hand, look: onFocus, stop, early: told };
})();
