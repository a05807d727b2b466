// What is shown: drawn, kept while its user types on as it says, and hidden.
idiolect.showing ??= (() => {
  const { now, text, caret, overlay } = idiolect;
  const TAIL_CHARS = 200;
  const MAX_MORE = 40; // characters that are typed on while one suggestion stays
  const ENDS_WORD = /^[ .,;:!?)\]]+$/;

  let shown = null; // { prefix, suffix, words, ghost, rest, pieces, since }
  let closedAt = -Infinity; // when something shown went, by `performance.now()`

  /** What has been typed on from one prefix to another; null where something else has happened. */
  function typedOn(from, to) {
    const tail = from.slice(-TAIL_CHARS);
    for (let more = 0; more <= MAX_MORE; more++) {
      if (to.endsWith(tail, to.length - more)) return to.slice(to.length - more);
    }
    return null;
  }

  /** Whether the cursor still stands in the text that an offer is about. */
  function stands({ prefix, suffix }) {
    const around = now.field && text.around(now.field);
    return Boolean(around) && around.prefix === prefix && around.suffix === suffix;
  }

  /** Show what the session offers behind a text that ends with `at`, if that stands there. */
  function show({ at, words, ghost }) {
    const around = now.field && text.around(now.field);
    if (!around || typedOn(at, around.prefix) !== "") return;
    draw({ ...around, words, ghost, rest: ghost?.text ?? "", pieces: ghost?.pieces ?? [], since: performance.now() });
  }

  /** Whether the rest of the cursor's line is empty, and whether all that follows is: where a ghost may stand. */
  function roomBehind(suffix) {
    return { line: /^[ \t]*(?:\n|$)/.test(suffix), below: suffix.trim() === "" };
  }

  /** The name of the key that takes a word, counted from 1: those behind the first word's are in a row. */
  function keyOf(number) {
    const [, held, first] = /^(.*?)(\d+)$/.exec(now.keys.word);
    return `${held}${+first + number - 1}`;
  }

  function draw(offer) {
    const before = shown;
    const root = overlay.open()?.root;
    const place = root ? caret.of(now.field, root) : null;
    const room = roomBehind(offer.suffix);
    const ghost = room.line ? offer.rest : "";
    const some = place !== null && (ghost !== "" || offer.words.length > 0);
    const labels = offer.words.map(({ label }) => label);
    const keys = labels.map((_, index) => keyOf(index + 1).replace(/^Alt\+/, ""));
    const seen = some ? overlay.show(ghost, labels, place, room.below, keys) : null;
    if (seen === null) return hide();
    shown = { ...offer, keys, rest: ghost.slice(0, seen) };
    if (before && before.words.map(({ label }) => label).join() === labels.join()) shown.since = before.since;
  }

  /** The field has moved in the window. */
  function move() {
    if (shown) draw(shown);
  }

  function hide() {
    if (shown === null) return;
    closedAt = performance.now();
    shown = null;
    overlay.hide();
  }

  /** What stays of the words where `more` is typed: what replaces the word that it ends, if that is typed by keys. */
  function staying(more) {
    if (!ENDS_WORD.test(more) || !now.keyed.endsWith(more)) return [];
    const other = shown.words.findIndex((word) => !word.replace);
    const fixes = shown.words.slice(0, other < 0 ? shown.words.length : other); // each keeps its place, and so its key
    return fixes.map((fix) => ({ ...fix, text: fix.text + more, replace: fix.replace + more.length }));
  }

  /**
   * Once what is typed goes on as the ghost does, its rest stays where it is until the session says otherwise; so do words
   * that replace what was typed, behind its end.
   */
  function follow() {
    if (!shown) return;
    const around = now.field && text.around(now.field);
    const more = around && around.suffix === shown.suffix ? typedOn(shown.prefix, around.prefix) : null;
    if (more === "") return;
    const goesOn = more !== null && !shown.ghost?.word && shown.rest.startsWith(more);
    const rest = goesOn ? shown.rest.slice(more.length) : "";
    const words = more === null ? [] : staying(more);
    if (rest || words.length > 0) draw({ ...shown, ...around, rest, pieces: behind(shown.pieces, more.length), words });
    else hide();
  }

  /** The pieces of a ghost behind so many of its characters. */
  function behind(pieces, characters) {
    const [first = "", ...others] = pieces;
    if (characters >= first.length && others.length > 0) return behind(others, characters - first.length);
    return [first.slice(characters), ...others];
  }

  /** What is shown as it is said: the ghost, then the words with their keys. */
  const said = () => [shown.rest, ...shown.words.map(({ label }, index) => `${shown.keys[index]} ${label}`)].filter(Boolean).join(", ");

  return { current: () => shown, keyOf, closedAt: () => closedAt, said, show, move, hide, follow, stands, typedOn };
})();
