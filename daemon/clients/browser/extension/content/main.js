// What makes the parts one: each event of the page, and each word of the background, goes to the part that it is for.
idiolect.main ??= (() => {
  const { now, start, text, overlay, link, showing, telling, context, mending, visiting, keys, pointing } = idiolect;
  const TYPING_MS = 700; // a change that comes later than this after a key is the page's own
  const listening = new AbortController();
  let composed = ""; // what an input method has brought so far
  let replaces = false; // something was selected when it began

  link.on({
    mode(mode) {
      const former = now.mode;
      now.mode = mode;
      const told = start.early();
      if (mode === "off") {
        context.forget();
        return showing.hide();
      }
      if (now.field === null || mode === former) return; // the way to the background was lost and found
      if (told?.element !== now.field.element || (told.keyed === null && (told.typed === "" || mode !== "learn"))) return;
      mending.forget(told.keyed ?? "");
      telling.open(told);
      telling.tell();
    },
    effects({ keys: chosen, sees, insert, note, show }) {
      now.keys = chosen ?? now.keys;
      if (now.field === null || now.mode === "off") return; // it was on its way
      if (sees !== undefined) context.told(sees);
      if (insert) mending.replace(insert, note);
      else if (note) overlay.say(note, now.field.element);
      if (show) showing.show(show);
    },
    lost() {
      telling.lose();
      showing.hide();
    },
    gone: stop,
  });
  telling.onLeft(visiting.leave);
  context.onFirst(telling.tell);

  /** Whether an event is its user's, and of the field. */
  function isHere(event) {
    if (!event.isTrusted || now.field === null || now.mode === "off") return false;
    return now.field.element.contains(event.composedPath()[0]);
  }

  function onBeforeChange(event) {
    if (!isHere(event)) return;
    if (event.inputType === "insertCompositionText") composed = event.data ?? "";
    else telling.enter(event.inputType, event.data ?? "");
  }

  function onChange(event) {
    if (!isHere(event)) return;
    now.typedAt = performance.now();
    if (now.field.kind !== "plain") return telling.soon();
    telling.tell(); // first, since the answer takes longer than all else
    showing.follow();
  }

  /** The cursor has moved: what was shown stands elsewhere, unless it is a key that has been typed. */
  function onSelection() {
    if (showing.current() && performance.now() - now.typedAt > TYPING_MS) showing.follow();
  }

  function onComposition({ type, isTrusted, data }) {
    const starts = type === "compositionstart";
    if (starts && !isTrusted) return; // of the end Chromium itself sends an event that it does not call trusted
    if (starts) {
      composed = "";
      replaces = now.field !== null && text.around(now.field) === null;
    }
    const ends = now.composing && !starts;
    if (ends) telling.compose(data, composed, replaces);
    now.composing = starts;
    if (starts) showing.hide();
    else telling.soon();
  }

  let moving = 0;

  function onMove() {
    overlay.unmark();
    if (!showing.current() || moving) return;
    moving = requestAnimationFrame(() => {
      moving = 0;
      showing.move();
    });
  }

  function onPageHide() {
    visiting.leave();
    overlay.close();
    link.close();
  }

  function on(target, names, work, capture = true) {
    for (const name of names.split(" ")) target.addEventListener(name, work, { capture, signal: listening.signal });
  }

  function stop() {
    listening.abort();
    start.stop();
    overlay.close();
    now.field = null;
    now.mode = "off";
  }

  on(window, "keydown", keys.onKey);
  on(window, "keydown", keys.onKeyAfterThePage, false);
  on(document, "beforeinput", onBeforeChange);
  on(document, "input", onChange);
  on(document, "selectionchange", onSelection);
  on(document, "compositionstart compositionend", onComposition);
  on(window, "pointerdown mousedown pointerup mouseup click", pointing.onPointer);
  on(window, "scroll resize", onMove);
  on(document, "visibilitychange", () => (document.hidden ? visiting.leave() : start.look()));
  on(document, "submit", (event) => event.isTrusted && telling.leave());
  on(window, "pagehide", onPageHide);
  // Firefox would read a page anew that listens to this, when its user comes back.
  if (now.isChromium) on(window, "beforeunload", telling.leave); // of a page that has been left it takes no message
  start.hand(visiting.come);
  return { stop };
})();
