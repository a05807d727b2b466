// What its user writes in a field, and told once: when it is sent, or left. Only where they have allowed it for the site.
//
// Their own are the keys and changes that the browser calls trusted. `document.execCommand`, by which a page puts text in,
// makes a trusted `input` event, too, but in no browser the `beforeinput` event before it.
idiolect.learning ??= (() => {
  const { now, fields, text, authorship } = idiolect;
  const SEEN_MS = 5000; // for so long the page may take to show what was typed
  const MAX_TYPED = 20000; // characters at once, which an input method may bring
  const known = new WeakMap(); // element → its Authorship: its user may come back to it

  let field = null;
  let writing = null; // the Authorship of the field; null: nothing is learned of it
  let typed = ""; // what its user has put in, and the field has not shown yet
  let typedMs = 0; // when, in milliseconds since 1970
  let key = ""; // what the last key types, until the browser tells of the change itself
  let composed = null; // what an input method has brought so far
  let command = false; // whether its user has done what removes text, or brings it back
  let own = false; // a suggestion is being put in

  /** Their user is in a field. `early`: what they did there before this was loaded, as `start.early` tells it. */
  function begin(of, early = null) {
    field = of;
    [typed, key, composed, command] = ["", "", null, false];
    const found = early === null ? text.all(field) : early.before;
    writing = found === null || now.mode !== "learn" ? null : (known.get(field.element) ?? new authorship.Authorship(found));
    if (writing === null) return;
    known.set(field.element, writing);
    if (early === null) return sync(); // what has come since they were last here is the page's
    const untold = early.typed || (early.keyed ?? "");
    typed = untold;
    typedMs = Date.now();
    sync();
    // What was typed here is learned whole or not at all: it stands there otherwise, and more would be added to it.
    if (untold !== "" && typed === untold && text.all(field) !== found) writing = null;
  }

  /** See what the field holds now, and whose it is. */
  function sync() {
    if (writing === null || now.composing || !field.element.isConnected) return;
    const found = text.all(field);
    if (found === null) return void (writing = null);
    if (Date.now() - typedMs > SEEN_MS) typed = key = "";
    const { left, changed } = writing.become(found, { typed: typed + key, command, atMs: typedMs });
    typed = left;
    key = "";
    if (changed) command = false;
  }

  function add(more) {
    if (Date.now() - typedMs > SEEN_MS) typed = "";
    typed = (typed + more).slice(-MAX_TYPED);
    typedMs = Date.now();
  }

  /** A trusted key, before the page deals with it. Some editors do so by themselves, and no change is told of. */
  function onKey(event) {
    if (writing === null || fields.MODIFIERS.includes(event.key)) return;
    sync();
    const { key: name, altKey, ctrlKey, metaKey } = event;
    const commanded = (ctrlKey || metaKey || altKey) && !event.getModifierState("AltGraph");
    command = ["Backspace", "Delete"].includes(name) || (commanded && /^\p{L}$/u.test(name)) || (name === "Enter" && hasSelection());
    key = !commanded && [...name].length === 1 ? name : "";
    if (key !== "") typedMs = Date.now();
  }

  function hasSelection() {
    const { element, kind } = field;
    return kind === "plain" ? element.selectionStart !== element.selectionEnd : !document.getSelection().isCollapsed;
  }

  /** A trusted `beforeinput` event. */
  function onChange({ inputType, data }) {
    if (writing === null || own) return;
    if (inputType === "insertText") {
      key = "";
      add(data ?? "");
    } else if (inputType === "insertCompositionText") {
      composed = data ?? "";
      key = "";
    } else if (inputType === "insertFromComposition") {
      composed = null;
      add(data ?? "");
    } else if (!/^insert(?:LineBreak|Paragraph)$/.test(inputType)) command = true;
  }

  function onComposition(starts) {
    if (writing === null) return;
    if (starts) {
      sync();
      command = hasSelection();
      key = "";
    } else if (composed) add(composed);
    composed = null;
  }

  /** A trusted pointer: what a key has begun is over. */
  function onPointer() {
    sync();
    command = false;
  }

  /** A suggestion that its user takes is put in by `work`, which replaces what stands there where `replaces` is true. */
  function takes(suggestion, replaces, work) {
    sync();
    [typed, key, command] = ["", "", replaces];
    add(suggestion);
    own = true; // in Firefox it makes a trusted event
    const done = work();
    own = false;
    if (done === false) [typed, command] = ["", false];
    sync();
    return done;
  }

  /** Lines that the page has taken away, as it does with what was sent; null where there are none. */
  function sent() {
    sync();
    return told(false);
  }

  /** All that its user has written in the field, which they leave. */
  function left() {
    sync();
    return told(true);
  }

  function told(all) {
    if (writing === null || fields.isSecret(field.element)) return null;
    const lines = writing.take(all);
    return lines.length > 0 ? { lines } : null;
  }

  return { begin, sync, onKey, onChange, onComposition, onPointer, takes, sent, left };
})();
