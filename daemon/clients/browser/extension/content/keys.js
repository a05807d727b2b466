// The keys: what each of them takes, hides or asks for.
idiolect.keys ??= (() => {
  const { now, fields, text, overlay, showing, telling, mending, taking, visiting } = idiolect;
  const [CONTROL, ALT, META, SHIFT] = [1 << 2, 1 << 3, 1 << 6, 1 << 0]; // as the session knows what is held with a key
  const TWICE_MS = 250; // a Tab that comes sooner after one that took something was pressed once too often
  const READ_MS = 150; // a Tab that comes sooner after a letter is the page's: nobody has read a ghost by then
  const CLOSED_MS = 1000; // Alt and a digit that come sooner after a suggestion has gone were meant for it
  let tookAt = -Infinity; // when the last key, a Tab, took a ghost
  let letterAt = -Infinity; // when the last letter was typed

  function swallow(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  const COMMANDS = {
    Escape(event) {
      const shown = showing.current();
      if (!shown) return;
      if (shown.rest) swallow(event);
      showing.hide();
      telling.note("hidden");
      telling.tell();
    },
    ArrowRight: (event) => takeByArrow(event, "ltr"),
    ArrowLeft: (event) => takeByArrow(event, "rtl"),
  };

  function takeByArrow(event, direction) {
    if (!showing.current()?.rest || event.altKey === event.ctrlKey || event.shiftKey || event.metaKey) return;
    if (getComputedStyle(now.field.element).direction !== direction || !taking.may()) return;
    swallow(event);
    taking.takeGhost(false);
  }

  /** Before the page: keys that are nobody else's, and what the others will have changed. */
  function onKey(event) {
    if (!event.isTrusted || now.field === null || now.mode === "off") return;
    if (fields.MODIFIERS.includes(event.key)) return;
    telling.open();
    telling.look();
    if (event.isComposing || event.keyCode === 229) {
      mending.forget();
      noteKey(event, "Process");
      return showing.hide();
    }
    if (event.key !== "Tab") tookAt = -Infinity;
    // One that may take what is shown: what the key just before it typed may not have been looked at yet.
    if (event.altKey || event.ctrlKey || event.key === "Tab") showing.follow();
    if (mending.onKey(event)) return swallow(event);
    if (takeByDigit(event) || list(event) || speak(event)) return;
    COMMANDS[event.key]?.(event);
    if (!event.defaultPrevented) afterwards(event);
  }

  /** Tell the session of a key that is left to the page. */
  function noteKey(event, key) {
    const { altKey, ctrlKey, metaKey, shiftKey, timeStamp } = event;
    const types = event.getModifierState("AltGraph"); // with AltGr a key types a character
    const held = types ? 0 : (ctrlKey && CONTROL) | (altKey && ALT) | (metaKey && META) | (shiftKey && SHIFT);
    telling.note("key", key, held, telling.secondsOf(timeStamp));
  }

  /**
   * Alt and a digit take a word, or by 0 the ghost; whether the key is for suggestions.
   *
   * One that comes just too late takes nothing, and does not switch the browser's tab instead.
   */
  function takeByDigit(event) {
    const digit = /^Digit([0-9])$/.exec(event.code);
    if (!digit || !event.altKey || event.ctrlKey || event.metaKey) return false;
    const shown = showing.current();
    if (!shown && performance.now() - showing.closedAt() >= CLOSED_MS) return false;
    swallow(event);
    if (!shown || !taking.may() || event.repeat) return true; // held down it takes one, not all that follow
    const { rest, words } = shown;
    const place = digit[1] - 1;
    if (place === -1 ? !rest : place >= words.length) return true;
    if (place === -1) taking.takeGhost(true);
    else taking.takeWord(place);
    return true;
  }

  /** Show the words where they do not show themselves; whether the key asks for them. */
  function list(event) {
    const isMinus = event.key === "-" || (event.key === "–" && event.code === "Minus"); // what a Mac types with Alt
    if (!isMinus || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return false;
    if (!text.around(now.field)?.prefix.trim()) return false;
    swallow(event);
    noteKey(event, "-");
    telling.tell();
    return true;
  }

  /** Have a screen reader say what is shown; whether the key asks for it. */
  function speak(event) {
    if (event.key !== "F9" || !event.altKey || !showing.current()) return false;
    swallow(event);
    overlay.say(showing.said(), now.field.element);
    return true;
  }

  /** A key that is left to the page, and changes its text. */
  function afterwards(event) {
    const { key, ctrlKey: ctrl, metaKey: meta } = event;
    taking.onKey(event);
    now.typedAt = performance.now();
    if (key === "Enter") visiting.sending();
    const types = key.length === 1 && !ctrl && !meta;
    if (types) letterAt = event.timeStamp;
    noteKey(event, key);
    if (key === "Enter" && text.around(now.field) === null) telling.enter("deleteContent"); // what is selected
    if (types || ["Backspace", "Delete", "Enter"].includes(key)) return telling.soon();
    telling.send(); // what stands there then is not told, so that nothing is offered where the cursor only moved
    if (showing.current()) setTimeout(showing.follow);
  }

  /** Tab is the page's first: only what nobody in it has used takes a ghost. */
  function onKeyAfterThePage(event) {
    if (!event.isTrusted || event.key !== "Tab" || event.defaultPrevented) return;
    if (now.field === null || now.mode === "off") return;
    if (event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
    if (tookAt > -Infinity && (event.repeat || event.timeStamp - tookAt < TWICE_MS)) return swallow(event);
    tookAt = -Infinity;
    if (event.timeStamp - letterAt < READ_MS || !showing.current()?.rest || !taking.may()) return;
    swallow(event);
    taking.takeGhost(true);
    tookAt = event.timeStamp;
  }

  return { onKey, onKeyAfterThePage };
})();
