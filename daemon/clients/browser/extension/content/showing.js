// What is shown: drawn, kept while its user types on as it says, hidden, and told of once its fate is known.
idiolect.showing ??= (() => {
  const { now, text, caret, overlay, link } = idiolect;
  const TAIL_CHARS = 200;
  const MAX_WORDS = 4;
  const MAX_MORE = 40; // characters that are typed on while one suggestion stays
  const ENDS_WORD = /^[ .,;:!?)\]]+$/;
  const LETTERS = /^[\p{L}\p{N}'’-]*$/u;
  const BEGUN = /[\p{L}\p{N}'’-]*$/u; // the word before the cursor
  const WORDS = /^[\p{L}\p{N}'’ -]*/u;

  let shown = null;
  let open = null; // the offer whose fate is still to be told of
  let dismissed = ""; // the prefix at which its user pressed Escape
  let closedAt = -Infinity; // when something shown went, by `performance.now()`
  let listedAt = null; // the prefix at which the words came up, and from which on they are shown until the word's end
  let answered = null; // the last answer as an offer, with words that are not shown, too
  let held = false; // a ghost is taken word by word: its rest stays until something else is typed

  /** What has been typed on from one prefix to another; null where something else has happened. */
  function typedOn(from, to) {
    const tail = from.slice(-TAIL_CHARS);
    for (let more = 0; more <= MAX_MORE; more++) {
      if (to.endsWith(tail, to.length - more)) return to.slice(to.length - more);
    }
    return null;
  }

  /** The words of an offer as they stand there once they are taken; where a word has ended, with what they replace. */
  function labels({ prefix, words }) {
    const before = [...prefix.slice(-TAIL_CHARS)]; // what a word replaces is counted by whole characters
    const begun = [...before.join("").match(BEGUN)[0]];
    return words.map(({ text: word, replace = 0 }) => {
      if (replace > 0 && begun.length === 0) return mendedWords(before.slice(-replace).join(""), word).join(" → ");
      return (begun.slice(0, Math.max(begun.length - replace, 0)).join("") + word).trim();
    });
  }

  /** The mistyped and the right words of a correction, without a word behind them that is the same in both. */
  function mendedWords(typed, put) {
    const [one, other] = [typed, put].map((text) => plain(text).split(" "));
    if (one.join("") === other.join("")) return [plain(typed), plain(put)]; // their spaces alone
    while (one.length > 1 && other.length > 1 && one.at(-1) === other.at(-1)) [one, other].forEach((words) => words.pop());
    return [one.join(" "), other.join(" ")];
  }

  /** Words without the mark that ended them. */
  const plain = (words) => words.match(WORDS)[0].trim();

  /** Whether the cursor still stands in the text that an offer or a question is about. */
  function stands({ prefix, suffix }) {
    const around = now.field && text.around(now.field);
    return Boolean(around) && around.prefix === prefix && around.suffix === suffix;
  }

  /** Show the answer to a question whose text still stands there. */
  function show(prompt, answer) {
    if (shown && prompt.id < shown.id) return;
    if (isDismissed(prompt.prefix)) return; // Escape came while the answer was under way
    let words = [...(answer.words ?? [])];
    // What the word before was meant to be stands first.
    if (answer.correction) words.unshift(answer.correction);
    words = words.slice(0, MAX_WORDS);
    const { id, prefix, suffix, answers } = prompt;
    if (answer.list.show && !isListed(prefix)) listedAt = prefix;
    answered = { id, prefix, suffix, answers, words, ...ghostOf(answer), since: performance.now() };
    draw({ ...answered, words: isListed(prefix) ? words : [] });
  }

  /** Whether the words are shown, as they were at the beginning of the same word. */
  const isListed = (prefix) => listedAt !== null && LETTERS.test(typedOn(listedAt, prefix) ?? " ");

  /** Its user asks for the words: show those that are there, and any that come; whether some may stand here. */
  function list() {
    const around = now.field && text.around(now.field);
    if (!around || around.prefix.trim() === "") return false;
    listedAt = around.prefix;
    dismissed = "";
    if (answered?.prefix === around.prefix && answered.suffix === around.suffix) draw({ ...answered, since: performance.now() });
    return true;
  }

  /** The ghost to show: what was meant, the one that is being taken word by word, or else the answer's. */
  function ghostOf({ ghost, words, correction }) {
    const meant = [correction, ...(words ?? [])].find((word) => word?.grey);
    if (meant) return { ghost: meant, rest: `\u00a0→ ${meant.text.trimEnd()}`, taken: true };
    if (held && shown?.ghost) return { ghost: shown.ghost, rest: shown.rest, taken: shown.taken };
    return ghost?.show && ghost.text ? { ghost, rest: ghost.text } : { ghost: null, rest: "" };
  }

  /** Whether the rest of the cursor's line is empty, and whether all that follows is: where a ghost may stand. */
  function roomBehind(suffix) {
    return { line: /^[ \t]*(?:\n|$)/.test(suffix), below: suffix.trim() === "" };
  }

  function draw(offer) {
    const before = shown;
    const root = overlay.open()?.root;
    const place = root ? caret.of(now.field, root) : null;
    const room = roomBehind(offer.suffix);
    const ghost = room.line ? offer.rest : "";
    const some = place !== null && (ghost !== "" || offer.words.length > 0);
    const seen = some ? overlay.show(ghost, labels(offer), place, room.below) : null;
    if (seen === null) {
      clear();
    } else {
      shown = { ...offer, rest: ghost.slice(0, seen) };
      if (before && sameWords(before, shown)) shown.since = before.since;
    }
    if (!offer.kept) settle(shown ?? { prefix: offer.prefix, words: [], rest: "" });
  }

  const sameWords = (one, other) => one.words.map((word) => word.text).join() === other.words.map((word) => word.text).join();

  /** Draw an offer for the text that stands at the cursor now. */
  function drawHere(offer) {
    const around = text.around(now.field);
    if (around) draw({ ...offer, prefix: around.prefix, suffix: around.suffix });
  }

  /** The field has moved in the window. */
  function move() {
    if (shown) draw(shown);
  }

  function clear() {
    if (shown !== null) closedAt = performance.now();
    shown = null;
    overlay.hide();
  }

  /** Nothing is shown any more; with `over`, what was shown has not been taken. */
  function hide({ over = true } = {}) {
    held = false;
    outdate();
    if (shown !== null) clear();
    if (over) settle({ prefix: "", words: [], rest: "" });
  }

  /** Its user wants nothing at this place. */
  function dismiss() {
    dismissed = shown.prefix;
    listedAt = null;
    hide();
  }

  const isDismissed = (prefix) => prefix === dismissed;

  /** Another text is asked about: the last answer is of no use any more. */
  function outdate() {
    answered = null;
  }

  /** Another field: what was dismissed or asked for in the last one is forgotten. */
  function forget() {
    dismissed = "";
    listedAt = answered = null;
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
      if (!stays && !replace) link.report({ kind: "word", outcome: "dismissed", p });
    }
    if (open?.rest && !open.taken) {
      const stays = more !== null && offer.rest && open.rest.startsWith(more);
      if (!stays) link.report({ kind: "ghost", outcome: "dismissed", p: open.ghost.p });
    }
    open = offer.words.length > 0 || offer.rest ? offer : null;
  }

  /** What stays of the words where `more` is typed: what replaces the word that it ends, if that is typed by keys. */
  function staying(more) {
    if (!ENDS_WORD.test(more) || !now.keyed.endsWith(more)) return [];
    const other = shown.words.findIndex((word) => !word.replace);
    const fixes = shown.words.slice(0, other < 0 ? MAX_WORDS : other); // each keeps its place, and so its key
    return fixes.map((fix) => ({ ...fix, text: fix.text + more, replace: fix.replace + more.length }));
  }

  /**
   * Once what is typed goes on as the ghost does, its rest stays where it is until the next answer; so do words that
   * replace what was typed, behind its end.
   */
  function follow() {
    if (!shown) return;
    const around = now.field && text.around(now.field);
    const more = around ? typedOn(shown.prefix, around.prefix) : null;
    const goesOn = more && around.suffix === shown.suffix;
    const rest = goesOn && !shown.ghost?.replace && shown.rest.startsWith(more) ? shown.rest.slice(more.length) : "";
    const words = goesOn ? staying(more) : [];
    if (rest || words.length > 0) {
      held = false;
      draw({ ...shown, prefix: around.prefix, rest, words, kept: true });
    } else if (!around || around.prefix !== shown.prefix || around.suffix !== shown.suffix) {
      hide({ over: more === null });
    }
  }

  /** What is shown goes, since the word `taken` of it, or null for its ghost, has been taken; the rest was dismissed. */
  function close(taken) {
    open = open && { ...open, words: open.words.filter((word) => word.text !== taken?.text), taken: open.taken || !taken };
    hide();
  }

  /** The rest of a ghost whose beginning was taken stays, and is no suggestion of its own. */
  function hold() {
    held = true;
  }

  /** What is shown as it is said: the ghost, then the words with their numbers. */
  const said = () => [shown.rest, ...labels(shown).map((word, index) => `${index + 1} ${word}`)].filter(Boolean).join(", ");

  return { current: () => shown, last: () => answered, closedAt: () => closedAt, said, list, outdate, show, drawHere, move, hide, dismiss, isDismissed, forget, follow, close, hold, stands, typedOn, plain, mendedWords };
})();
