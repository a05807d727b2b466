// The little that every page of a site pays which is switched on: it waits for a field, and has the rest loaded.
//
// Only trusted events do anything, here and in what is loaded: a page can make others.
idiolect.start ??= (() => {
  const { fields } = idiolect;
  const MOST_KEYED = 64; // characters
  let roots = []; // shadow trees on the way to the focus: it moves within them without the document's being told
  let visit = load;
  let asked = false;
  let keyed = null; // what keys typed before the rest was there; null: none came
  let empty = null; // the element in which nothing stood before them

  function onFocus(event) {
    if (event && !event.isTrusted) return;
    const found = fields.focused();
    for (const root of found.roots) {
      if (!roots.includes(root)) root.addEventListener("focusin", onFocus);
    }
    roots = found.roots;
    visit(fields.of(found.element));
  }

  function onBlur(event) {
    if (event.isTrusted) setTimeout(onFocus); // where the focus goes is known only then
  }

  /** There is a field: the background loads the rest, which then calls `hand`. */
  async function load(field) {
    if (field === null || asked) return;
    asked = true;
    empty = (field.element.value ?? field.element.textContent).trim() === "" ? field.element : null;
    window.addEventListener("keydown", onEarlyKey, true);
    try {
      const api = globalThis.browser ?? chrome; // browsers make it when it is first named, which takes a millisecond
      asked = await api.runtime.sendMessage({ do: "load" });
      if (!asked) early(); // nothing may be done here
    } catch {
      stop(); // the extension has been removed or replaced
    }
  }

  function onEarlyKey({ isTrusted, key, altKey, ctrlKey, metaKey }) {
    if (!isTrusted || ["Shift", "Control", "Alt", "Meta"].includes(key)) return;
    keyed = key.length === 1 && !altKey && !ctrlKey && !metaKey ? ((keyed ?? "") + key).slice(-MOST_KEYED) : "";
  }

  /** What keys did before the rest was there: what they typed, null if none came, and what was empty before. Told once. */
  function early() {
    const told = { keyed, empty };
    window.removeEventListener("keydown", onEarlyKey, true);
    keyed = empty = null;
    return told;
  }

  /** From now on `to` is told of each field that its user comes to, and of null where it is none; at once of the present one. */
  function hand(to) {
    visit = to;
    document.addEventListener("focusout", onBlur, true);
    onFocus();
  }

  function stop() {
    document.removeEventListener("focusin", onFocus, true);
    document.removeEventListener("focusout", onBlur, true);
    visit = () => {};
  }

  document.addEventListener("focusin", onFocus, true);
  // An element that a script names takes a millisecond the first time, so none is named where nothing has the focus.
  if (document.querySelector(":focus-within") !== null) onFocus();
  return { hand, look: onFocus, stop, early };
})();
