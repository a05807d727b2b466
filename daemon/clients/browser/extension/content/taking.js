// Taking what is shown: a word, or a ghost whole or by its words.
idiolect.taking ??= (() => {
  const { now, text, caret, overlay, insert, showing, telling, mending } = idiolect;
  /** What a space comes before behind a word that was taken; all else stands right behind the word, as in the session. */
  const SPACED = /^[\p{L}\p{N}([{<“‘„«¿¡#]$/u;
  let spaced = false; // the last thing put in ended with a space of ours

  /** Whether what is shown may still be taken: it is seen, and the text is the one that it was shown for. */
  function may() {
    const shown = showing.current();
    if (!shown || now.field === null || now.composing || !overlay.isWhole()) return false;
    return showing.stands(shown) && caret.of(now.field, overlay.open().root) !== null;
  }

  function takeWord(place) {
    const word = showing.current().words[place];
    const closes = word.replace > 0 && /\p{P}$/u.test(word.text);
    take(word, !closes && !/\s$/.test(word.text) && !/^\s/.test(showing.current().suffix));
  }

  /** Put a word in, and a space behind it where that is `open`. */
  function take({ text: word, replace, p }, open) {
    const { prefix } = showing.current();
    const put = open ? `${word} ` : word;
    const typed = replace > 0 ? [...prefix].slice(-replace).join("") : "";
    showing.hide();
    spaced = open;
    telling.note("word", prefix, put, p, replace);
    if (!insert.put(now.field, put, typed)) return telling.lose(); // the session has heard of what was not done
    if (replace > 0) mending.remember(typed, put);
    telling.soon();
  }

  /** Take the ghost, or its first word: then the rest stays. */
  function takeGhost(whole) {
    const { prefix, ghost, rest, pieces } = showing.current();
    spaced = false;
    if (ghost.word) {
      if (rest === ghost.text) take(ghost.word, false); // else a part of it was not seen
      return;
    }
    const seen = pieces.join("") === rest ? pieces : [rest];
    telling.note("ghost", prefix, whole ? [rest] : seen, ghost.p);
    if (whole) showing.hide();
    insert.put(now.field, whole ? rest : seen[0]);
    telling.soon();
  }

  /** A key is typed behind what was taken: a full stop, or a space, takes the place of the space that came with it. */
  function onKey({ key, ctrlKey, metaKey }) {
    const closes = key.length === 1 && !SPACED.test(key) && !ctrlKey && !metaKey;
    if (spaced && closes && text.around(now.field)?.prefix.endsWith(" ")) {
      insert.takeBack(now.field);
      telling.note("key", "Backspace", 0, 0);
    }
    if (key !== "Tab") spaced = false;
  }

  /** Another field, or another place in it. */
  function forget() {
    spaced = false;
  }

  return { may, takeWord, takeGhost, onKey, forget };
})();
