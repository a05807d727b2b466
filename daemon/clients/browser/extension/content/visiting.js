// Which field its user is in.
idiolect.visiting ??= (() => {
  const { now, link, showing, telling, context, mending, taking } = idiolect;
  const LOOKS_MS = [50, 500]; // after what may have sent what is written

  /** Its user is in this field now, or in none (null). */
  function come(field) {
    if (field?.element === now.field?.element) return;
    leave();
    if (field === null) return;
    now.field = field;
    link.connect();
  }

  function leave() {
    if (now.field === null) return;
    showing.hide();
    telling.leave();
    for (const part of [context, mending, taking]) part.forget();
    now.field = null;
    now.composing = false; // a page that takes its field away may keep the end from being told
  }

  /** A key or a click that may send what is written: the field is looked at again shortly after. */
  function sending() {
    if (now.mode !== "learn") return;
    for (const later of LOOKS_MS) setTimeout(telling.tell, later);
  }

  return { come, leave, sending };
})();
