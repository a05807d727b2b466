// What its user wrote in a field, told once: when it is sent, or left. Only where they have allowed it for the site.
idiolect.learning ??= (() => {
  let field = null;
  let before = ""; // what the field held when its user came, or when it was last told of
  let pasted = [];
  let typed = false; // whether a key has changed it since
  let snapshot = null; // what it held just before a key or a click that may send it

  const PASTED = /^insertFrom(?:Paste|Drop|Yank)/;

  /** Their user is in a field; `wasEmpty`: it was, and what stands there they have just typed. */
  function begin(of, wasEmpty = false) {
    field = of;
    before = wasEmpty ? "" : (idiolect.text.all(field) ?? "");
    pasted = [];
    typed = wasEmpty;
    snapshot = null;
  }

  /** A trusted change by its user. */
  function note({ inputType, data, dataTransfer }) {
    if (PASTED.test(inputType ?? "")) pasted.push(data ?? dataTransfer?.getData("text/plain") ?? "");
    else typed = true;
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
    const about = after?.trim() ? { before, after, pasted } : null;
    before = rest;
    pasted = [];
    typed = false;
    snapshot = null;
    return about;
  }

  return { begin, note, keep, sent, left };
})();
