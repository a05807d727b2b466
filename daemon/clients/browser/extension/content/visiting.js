// Which field its user is in, and what is told of it to be learned when they leave or send it.
idiolect.visiting ??= (() => {
  const { now, learning, link, showing, telling, context, mending, taking } = idiolect;
  const LOOKS_MS = [50, 500]; // after what may have sent it

  /** Its user is in this field now, or in none (null). */
  function come(field) {
    if (field?.element === now.field?.element) return;
    leave();
    if (field === null) return;
    now.field = field;
    link.connect();
    if (now.mode !== "off") learning.begin(field);
  }

  function leave() {
    if (now.field === null) return;
    tellLeft();
    showing.hide();
    telling.leave();
    for (const part of [context, mending, taking]) part.forget();
    now.field = null;
    now.composing = false; // a page that takes its field away may keep the end from being told
  }

  function tell(about) {
    if (about) link.tell({ do: "learn", ...about });
  }

  /** What was written is done with: the field is left, or its form sent. */
  function tellLeft() {
    if (now.mode === "learn" && now.field !== null) tell(learning.left());
  }

  /** A key or a click that may send what is written: the field is looked at again shortly after. */
  function sending() {
    if (now.mode !== "learn") return;
    for (const later of LOOKS_MS) setTimeout(() => now.field && tell(learning.sent()), later);
  }

  return { come, leave, sending, tellLeft };
})();
