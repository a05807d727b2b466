// The pointer: a click on a word takes it. The words catch none, so that a page does not see them; their place tells.
idiolect.pointing ??= (() => {
  const { now, overlay, showing, telling, taking, mending, visiting, keys } = idiolect;
  const SEEN_MS = 250; // a word is taken by a click only once it has been seen
  let pressed = false; // a word was taken by this click, which the page is not to get

  function onPointer(event) {
    if (!event.isTrusted || now.field === null) return;
    const shown = showing.current();
    const place = shown ? overlay.chipAt(event.clientX, event.clientY) : -1;
    if (place >= 0 || pressed) keys.swallow(event);
    const down = event.type === "pointerdown";
    if (down && place >= 0) press(event, shown, place);
    else if (down && !pressed) elsewhere();
    if (event.type === "click") pressed = false;
  }

  function press(event, shown, place) {
    if (event.button !== 0 || performance.now() - shown.since <= SEEN_MS || !taking.may()) return;
    pressed = true;
    taking.takeWord(place);
  }

  /** It may press a button that sends, or move the cursor. */
  function elsewhere() {
    telling.look();
    visiting.sending();
    mending.forget();
    taking.forget();
    telling.note("pointer");
    showing.hide();
  }

  return { onPointer };
})();
