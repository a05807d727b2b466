// The lines that its user writes in an editor which draws only those in sight, noted as they are written: when such an
// editor is left, the others cannot be read, and those in sight may be lines that have stood there before.
idiolect.lines ??= (() => {
  const { now, text } = idiolect;
  const DRAWS_SOME = ".cm-editor"; // CodeMirror
  const MOST_LINES = 500;

  let lines = null; // of each line that was written in, what it was `before` and `after`; null in other fields
  let from = null; // the line as it was before a change that is under way; null: none is

  /** The cursor's line, on both sides of it; null where something is selected. */
  function line() {
    const around = text.around(now.field);
    return around && [around.prefix.slice(around.prefix.lastIndexOf("\n") + 1), around.suffix.split("\n", 1)[0]];
  }

  /** Its user has come to a field, in which their keys have typed this already. */
  function begin({ element }, keyed) {
    lines = element.closest(DRAWS_SOME) === null ? null : [];
    from = null;
    if (lines === null || keyed === "") return;
    const [before, after] = line() ?? ["", ""];
    if (!before.endsWith(keyed)) return;
    from = before.slice(0, before.length - keyed.length) + after;
    changed();
  }

  /** Its user is about to type something. */
  function changing() {
    if (lines === null || now.mode !== "learn") return;
    changed(); // by the key before
    from = line()?.join("") ?? "";
  }

  /** What was about to be typed stands there now. */
  function changed() {
    if (from === null) return;
    const after = line()?.join("") ?? null;
    const same = lines.findLast((one) => one.after === from);
    if (after === null || after === from) return; // an editor may take its time
    if (same) same.after = after;
    else if (lines.length < MOST_LINES) lines.push({ before: from, after });
    from = null;
  }

  /** `{ before, after }`, told once: the lines as they were before and after; null in a field that holds all of its text. */
  function take() {
    if (lines === null) return null;
    changed();
    const [before, after] = ["before", "after"].map((when) => lines.map((one) => one[when]).join("\n"));
    lines = [];
    from = null;
    return { before, after };
  }

  return { begin, changing, changed, take };
})();
