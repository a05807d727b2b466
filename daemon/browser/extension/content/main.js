// The field that its user types in: asked for, shown, taken, told of.
//
// Only trusted events do anything: a page can make others.
idiolect.main ??= (() => {
  const api = globalThis.browser ?? chrome;
  const { fields, text, caret, overlay, insert, learning } = idiolect;
  const MOST_ASKED = 2; // at a time; of more keys the last one is asked for
  const CLICK_MS = 250; // a word is taken by a click only once it has been seen
  const TYPING_MS = 700; // a change that comes later than this after a key is the page's own
  const TAIL_CHARS = 200;
  const MOST_WORDS = 4;
  const MOST_MORE = 40; // characters that are typed on while one suggestion stays

  let port = null;
  let mode = "off";
  let field = null;
  let roots = [];
  let asked = 0;
  const waiting = new Map(); // number → the text around the cursor that was asked for
  let again = false; // a key came while as many were asked for as may be
  let shown = null;
  let open = null; // the offer whose fate is still to be told of
  let hidden = ""; // the prefix at which its user pressed Escape
  let typedAt = -Infinity;
  let spaced = false; // the last thing put in ended with a space of ours
  let held = false; // a ghost is taken word by word: its rest stays until something else is typed
  let composing = false;

  // --- the background ---

  function connect() {
    try {
      port = api.runtime.connect({ name: "field" });
    } catch {
      return stop(); // the extension has been removed or replaced
    }
    port.onMessage.addListener(take);
    port.onDisconnect.addListener(() => {
      void api.runtime.lastError;
      port = null;
      again = false;
      waiting.clear();
      hide();
    });
  }

  function tell(message) {
    if (port === null) connect();
    port?.postMessage(message);
  }

  function take(message) {
    if (message.mode !== undefined) {
      mode = message.mode;
      if (mode === "off") hide();
      else if (field) learning.begin(field);
      return;
    }
    const prompt = waiting.get(message.id);
    waiting.delete(message.id);
    if (again) {
      again = false;
      ask();
    }
    if (prompt && message.answer) show(prompt, message.answer);
  }

  // --- asking ---

  function ask() {
    if (field === null || mode === "off" || composing) return;
    if (fields.of(field.element) === null) return leave(); // the page has made something else of it
    const around = text.around(field);
    if (around === null || around.prefix.trim() === "" || around.prefix === hidden) return hide();
    if (isAsked(around)) return; // a key and the change that it makes are two events
    if (waiting.size >= MOST_ASKED) {
      again = true;
      return;
    }
    const id = ++asked;
    waiting.set(id, { ...around, id, field });
    tell({ do: "suggest", id, ...around, input_purpose: field.purpose });
  }

  /** Whether the answer for a text is awaited or shown. */
  function isAsked({ prefix, suffix }) {
    const last = [...waiting.values()].at(-1) ?? shown;
    return Boolean(last) && !last.kept && last.prefix === prefix && last.suffix === suffix;
  }

  /** What has been typed on from one prefix to another; null where something else has happened. */
  function typedOn(from, to) {
    const tail = from.slice(-TAIL_CHARS);
    for (let more = 0; more <= MOST_MORE; more++) {
      if (to.endsWith(tail, to.length - more)) return to.slice(to.length - more);
    }
    return null;
  }

  // --- showing ---

  function show(prompt, answer) {
    if (field === null || prompt.field.element !== field.element || (shown && prompt.id < shown.id)) return;
    if (prompt.prefix === hidden) return; // Escape came while the answer was under way
    const around = text.around(field);
    if (around === null || around.prefix !== prompt.prefix || around.suffix !== prompt.suffix) return;
    const words = [...(answer.words ?? [])];
    // What the word before was meant to be stands first; it is never put in without being asked for.
    if (answer.correction) words.unshift(answer.correction);
    const given = answer.ghost?.show && answer.ghost.text ? answer.ghost : null;
    const ghost = held && shown?.ghost ? shown.ghost : given;
    const rest = held && shown?.ghost ? shown.rest : (given?.text ?? "");
    const { id, prefix, suffix } = prompt;
    const taken = held && shown?.taken;
    draw({ id, prefix, suffix, words: words.slice(0, MOST_WORDS), ghost, rest, taken, since: performance.now() });
  }

  /** Whether the rest of the cursor's line is empty, and whether all that follows is: where a ghost may stand. */
  function roomBehind(suffix) {
    return { line: /^[ \t]*(?:\n|$)/.test(suffix), below: suffix.trim() === "" };
  }

  function draw(offer) {
    const before = shown;
    const root = overlay.open()?.root;
    const place = root ? caret.of(field, root) : null;
    const room = roomBehind(offer.suffix);
    const ghost = room.line ? offer.rest : "";
    const some = place !== null && (ghost !== "" || offer.words.length > 0);
    const seen = some ? overlay.show(ghost, offer.words.map((word) => word.text), place, room.below) : null;
    if (seen === null) {
      shown = null;
      overlay.hide();
    } else {
      shown = { ...offer, rest: ghost.slice(0, seen) };
      if (before && sameWords(before, shown)) shown.since = before.since;
    }
    if (!offer.kept) settle(shown ?? { prefix: offer.prefix, words: [], rest: "" });
  }

  const sameWords = (one, other) => one.words.map((word) => word.text).join() === other.words.map((word) => word.text).join();

  /** Nothing is shown any more; with `over`, what was shown has not been taken. */
  function hide({ over = true } = {}) {
    held = false;
    if (shown !== null) {
      shown = null;
      overlay.hide();
    }
    if (over) settle({ prefix: "", words: [], rest: "" });
  }

  /**
   * Tell of the suggestions that are gone with this offer, and keep those that it has as open.
   *
   * What stays while its user types along is one suggestion, whose probability is that of the last answer with it.
   */
  function settle(offer) {
    const more = open ? typedOn(open.prefix, offer.prefix) : null;
    for (const { text: gone, p, replace } of open?.words ?? []) {
      const stays = more !== null && offer.words.some((word) => more + word.text === gone);
      if (!stays && !replace) report({ kind: "word", outcome: "dismissed", p });
    }
    if (open?.rest && !open.taken) {
      const stays = more !== null && offer.rest && open.rest.startsWith(more);
      if (!stays) report({ kind: "ghost", outcome: "dismissed", p: open.ghost.p });
    }
    open = offer.words.length > 0 || offer.rest ? offer : null;
  }

  /** Once what is typed goes on as the ghost does, its rest stays where it is until the next answer. */
  function follow() {
    if (!shown) return;
    const around = field && text.around(field);
    const more = around ? typedOn(shown.prefix, around.prefix) : null;
    if (more && shown.rest.startsWith(more) && around.suffix === shown.suffix) {
      held = false;
      draw({ ...shown, prefix: around.prefix, rest: shown.rest.slice(more.length), words: [], kept: true });
    } else if (!around || around.prefix !== shown.prefix || around.suffix !== shown.suffix) {
      hide({ over: more === null });
    }
  }

  // --- taking ---

  /** Whether what is shown may still be taken: it is seen, and the text is the one that it was shown for. */
  function mayTake() {
    if (!shown || field === null || composing || !overlay.isWhole()) return false;
    const around = text.around(field);
    const same = around !== null && around.prefix === shown.prefix && around.suffix === shown.suffix;
    return same && caret.of(field, overlay.open().root) !== null;
  }

  function put(what, replaced = 0) {
    typedAt = performance.now();
    learning.note({ inputType: "insertText" });
    insert.put(field, what, replaced);
  }

  function takeWord(place) {
    const word = shown.words[place];
    const space = /\s$/.test(word.text) || /^\s/.test(shown.suffix) ? "" : " ";
    const taken = word.text + space;
    const figures = { outcome: "accepted", p: word.p, characters: [...taken].length, keystrokes: 1 };
    const typed = [...shown.prefix].slice(-word.replace || Infinity).join("");
    close(word);
    put(taken, word.replace ?? 0);
    spaced = space === " ";
    report(word.replace ? { ...figures, kind: "correction", word: wordOf(typed) } : { ...figures, kind: "word" });
    soon();
  }

  /** The word in what a correction replaces. */
  const wordOf = (typed) => typed.match(/[\p{L}\p{N}'’-]+/u)?.[0] ?? typed.trim();

  /** What is shown goes, and all of it but `taken` has been dismissed. */
  function close(taken) {
    open = open && { ...open, words: open.words.filter((word) => word.text !== taken?.text), taken: open.taken || !taken };
    hide();
  }

  /** Take the ghost, or its first word: then the rest stays, and is no suggestion of its own. */
  function takeGhost(whole) {
    const { ghost, rest, taken } = shown;
    const part = whole ? rest : firstWord(ghost, rest);
    const after = rest.slice(part.length);
    const words = part.trim().split(/\s+/).length;
    const figures = { outcome: "accepted", p: ghost.p, characters: [...part].length, keystrokes: 1, words };
    if (!taken) report({ kind: "ghost", ...figures });
    const offer = { ...shown, words: [], rest: after, taken: true, kept: true };
    close(null);
    put(part);
    spaced = false;
    held = after !== "";
    soon(held ? offer : null);
  }

  /** The first word of a ghost's rest, as the service cuts it if it does. */
  function firstWord({ text: all, words }, rest) {
    let at = 0;
    for (const { text: word } of words ?? []) {
      at += word.length;
      if (at > all.length - rest.length) return rest.slice(0, at - (all.length - rest.length));
    }
    return rest.match(/^\s*\S+/)?.[0] ?? rest;
  }

  function report(of) {
    tell({ do: "feedback", of });
  }

  // --- events ---

  /** After the page has dealt with a key: editors change their text by themselves, some of them later. */
  function soon(offer = null) {
    setTimeout(() => {
      if (field === null) return;
      if (offer !== null) {
        const around = text.around(field);
        if (around) draw({ ...offer, prefix: around.prefix, suffix: around.suffix });
      } else {
        follow();
      }
      ask();
    });
  }

  const KEYS = {
    Escape: (event) => {
      if (!shown) return;
      hidden = shown.prefix;
      if (shown.rest) swallow(event);
      hide();
    },
    ArrowRight: (event) => takeByArrow(event, "ltr"),
    ArrowLeft: (event) => takeByArrow(event, "rtl"),
  };

  function takeByArrow(event, direction) {
    if (!shown?.rest || event.altKey === event.ctrlKey || event.shiftKey || event.metaKey) return;
    if (getComputedStyle(field.element).direction !== direction || !mayTake()) return;
    swallow(event);
    takeGhost(false);
  }

  function swallow(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  function onKey(event) {
    if (!event.isTrusted || field === null || mode === "off") return;
    if (event.isComposing || event.keyCode === 229) return hide();
    const { key, altKey: alt, ctrlKey: ctrl, metaKey: meta } = event;
    const digit = /^Digit([0-9])$/.exec(event.code);
    if (digit && alt && !ctrl && !meta && mayTake()) {
      const place = digit[1] - 1;
      if (place === -1 && shown.rest) {
        swallow(event);
        return takeGhost(true);
      }
      if (place >= 0 && place < shown.words.length) {
        swallow(event);
        return takeWord(place);
      }
    }
    if (key === "F9" && alt && shown) {
      swallow(event);
      return overlay.say(spoken());
    }
    KEYS[key]?.(event);
    if (event.defaultPrevented) return;
    if (spaced && /^[.,;:!?)\]]$/.test(key) && !ctrl && !meta) insert.takeBack(field);
    if (!["Shift", "Control", "Alt", "Meta"].includes(key)) {
      if (key !== "Tab") spaced = false;
      typedAt = performance.now();
      if (key === "Enter") sending();
      if (key.length === 1 && !ctrl && !meta) soon();
      else if (["Backspace", "Delete", "Enter"].includes(key)) soon();
      else if (shown) setTimeout(follow); // it may have moved the cursor
    }
  }

  /** Tab is the page's first: only what nobody in it has used takes a ghost. */
  function onKeyAfterThePage(event) {
    if (!event.isTrusted || event.key !== "Tab" || event.defaultPrevented) return;
    if (event.shiftKey || event.altKey || event.ctrlKey || event.metaKey || !shown?.rest || !mayTake()) return;
    swallow(event);
    takeGhost(true);
  }

  function spoken() {
    const words = shown.words.map((word, index) => `${index + 1} ${word.text}`);
    return [shown.rest, ...words].filter(Boolean).join(", ");
  }

  function onChange(event) {
    if (!event.isTrusted || field === null || mode === "off" || !field.element.contains(within(event))) return;
    learning.note(event);
    typedAt = performance.now();
    if (field.kind === "plain") {
      follow();
      ask();
    } else {
      soon();
    }
  }

  const within = (event) => event.composedPath()[0];

  /** The cursor has moved: what was shown stands elsewhere, unless it is a key that has been typed. */
  function onSelection() {
    if (shown && performance.now() - typedAt > TYPING_MS) follow();
  }

  function onPointer(event) {
    if (!event.isTrusted || field === null) return;
    const place = shown ? overlay.chipAt(event.clientX, event.clientY) : -1;
    if (place >= 0) {
      swallow(event);
      if (event.type === "pointerdown" && event.button === 0 && performance.now() - shown.since > CLICK_MS && mayTake()) {
        pressed = true;
        takeWord(place);
      }
    } else if (pressed) {
      swallow(event);
    } else if (event.type === "pointerdown") {
      sending();
      hide();
    }
    if (event.type === "click") pressed = false;
  }

  let pressed = false; // a word was taken by this click, which the page is not to get

  // --- which field ---

  function onFocus(event) {
    if (event && !event.isTrusted) return;
    const found = fields.focused();
    for (const root of found.roots) {
      if (!roots.includes(root)) root.addEventListener("focusin", onFocus);
    }
    roots = found.roots;
    const next = fields.of(found.element);
    if (next?.element === field?.element) return;
    leave();
    if (next === null) return;
    field = next;
    hidden = "";
    if (port === null) connect();
    else if (mode !== "off") learning.begin(field);
    listen();
  }

  function leave() {
    if (field === null) return;
    if (mode === "learn") {
      const about = learning.left();
      if (about) tell({ do: "learn", ...about });
    }
    hide();
    field = null;
    spaced = false;
  }

  /** A key or a click that may send what is written: what is there is kept, and looked at again shortly after. */
  function sending() {
    if (mode !== "learn") return;
    learning.keep();
    for (const later of [50, 500]) {
      setTimeout(() => {
        const about = field && learning.sent();
        if (about) tell({ do: "learn", ...about });
      }, later);
    }
  }

  // --- life ---

  let listening = null;

  /** Listen for keys: only once there is a field. */
  function listen() {
    if (listening) return;
    listening = new AbortController();
    const { signal } = listening;
    const on = (target, name, work, capture = true) => target.addEventListener(name, work, { capture, signal });
    on(window, "keydown", onKey);
    on(window, "keydown", onKeyAfterThePage, false);
    on(document, "input", onChange);
    on(document, "selectionchange", onSelection);
    on(document, "compositionstart", (event) => {
      if (!event.isTrusted) return;
      composing = true;
      hide();
    });
    on(document, "compositionend", (event) => {
      if (!event.isTrusted) return;
      composing = false;
      soon();
    });
    for (const name of ["pointerdown", "mousedown", "pointerup", "mouseup", "click"]) on(window, name, onPointer);
    for (const name of ["scroll", "resize"]) on(window, name, onMove);
    on(document, "visibilitychange", () => (document.hidden ? leave() : onFocus()));
    on(document, "submit", (event) => event.isTrusted && leaveLater());
    on(window, "pagehide", () => {
      leave();
      overlay.close();
      port?.disconnect();
      port = null;
    });
  }

  function leaveLater() {
    if (mode !== "learn" || field === null) return;
    const about = learning.left();
    if (about) tell({ do: "learn", ...about });
  }

  let moving = 0;

  function onMove() {
    if (!shown || moving) return;
    moving = requestAnimationFrame(() => {
      moving = 0;
      if (shown) draw(shown);
    });
  }

  function stop() {
    listening?.abort();
    document.removeEventListener("focusin", onFocus, true);
    document.removeEventListener("focusout", onBlur, true);
    overlay.close();
    field = null;
    mode = "off";
  }

  function onBlur(event) {
    if (!event.isTrusted || field === null) return;
    setTimeout(onFocus); // where the focus goes is known only then
  }

  document.addEventListener("focusin", onFocus, true);
  document.addEventListener("focusout", onBlur, true);
  onFocus();
  return { stop };
})();
