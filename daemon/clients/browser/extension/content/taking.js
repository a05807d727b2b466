// Taking what is shown: a word, or a ghost whole or by its words.
idiolect.taking ??= (() => {
  const { now, text, caret, overlay, insert, link, showing, asking, mending } = idiolect;
  let spaced = false; // the last thing put in ended with a space of ours

  /** Whether what is shown may still be taken: it is seen, and the text is the one that it was shown for. */
  function may() {
    const shown = showing.current();
    if (!shown || now.field === null || now.composing || !overlay.isWhole()) return false;
    return showing.stands(shown) && caret.of(now.field, overlay.open().root) !== null;
  }

  function takeWord(place) {
    const shown = showing.current();
    const word = shown.words[place];
    if (word.replace) return takeMended(word);
    showing.close(word);
    const space = /\s$/.test(word.text) || /^\s/.test(shown.suffix) ? "" : " ";
    const taken = word.text + space;
    insert.put(now.field, taken);
    spaced = space === " ";
    link.report({ kind: "word", outcome: "accepted", p: word.p, characters: [...taken].length, keystrokes: 1 });
    now.stretch?.take([...taken].length);
    asking.soon();
  }

  function takeMended(word) {
    const shown = showing.current();
    showing.close(word);
    spaced = ![null, word.text].includes(mending.mend(shown, word));
  }

  /** Take the ghost, or its first word: then the rest stays, and is no suggestion of its own. */
  function takeGhost(whole) {
    const shown = showing.current();
    const { ghost, rest, taken } = shown;
    if (ghost.replace) {
      if (rest.endsWith(ghost.text.trimEnd())) takeMended({ ...ghost, bare: true }); // else a part of it was not seen
      return;
    }
    const part = whole ? rest : firstWord(ghost, rest);
    const after = rest.slice(part.length);
    const words = part.trim().split(/\s+/).length;
    const figures = { p: ghost.p, characters: [...part].length, keystrokes: 1, words };
    if (!taken) link.report({ kind: "ghost", outcome: "accepted", ...figures });
    const offer = { ...shown, words: [], rest: after, taken: true, kept: true };
    showing.close(null);
    insert.put(now.field, part);
    now.stretch?.take([...part].length);
    spaced = false;
    if (after === "") return asking.soon();
    showing.hold();
    asking.soon(offer);
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

  /** A key is typed behind what was taken: a full stop takes the place of the space that came with it. */
  function onKey({ key, ctrlKey, metaKey }) {
    const closes = /^[.,;:!?)\]]$/.test(key) && !ctrlKey && !metaKey;
    if (spaced && closes && text.around(now.field)?.prefix.endsWith(" ")) insert.takeBack(now.field);
    if (key !== "Tab") spaced = false;
  }

  /** Another field, or another place in it. */
  function forget() {
    spaced = false;
  }

  return { may, takeWord, takeGhost, onKey, forget };
})();
