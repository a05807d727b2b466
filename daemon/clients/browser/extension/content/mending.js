// What the session has replaced in the field: put in, marked, and taken back with the next key.
idiolect.mending ??= (() => {
  const { now, fields, text, caret, overlay, insert, showing, telling } = idiolect;
  const MAX_KEYED = 64; // characters

  let made = null; // the last correction, until another key than BackSpace comes: { typed, put }
  let undoing = null; // the same, where the key that undoes has come, and what it does has not been looked at

  /** What two texts end with alike. */
  function sharedEnd(one, other) {
    let count = 0;
    while (count < Math.min(one.length, other.length) && one.at(-1 - count) === other.at(-1 - count)) count++;
    return count;
  }

  /**
   * Replace `removed`, the end of the text `at` before the cursor, behind which its user's keys may have typed on since;
   * a `note` says that it is a correction.
   */
  function replace({ at, text: coming, removed }, note) {
    const around = text.around(now.field);
    const more = around?.suffix === telling.last()?.suffix ? showing.typedOn(at, around?.prefix ?? "") : null;
    if (more === null || !now.keyed.endsWith(more)) return;
    const [typed, put] = [removed + more, coming + more];
    showing.hide();
    if (!insert.put(now.field, put, typed)) return;
    now.keyed = more;
    made = note === undefined ? null : remember(typed, put);
    if (made !== null) mark(typed, put, note);
    telling.soon();
  }

  const remember = (typed, put) => (made = { typed, put });

  /** Underline for a second what was put in, and have a screen reader say what the session says of it. */
  function mark(typed, put, note) {
    const { element } = now.field;
    const behind = sharedEnd(typed, put);
    setTimeout(() => {
      const root = overlay.open()?.root;
      if (!root || now.field?.element !== element) return;
      overlay.say(note, element);
      const length = put.slice(0, put.length - behind).trimEnd().length;
      const span = text.around(now.field) && caret.spanOf(now.field, root, put.length, length || put.trimEnd().length);
      if (span) overlay.mark(span);
    });
  }

  /** Whether the last correction stands right before the cursor. */
  const isNext = () => made !== null && Boolean(text.around(now.field)?.prefix.endsWith(made.put));

  /** Take note of a key; whether it has taken a correction back, and is nobody else's. */
  function onKey({ key, altKey, ctrlKey, metaKey }) {
    if (fields.MODIFIERS.includes(key)) return false;
    afterUndo();
    const command = altKey || ctrlKey || metaKey;
    const { typed, put } = made ?? {};
    if (key === "Backspace" && !command && isNext()) {
      made = null;
      telling.note("undone", typed, put);
      if (!insert.put(now.field, typed, put)) telling.lose();
      telling.soon();
      return true;
    }
    if (made !== null && key.toLowerCase() === "z" && (ctrlKey || metaKey)) {
      undoing = made;
      setTimeout(afterUndo);
    }
    made = null;
    if (key === "Backspace" && !command) now.keyed = now.keyed.slice(0, -1);
    else now.keyed = key.length === 1 && !command ? (now.keyed + key).slice(-MAX_KEYED) : "";
    return false;
  }

  /** Browsers select what undoing has brought back; the next key would type it away, and no text stands before it. */
  function afterUndo() {
    if (undoing !== null && now.field !== null) {
      insert.unselect(now.field);
      telling.tell();
    }
    undoing = null;
  }

  /** The cursor is elsewhere: before it stands no more of what its user's keys typed than this. */
  function forget(but = "") {
    now.keyed = but;
    made = null;
  }

  return { replace, remember, onKey, forget };
})();
