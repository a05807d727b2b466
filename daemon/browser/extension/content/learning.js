// What its user wrote in a field, told once: when it is sent, or left. Only where they have allowed it for the site.
idiolect.learning ??= (() => {
  let field = null;
  let before = ""; // what the field held when its user came, or when it was last told of; null: far too much
  let pasted = [];
  let typed = false; // whether its user has typed in it since
  let snapshot = null; // what it held just before a key or a click that may send it

  /** Their user is in a field. `early`: what they did there before this was loaded, as `start.early` tells it. */
  function begin(of, early = null) {
    field = of;
    before = early === null ? idiolect.text.all(field) : early.before;
    pasted = [];
    typed = Boolean(early?.keyed);
    snapshot = null;
    for (const change of early?.changes ?? []) note(change);
  }

  /** A trusted change by its user; of one that was not typed, what it `broughtIn`. */
  function note(broughtIn = null) {
    if (broughtIn === null) typed = true;
    else pasted.push(broughtIn);
  }

  /** A key or a click that may send it: what is there now is kept until it is seen what has come of it. */
  function keep() {
    if (field !== null && typed) snapshot = idiolect.text.all(field);
  }

  /** What is to be told if the field has been emptied by what followed: it was sent. */
  function sent() {
    if (snapshot === null || !snapshot.trim()) return null;
    const now = field.element.isConnected ? idiolect.text.all(field) : "";
    if (now === null || now.trim() !== "") return null;
    return told(snapshot, "");
  }

  /** What is to be told where the field is left. */
  function left() {
    if (field === null || !typed) return null;
    const now = field.element.isConnected ? idiolect.text.all(field) : null;
    return told(now?.trim() ? now : snapshot, now ?? "");
  }

  function told(after, rest) {
    const about = before !== null && after?.trim() ? { before, after, pasted } : null;
    before = rest;
    pasted = [];
    typed = false;
    snapshot = null;
    return about;
  }

  return { begin, note, keep, sent, left };
})();
