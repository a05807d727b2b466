// The keys: what each of them takes, hides or asks for.
idiolect.keys ??= (() => {
  const { now, fields, text, overlay, showing, telling, mending, taking, visiting } = idiolect;
  const [CONTROL, ALT, META, SHIFT] = [1 << 2, 1 << 3, 1 << 6, 1 << 0]; // as the session knows what is held with a key
  const TWICE_MS = 250; // a Tab that comes sooner after one that took something was pressed once too often
  const READ_MS = 150; // a Tab that comes sooner after a letter is the page's: nobody has read a ghost by then
  const CLOSED_MS = 1000; // Alt and a digit that come sooner after a suggestion has gone were meant for it
  const NUMBERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const F_KEYS = [1, 2, 3, 4, 5]; // as many as there are words at most
  let tookAt = -Infinity; // when the last key, a Tab, took a ghost
  let letterAt = -Infinity; // when the last letter was typed

  /** Keep an event from the page. */
  function swallow(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** A key as its user's choice names it, such as `Ctrl+Right`; a digit, and a minus with Alt, by its place. */
  function nameOf({ key, code, ctrlKey, altKey, shiftKey, metaKey }) {
    const [, digit] = /^Digit([0-9])$/.exec(code) ?? [];
    const isMinus = key === "–" && code === "Minus"; // what a Mac types with Alt
    const plain = key.length === 1 ? key.toUpperCase() : key.replace(/^Arrow/, "").replace("Backspace", "BackSpace");
    const name = digit ?? (isMinus ? "-" : key === " " ? "Space" : plain);
    return [ctrlKey && "Ctrl", altKey && "Alt", shiftKey && "Shift", metaKey && "Super", name].filter(Boolean).join("+");
  }

  /** Whether programs use a key while their user types: then it is the page's first. */
  const isThePages = (name) => !/\+.|^F\d/.test(name);

  /** Do what a key is chosen for, where that is one for what is shown; whether it was one. */
  function command(event, name) {
    const { keys } = now;
    const shown = showing.current();
    const rtl = shown !== null && getComputedStyle(now.field.element).direction === "rtl";
    if (name === keys.quiet) {
      showing.hide();
      noteKey(event, event.key);
      telling.send();
    } else if (name === keys.hide && shown) hide();
    else if (name === (rtl ? keys.next.replace(/Right$/, "Left") : keys.next) && shown?.rest && taking.may()) taking.takeGhost(false);
    else if (name === keys.grey && !isThePages(name) && shown?.rest && taking.may()) taking.takeGhost(true);
    else if (!(takeByNumber(event, name) || list(event, name) || speak(event))) return false;
    if (name !== "Escape" || shown?.rest) swallow(event); // with words alone it is the page's, too
    return true;
  }

  function hide() {
    showing.hide();
    telling.note("hidden");
    telling.tell();
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
    if (nameOf(event) !== now.keys.grey) tookAt = -Infinity;
    // One that may take what is shown: what the key just before it typed may not have been looked at yet.
    if (event.altKey || event.ctrlKey || /^(?:Tab$|F\d)/.test(event.key)) showing.follow();
    if (mending.onKey(event)) return swallow(event);
    if (!command(event, nameOf(event))) afterwards(event);
  }

  /** Tell the session of a key that is left to the page. */
  function noteKey(event, key) {
    const { altKey, ctrlKey, metaKey, shiftKey, timeStamp } = event;
    const types = event.getModifierState("AltGraph"); // with AltGr a key types a character
    const held = types ? 0 : (ctrlKey && CONTROL) | (altKey && ALT) | (metaKey && META) | (shiftKey && SHIFT);
    telling.note("key", key, held, telling.secondsOf(timeStamp));
  }

  /**
   * A word's key takes it, and the digit before the first word's the ghost; whether the key is for suggestions.
   *
   * One that comes just too late takes nothing, and does not switch the browser's tab instead.
   */
  function takeByNumber(event, name) {
    const number = (/F\d/.test(now.keys.word) ? F_KEYS : NUMBERS).find((one) => showing.keyOf(one) === name);
    if (number === undefined) return false;
    const shown = showing.current();
    if (!shown) return performance.now() - showing.closedAt() < CLOSED_MS;
    if (!taking.may() || event.repeat) return true; // held down it takes one, not all that follow
    if (number === 0 && shown.rest) taking.takeGhost(true);
    else if (number > 0 && number <= shown.words.length) taking.takeWord(number - 1);
    return true;
  }

  /** Show the words where they do not show themselves; whether the key asks for them. */
  function list(event, name) {
    if (name !== now.keys.ask || !text.around(now.field)?.prefix.trim()) return false;
    noteKey(event, name === "Alt+-" ? "-" : event.key);
    telling.tell();
    return true;
  }

  /** Have a screen reader say what is shown; whether the key asks for it. */
  function speak(event) {
    if (event.key !== "F9" || !event.altKey || !showing.current()) return false;
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

  /** Tab, or a key like it, is the page's first: only what nobody in it has used takes a ghost. */
  function onKeyAfterThePage(event) {
    if (!event.isTrusted || event.defaultPrevented || now.field === null || now.mode === "off") return;
    if (nameOf(event) !== now.keys.grey || !isThePages(now.keys.grey)) return;
    if (tookAt > -Infinity && (event.repeat || event.timeStamp - tookAt < TWICE_MS)) return swallow(event);
    tookAt = -Infinity;
    if (event.timeStamp - letterAt < READ_MS || !showing.current()?.rest || !taking.may()) return;
    swallow(event);
    taking.takeGhost(true);
    tookAt = event.timeStamp;
  }

  return { swallow, onKey, onKeyAfterThePage };
})();
