// What its user wrote in a field, told once: when it is sent, or left. Only where they have allowed it for the site.
idiolect.learning ??= (() => {
  const { text, lines } = idiolect;
  let field = null;
  let before = ""; // what the field held when its user came, or when it was last told of; null: far too much
  let pasted = []; // what was brought in that nobody typed
  let room = 0; // characters that may still be brought in before that is far too much to be told
  let typed = false; // whether its user has typed in it since
  let snapshot = null; // what it held just before a key or a click that may send it

  /** Their user is in a field. `early`: what they did there before this was loaded, as `start.early` tells it. */
  function begin(of, early = null) {
    field = of;
    start(early === null ? text.all(field) : early.before);
    typed = Boolean(early?.keyed);
    lines.begin(field, early?.keyed ?? "");
    for (const change of early?.changes ?? []) note(change);
  }

  function start(from) {
    before = from;
    pasted = [];
    room = text.WHOLE_CHARS;
    typed = false;
    snapshot = null;
  }

  /** A trusted change by its user; of one that was not typed, what it `broughtIn`. */
  function note(broughtIn = null) {
    if (broughtIn === null) {
      typed = true;
      lines.changing();
      return;
    }
    room -= broughtIn.length;
    if (room < 0) before = null;
    else pasted.push(broughtIn);
  }

  /** A key or a click that may send it: what is there now is kept until it is seen what has come of it. */
  function keep() {
    if (field !== null && typed) snapshot = text.all(field);
  }

  /** What is to be told if the field has been emptied by what followed: it was sent. */
  function sent() {
    if (snapshot === null || !snapshot.trim()) return null;
    const now = field.element.isConnected ? text.all(field) : "";
    if (now === null || now.trim() !== "") return null;
    return told(snapshot, "");
  }

  /** What is to be told where the field is left. */
  function left() {
    if (field === null || !typed) return null;
    const now = field.element.isConnected ? text.all(field) : null;
    return told(now?.trim() ? now : snapshot, now ?? "");
  }

  function told(after, rest) {
    const wrote = lines.take() ?? { before, after };
    const about = before !== null && wrote.after?.trim() ? { ...wrote, pasted } : null;
    start(rest);
    return about;
  }

  return { begin, note, keep, sent, left };
})();
