// What the session is told: its user's keys and inputs, what the field shows then, and what was done at once, in their
// order. Of texts it is told what has changed.
//
// Its user's are the keys and changes that the browser calls trusted. `document.execCommand`, by which a page puts text in,
// makes a trusted `input` event, too, but in no browser the `beforeinput` event before it.
idiolect.telling ??= (() => {
  const { now, fields, text, link, showing, context } = idiolect;
  const PAUSE_MS = 50; // between two reports of what a page's script has done
  const MAX_FIELDS = 1000; // that are told apart in a page
  const NONE = [];
  const NOTHING = { prefix: "", suffix: "" };
  const numbers = new WeakMap(); // element → the number that the session knows it by
  let fieldsSeen = 0;
  let events = [];
  let opened = null; // what was told of the present field, as JSON; null: nothing yet
  let last = null; // the text around the cursor, as it was last told; null where something is selected
  let known = NOTHING; // the last such text that was one
  let whole = null; // all that the field holds, as it was last told; null where nothing is learned of it
  let isPutting = false; // a text is being put in for its user, of which Firefox makes a trusted event
  let answered = NONE; // what is answered in the field, as it was last told
  let toldAt = -Infinity;
  let later = 0;
  let soonAgain = 0;
  let left = () => {};

  const same = (one, other) => one === other || (one && other && one.prefix === other.prefix && one.suffix === other.suffix);

  /** Whether a sure correction may be made at the cursor: not in code. */
  function mends() {
    const { kind, mends: may } = now.field;
    const holder = kind === "rich" ? text.selectionOf(now.field)?.startContainer.parentElement : null;
    return may && !holder?.closest("pre, code");
  }

  /** Before a key: the session knows the field, and what stands there; what was done there `early`, as `start` tells it. */
  function open(early = null) {
    const { element, purpose } = now.field;
    if (!numbers.has(element)) numbers.set(element, (fieldsSeen = (fieldsSeen + 1) % MAX_FIELDS));
    const about = ["field", numbers.get(element), purpose, !(element instanceof HTMLInputElement), mends()];
    const found = JSON.stringify([about, now.mode]);
    if (found === opened) return;
    const around = text.around(now.field);
    const keyed = early?.keyed ?? "";
    const typed = around?.prefix.endsWith(keyed) ? keyed : "";
    opened = found;
    whole = now.mode === "learn" ? (early === null ? text.all(now.field) : early.before) : null;
    known = NOTHING;
    answered = NONE;
    events.push([...about, whole]);
    report(around && { ...around, prefix: around.prefix.slice(0, around.prefix.length - typed.length) });
    type(typed);
    if (early !== null && whole !== null) note("put", early.typed || keyed, false);
  }

  /** Tell what the field holds now, where that is learned. */
  function look() {
    if (whole === null || now.composing || !now.field?.element.isConnected) return;
    const found = text.all(now.field);
    if (found === whole) return;
    if (found === null) events.push(["forbidden"]);
    else {
      const { start, end } = text.alike(whole, found);
      events.push(["holds", start, whole.length - end, found.slice(start, found.length - end)]);
    }
    whole = found;
  }

  /** A trusted `beforeinput` event. */
  function enter(inputType, data = "") {
    if (now.mode !== "learn" || isPutting) return;
    open();
    note("input", inputType, data);
  }

  /** A text is put in by `work` for its user, in place of another where it `replaces` one. */
  function put(coming, replaces, work) {
    look();
    const told = whole !== null;
    if (told) note("put", coming, replaces);
    isPutting = true;
    const done = work();
    isPutting = false;
    if (told && done === false) note("put", "", false);
    look();
    return done;
  }

  /** An input method has ended with this text, as the browser says, and as it had brought it before. */
  function compose(ended, composed, replaces) {
    type(ended);
    if (composed !== "" && whole !== null) note("put", composed, replaces);
  }

  /** When an event happened, in seconds since 1970. */
  const secondsOf = (timeStamp) => (performance.timeOrigin + timeStamp) / 1000;

  /** Remember that its user has typed these characters just now. */
  function type(characters) {
    for (const one of characters) note("key", one, 0, secondsOf(performance.now()));
  }

  function report(around) {
    if (same(around, last) && events.length === 0) return; // behind a key the same text says that the key is done
    last = around;
    if (around === null) return void events.push(["selected"]);
    const { prefix, suffix } = around;
    const { start } = text.alike(known.prefix, prefix);
    const dropped = [...known.prefix.slice(start)].length;
    events.push(["text", dropped, prefix.slice(start), ...(suffix === known.suffix ? [] : [suffix])]);
    known = around;
  }

  /** Remember an event, to be told with what the field shows behind it. */
  function note(...event) {
    if (now.field !== null && now.mode !== "off") events.push(event);
  }

  /** Tell what has happened, and what the field shows now. */
  function tell() {
    clearTimeout(later);
    if (now.field === null || now.mode === "off" || now.composing || opened === null) return;
    if (fields.of(now.field.element) === null) return left(); // the page has made something else of it
    look();
    const around = text.around(now.field);
    const texts = context.texts();
    const reads = texts !== answered && texts.length + answered.length > 0;
    if (events.length === 0 && same(around, last) && !reads) return;
    if (events.length === 0 && performance.now() - toldAt < PAUSE_MS) return void (later = setTimeout(tell, PAUSE_MS));
    if (reads) events.push(["answered", (answered = texts)]);
    report(around);
    send();
  }

  /** Tell what has happened alone. */
  function send() {
    toldAt = performance.now();
    link.tell({ do: "typed", events: events.splice(0) });
  }

  /** After the page has dealt with a key: editors change their text by themselves, some of them later. */
  function soon() {
    soonAgain ||= setTimeout(() => {
      soonAgain = 0;
      if (now.field === null) return;
      tell(); // first, since the answer takes longer than all else
      showing.follow();
    });
  }

  /** What was written is done with: the field is left, or its form sent. */
  function leave() {
    clearTimeout(later);
    if (opened !== null && now.mode !== "off") {
      look();
      if (whole !== null && fields.isSecret(now.field.element)) events.push(["forbidden"]);
      events.push(["away"]);
      send();
    }
    lose();
  }

  /** The session knows nothing of the field any more. */
  function lose() {
    events = [];
    opened = last = whole = null;
  }

  /** Calls `then` where the field turns out to be none any more. */
  function onLeft(then) {
    left = then;
  }

  return { open, look, note, enter, put, compose, secondsOf, tell, send, soon, leave, lose, onLeft, last: () => last };
})();
