// What the session is told: its user's keys, what the field shows then, and what was done at once, in their order.
idiolect.telling ??= (() => {
  const { now, fields, text, learning, link, showing, context } = idiolect;
  const PAUSE_MS = 50; // between two reports of what a page's script has done
  const MAX_FIELDS = 1000; // that are told apart in a page
  const NONE = [];
  const numbers = new WeakMap(); // element → the number that the session knows it by
  let fieldsSeen = 0;
  let events = [];
  let opened = null; // what was told of the present field, as JSON; null: nothing yet
  let last = null; // the text around the cursor, as it was last told
  let answered = NONE; // what is answered in the field, as it was last told
  let toldAt = -Infinity;
  let later = 0;
  let left = () => {};

  const same = (one, other) => one === other || (one && other && one.prefix === other.prefix && one.suffix === other.suffix);

  /** Whether a sure correction may be made at the cursor: not in code. */
  function mends() {
    const { kind, mends: may } = now.field;
    const holder = kind === "rich" ? text.selectionOf(now.field)?.startContainer.parentElement : null;
    return may && !holder?.closest("pre, code");
  }

  /** Before a key: the session knows the field, and what stands there; of that its user's keys have just typed `keyed`. */
  function open(keyed = "") {
    const { element, purpose } = now.field;
    if (!numbers.has(element)) numbers.set(element, (fieldsSeen = (fieldsSeen + 1) % MAX_FIELDS));
    const about = ["field", numbers.get(element), purpose, !(element instanceof HTMLInputElement), mends()];
    const found = JSON.stringify([about, now.mode]);
    if (found === opened) return;
    const around = text.around(now.field);
    const typed = around?.prefix.endsWith(keyed) ? keyed : "";
    opened = found;
    events.push(about);
    answered = NONE;
    report(around && { ...around, prefix: around.prefix.slice(0, around.prefix.length - typed.length) });
    type(typed);
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
    events.push(around === null ? ["selected"] : ["text", around.prefix, around.suffix]);
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
    setTimeout(() => {
      if (now.field === null) return;
      tell(); // first, since the answer takes longer than all else
      learning.sync();
      showing.follow();
    });
  }

  /** The field is left. */
  function leave() {
    clearTimeout(later);
    if (opened !== null && now.mode !== "off") {
      events.push(["away"]);
      send();
    }
    lose();
  }

  /** The session knows nothing of the field any more. */
  function lose() {
    events = [];
    opened = last = null;
  }

  /** Calls `then` where the field turns out to be none any more. */
  function onLeft(then) {
    left = then;
  }

  return { open, note, type, secondsOf, tell, send, soon, leave, lose, onLeft, last: () => last };
})();
