// Corrections: put in the place of what was typed, by themselves where their user has set it so, and taken back.
idiolect.mending ??= (() => {
  const { now, fields, text, caret, overlay, insert, link, showing, asking } = idiolect;
  const MAX_KEYED = 64; // characters
  const LATE_MS = 1000; // after its word ended, a correction is not made any more
  const LEAD_CHARS = 40; // before a mended word, by which its place is known again
  const MAX_AFTER = 200; // characters behind a mended word that is put back

  const kept = new Set(); // words whose correction was taken back
  let mended = null; // the last correction: {prefix, typed, put, word, p}
  let last = null; // the same, as long as it may be put back: {element, lead, nth, word, meant, p}
  let next = false; // whether no key has come since
  let undoing = false; // the key that undoes has come, and what it does has not been looked at

  const charactersBefore = (prefix, count) => [...prefix].slice(-count).join("");

  /** Where a part stands in a text, also where it begins within itself. */
  function placesOf(part, whole) {
    const found = [];
    for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + 1)) found.push(at);
    return found;
  }

  /**
   * An answer as it is to be shown; null where its correction has been made, and another question follows.
   *
   * By itself only that is mended which its user's keys have typed: a page could write words of its own choice, to see
   * what becomes of them.
   */
  function consider(prompt, answer) {
    if (mended?.prefix === prompt.prefix) takenBack(); // what it replaced stands there again
    for (const word of answer.words ?? []) word.grey &&= mayMend(prompt.prefix) && !kept.has(charactersBefore(prompt.prefix, word.replace));
    const fix = answer.correction;
    if (fix) fix.grey &&= mayMend(prompt.prefix);
    if (!fix || showing.isDismissed(prompt.prefix)) return answer;
    const typed = charactersBefore(prompt.prefix, fix.replace);
    if (mustStay(typed, fix.text)) return { ...answer, correction: null };
    if (!fix.apply || !now.keyed.endsWith(typed) || !mayMend(prompt.prefix) || mayNotMove(prompt, typed, fix.text)) return answer;
    return mend(prompt, fix) === null ? { ...answer, correction: null } : null;
  }

  /** Mend the word at the end of a question whose user has typed on, by keys alone, before the answer came. */
  function considerLate({ prefix, suffix, at }, answer) {
    const fix = answer?.correction;
    if (!fix?.apply || performance.now() - at > LATE_MS) return;
    const around = text.around(now.field);
    const more = around?.suffix === suffix ? showing.typedOn(prefix, around.prefix) : null;
    const typed = charactersBefore(prefix, fix.replace);
    if (!more || mustStay(typed, fix.text) || mayNotMove({ at }, typed, fix.text) || !now.keyed.endsWith(typed + more) || !mayMend(prefix + more)) return;
    mend({ prefix, suffix }, fix, more);
  }

  const mustStay = (typed, put) => kept.has(showing.mendedWords(typed, put)[0]) || (typed.includes("\n") && now.field.kind !== "plain");

  /** Whether a correction is of the word before the last, and comes too late, or would move the last by more than a letter. */
  function mayNotMove({ at }, typed, put) {
    if (!showing.plain(typed).includes(" ")) return false;
    return performance.now() - at > LATE_MS || Math.abs(put.length - typed.length) > 1;
  }

  /** Whether a sure correction may be made by itself: not in code, nor where the word may be all that belongs into a line. */
  function mayMend(prefix) {
    const { element, kind, mends } = now.field;
    if (element instanceof HTMLInputElement && prefix.trim().split(/\s+/).length < 2) return false;
    const holder = kind === "rich" ? text.selectionOf(now.field)?.startContainer.parentElement : null;
    return mends && !holder?.closest("pre, code");
  }

  /**
   * Put a correction in the place of what it is for, at the end of the text of `prompt`, behind which `more` was typed;
   * what was put, if it was. A space is put behind it where none is, unless it is to be `bare`.
   */
  function mend({ prefix, suffix }, { text: meant, replace, p, bare = false }, more = "") {
    const word = charactersBefore(prefix, replace);
    const isSpaced = bare || more !== "" || /[\s\p{P}]$/u.test(meant) || /^\s/.test(suffix);
    const put = (isSpaced ? meant : `${meant} `) + more;
    const typed = word + more;
    showing.hide();
    if (!insert.put(now.field, put, typed)) return null;
    asking.replace(prefix, prefix.slice(0, prefix.length - word.length) + meant);
    const [mistyped, right] = showing.mendedWords(word, meant);
    mended = { prefix: prefix + more, typed, put, word: mistyped, p };
    next = true;
    now.keyed = more;
    const before = prefix.slice(0, prefix.length - word.length);
    const lead = before.slice(-LEAD_CHARS);
    const nth = placesOf(lead + right, before + right).length;
    last = { element: now.field.element, lead, nth, word: mistyped, meant: right, p };
    link.tell({ do: "mended", word: last.word, meant: last.meant });
    mark(put.length);
    link.report({ kind: "correction", outcome: "accepted", p, characters: [...put].length - more.length, word: mended.word });
    asking.soon();
    return put;
  }

  /** Underline for a second what was put in, of `length` characters, and have a screen reader say it. */
  function mark(length) {
    const { element, word, meant } = last;
    setTimeout(() => {
      const root = overlay.open()?.root;
      if (!root || now.field?.element !== element) return;
      overlay.say(`${word} became ${meant}`, element);
      const span = text.around(now.field) && caret.spanOf(now.field, root, length, meant.length);
      if (span) overlay.mark(span);
    });
  }

  /** Its user wants the last mended word back, wherever it stands close before the cursor. */
  function putBack() {
    if (last === null || now.field?.element !== last.element) return;
    const { lead, nth, word, meant } = last;
    const prefix = text.around(now.field)?.prefix ?? "";
    const at = placesOf(lead + meant, prefix)[nth - 1];
    if (at === undefined) return;
    const after = prefix.slice(at + lead.length + meant.length);
    if (lead.length < LEAD_CHARS && /[\p{L}\p{N}]$/u.test(prefix.slice(0, at))) return; // within another word
    if (after.length > MAX_AFTER || after.includes("\n") || /^[\p{L}\p{N}]/u.test(after)) return;
    showing.hide();
    if (!insert.put(now.field, word + after, meant + after)) return;
    next = false;
    takenBack();
    asking.soon();
  }

  /** What was typed stands there again, and is not corrected any more. */
  function takenBack() {
    const { word, p } = last;
    kept.add(word);
    mended = last = null;
    link.tell({ do: "mended" });
    link.report({ kind: "correction", outcome: "dismissed", p, word });
  }

  /** Whether the last correction stands right before the cursor, and no key has come since. */
  function isNext() {
    if (!next || mended === null || now.field === null) return false;
    const { prefix, typed, put } = mended;
    return text.around(now.field)?.prefix === prefix.slice(0, prefix.length - typed.length) + put;
  }

  /** Take note of a key; whether it has taken a correction back, and is nobody else's. */
  function onKey({ key, altKey, ctrlKey, metaKey }) {
    if (fields.MODIFIERS.includes(key)) return false;
    afterUndo();
    const command = altKey || ctrlKey || metaKey;
    if (key === "Backspace" && !command && isNext()) {
      const { typed, put } = mended;
      insert.put(now.field, typed, put);
      takenBack();
      asking.soon();
      return true;
    }
    if (next && key.toLowerCase() === "z" && (ctrlKey || metaKey)) {
      undoing = true;
      setTimeout(afterUndo);
    }
    next = false;
    if (key === "Enter") mended = null; // it may send the text, and the next one may begin alike
    if (key === "Backspace" && !command) now.keyed = now.keyed.slice(0, -1);
    else now.keyed = key.length === 1 && !command ? (now.keyed + key).slice(-MAX_KEYED) : "";
    return false;
  }

  /** Browsers select what undoing has brought back; the next key would type it away. */
  function afterUndo() {
    if (!undoing) return;
    undoing = false;
    if (mended === null || now.field === null) return;
    insert.unselect(now.field);
    if (text.around(now.field)?.prefix === mended.prefix) takenBack();
    asking.ask();
  }

  /** The cursor is elsewhere: before it stands no more of what its user's keys typed than this. */
  function forget(but = "") {
    now.keyed = but;
    next = false;
    mended = null;
  }

  return { consider, considerLate, mend, onKey, forget, putBack };
})();
