// Which characters of a field's text its user has put there. All others are the page's, and are never learned.
//
// A mark stands beside each character: FOREIGN, or the number of the moment in which its user typed it. It gets a number
// only where the field shows exactly what a trusted key, input method or suggestion has just brought: the page may
// do to its field what it likes, and gets no word into its user's mouth.
idiolect.authorship ??= (() => {
  const FOREIGN = "\u0000";
  const FIRST = 1; // marks from here on are places in the list of moments
  const MAX_MOMENTS = 0xffff - FIRST;
  const BLOCK_CHARS = 1024; // compared at once
  const MIN_KEPT_CHARS = 4; // of a text that is looked for within another
  const MAX_REMOVED = 50; // pieces that its user has removed, and may bring back by undoing or pasting
  const CONTEXT_CHARS = 400; // of what stands before a line
  const MAX_LINES = 2000; // told at once, the last

  /** How many characters two texts begin with alike, up to `most`. */
  function sharedStart(one, other, most) {
    let at = 0;
    while (at + BLOCK_CHARS <= most && one.slice(at, at + BLOCK_CHARS) === other.slice(at, at + BLOCK_CHARS)) at += BLOCK_CHARS;
    while (at < most && one[at] === other[at]) at++;
    return at;
  }

  /** How many characters two texts end with alike, up to `most`. */
  function sharedEnd(one, other, most) {
    let count = 0;
    const block = (text) => text.slice(text.length - count - BLOCK_CHARS, text.length - count);
    while (count + BLOCK_CHARS <= most && block(one) === block(other)) count += BLOCK_CHARS;
    while (count < most && one[one.length - 1 - count] === other[other.length - 1 - count]) count++;
    return count;
  }

  /** What `one` became in `other`, as regions `{ from, to, start, end }`: one[from, to) gave way to other[start, end). */
  function differences(one, other) {
    const most = Math.min(one.length, other.length);
    const first = sharedStart(one, other, most);
    if (first === most && one.length === other.length) return [];
    const last = sharedEnd(one, other, most - first);
    // Whole lines first: a line of which only the beginning is alike is compared by itself.
    const begin = one.lastIndexOf("\n", first - 1) + 1;
    const ends = [one.indexOf("\n", one.length - last), other.indexOf("\n", other.length - last)];
    const rest = last === 0 || ends[0] < 0 ? 0 : one.length - ends[0];
    const [old, fresh] = [one.slice(begin, one.length - rest), other.slice(begin, other.length - rest)];
    if (!old.includes("\n") && !fresh.includes("\n")) return shifted(within(old, fresh), begin, begin);
    return shifted(byLines(old, fresh), begin, begin);
  }

  const shifted = (regions, old, fresh) =>
    regions.map(({ from, to, start, end }) => ({ from: from + old, to: to + old, start: start + fresh, end: end + fresh }));

  /** The same of a piece that is compared as a whole: one region, or two around what one piece holds of the other. */
  function within(old, fresh) {
    if (old === fresh) return [];
    const most = Math.min(old.length, fresh.length);
    const first = sharedStart(old, fresh, most);
    const last = sharedEnd(old, fresh, most - first);
    const [gone, come] = [old.slice(first, old.length - last), fresh.slice(first, fresh.length - last)];
    const region = { from: 0, to: gone.length, start: 0, end: come.length };
    let around = [region];
    const inside = gone.length >= MIN_KEPT_CHARS ? come.indexOf(gone) : -1;
    const outside = come.length >= MIN_KEPT_CHARS ? gone.indexOf(come) : -1;
    if (inside >= 0) {
      around = [
        { from: 0, to: 0, start: 0, end: inside },
        { from: gone.length, to: gone.length, start: inside + gone.length, end: come.length },
      ];
    } else if (outside >= 0) {
      around = [
        { from: 0, to: outside, start: 0, end: 0 },
        { from: outside + come.length, to: gone.length, start: come.length, end: come.length },
      ];
    }
    return shifted(around, first, first).filter(({ from, to, start, end }) => from < to || start < end);
  }

  const linesOf = (text) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

  /** The same line by line: those that stand once in either text, and in the same order, are the same. */
  function byLines(old, fresh) {
    const [before, after] = [linesOf(old), linesOf(fresh)];
    const places = once(after);
    const pairs = [...once(before)].filter(([line]) => places.has(line)).map(([line, place]) => [place, places.get(line)]);
    const regions = [];
    let [line, other, at, to] = [0, 0, 0, 0];
    for (const [here, there] of [...increasing(pairs), [before.length, after.length]]) {
      const [gone, come] = [before.slice(line, here).join(""), after.slice(other, there).join("")];
      regions.push(...shifted(within(gone, come), at, to));
      at += gone.length + (before[here]?.length ?? 0);
      to += come.length + (after[there]?.length ?? 0);
      [line, other] = [here + 1, there + 1];
    }
    return regions;
  }

  /** Lines that stand once among these, and where; in their order. */
  function once(lines) {
    const places = new Map();
    lines.forEach((line, place) => places.set(line, places.has(line) ? -1 : place));
    return new Map([...places].filter(([line, place]) => place >= 0 && line.trim() !== ""));
  }

  /** The longest part of these pairs, which are in the order of their first, that is in the order of their second, too. */
  function increasing(pairs) {
    const tails = []; // by length: the last pair of a part of that length, with the pair before it
    for (const [here, there] of pairs) {
      let [low, high] = [0, tails.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (tails[middle].there < there) low = middle + 1;
        else high = middle;
      }
      tails[low] = { here, there, former: tails[low - 1] ?? null };
    }
    const found = [];
    for (let at = tails.at(-1) ?? null; at !== null; at = at.former) found.push([at.here, at.there]);
    return found.reverse();
  }

  const isInWord = (character) => character !== undefined && /\S/.test(character);

  /** Where in `found` stands what was typed: `{ start, end, region, left }`, `left` being what does not stand there yet. */
  function placeOf(typed, found, regions) {
    if (typed === "") return null;
    const of = ({ start, end }) => found.slice(start, end);
    for (const region of regions) {
      const { start, end } = region;
      for (let at = Math.max(0, end - typed.length); at <= start; at++) {
        if (end > start && found.startsWith(typed, at)) return { start: at, end: at + typed.length, region, left: "" };
      }
      if (end > start && of(region).replaceAll("\n", "") === typed) return { start, end, region, left: "" };
    }
    for (const region of regions) {
      const { start, end } = region;
      const come = of(region);
      if (come === "") continue;
      if (typed.startsWith(come)) return { start, end, region, left: typed.slice(come.length) };
      if (come.startsWith(typed)) return { start, end: start + typed.length, region, left: "" };
      if (come.endsWith(typed)) return { start: end - typed.length, end, region, left: "" };
      if (typed.endsWith(come)) return { start, end, region, left: "" };
    }
    return null;
  }

  class Authorship {
    #text;
    #marks;
    #moments = []; // when its user typed, in milliseconds since 1970
    #told = FIRST; // what has a lower mark was sent to be learned already
    #parted = -1; // where the page has put spaces behind a word of its user's, which they may go on with there
    #removed = []; // what its user has removed: { text, marks, at }, the newest last
    #vanished = []; // whole lines that the page has taken away, which is what it does with what was sent: { text, marks, before }

    /** Nothing of `text` is its user's. */
    constructor(text) {
      this.#text = text;
      this.#marks = FOREIGN.repeat(text.length);
    }

    #markOf(atMs) {
      const isOld = FIRST + this.#moments.length <= this.#told;
      if (isOld || this.#moments.at(-1) !== atMs) this.#moments.push(atMs);
      return this.#moments.length <= MAX_MOMENTS ? String.fromCharCode(FIRST + this.#moments.length - 1) : FOREIGN;
    }

    /**
     * The field's text is `found` now. `typed` is what its user has put in at `atMs` and was not seen yet; `command`
     * whether they have done what may remove text, or bring it back. `{ left, changed }`: what is still not seen of `typed`.
     */
    become(found, { typed = "", command = false, atMs }) {
      if (found === this.#text) return { left: typed, changed: false };
      const old = { text: this.#text, marks: this.#marks };
      const regions = differences(old.text, found);
      this.#text = found;
      this.#marks = moved(old.marks, regions);
      const place = placeOf(typed, found, regions);
      if (place !== null) this.#put(place.start, this.#markOf(atMs).repeat(place.end - place.start));
      if (place !== null && place.start === this.#parted && isInWord(found[place.start])) {
        this.#put(found.slice(0, place.start).trimEnd().length - 1, FOREIGN);
        this.#put(place.start, FOREIGN);
      }
      this.#parted = -1;
      let mayRemove = command;
      for (const region of regions) {
        const { from, to, start, end } = region;
        const gone = { text: old.text.slice(from, to), marks: old.marks.slice(from, to) };
        const come = found.slice(start, end);
        const back = command && come !== "" && region !== place?.region ? this.#broughtBack(come) : null;
        if (back !== null) this.#put(start, back);
        if (region === place?.region || back !== null || (mayRemove && come.trim() === "")) {
          if (gone.text !== "") this.#remember(gone, from);
          mayRemove &&= gone.text === "";
        } else this.#tear(region, old, found, gone);
      }
      return { left: place === null ? typed : place.left, changed: true };
    }

    #put(start, marks) {
      this.#marks = this.#marks.slice(0, start) + marks + this.#marks.slice(start + marks.length);
    }

    #remember({ text, marks }, at) {
      const last = this.#removed.at(-1);
      if (last && at + text.length === last.at) Object.assign(last, { text: text + last.text, marks: marks + last.marks, at });
      else if (last && at === last.at) Object.assign(last, { text: last.text + text, marks: last.marks + marks });
      else this.#removed.push({ text, marks, at });
      if (this.#removed.length > MAX_REMOVED) this.#removed.shift();
    }

    /** The marks that a text had when its user removed it, less the spaces around it; null where they have not. */
    #broughtBack(come) {
      const core = come.trim();
      const piece = core === "" ? undefined : this.#removed.findLast(({ text }) => text.includes(core));
      if (piece === undefined) return null;
      const [at, before] = [piece.text.indexOf(core), come.indexOf(core)];
      const behind = come.length - before - core.length;
      return FOREIGN.repeat(before) + piece.marks.slice(at, at + core.length) + FOREIGN.repeat(behind);
    }

    /** The page has changed its field: words that it has cut, or joined with others, are nobody's any more. */
    #tear({ from, to, start, end }, old, found, gone) {
      const [before, behind] = [found[start - 1], found[end]];
      const isWhole = (before === undefined || before === "\n") && (behind === undefined || behind === "\n" || gone.text.endsWith("\n"));
      // Where it has put other lines in their place, an editor draws only those in sight.
      const isAway = found.slice(start, end).trim() === "" || gone.text.trimEnd().includes("\n");
      if (isWhole && isAway && gone.text.trim() !== "") {
        this.#vanished.push({ ...gone, before: old.text.slice(Math.max(0, from - CONTEXT_CHARS), from) });
        return;
      }
      if (gone.text === "" && /^[^\S\n]+$/.test(found.slice(start, end)) && /[\p{L}\p{N}]/u.test(before ?? "")) this.#parted = end;
      const joins = start === end && isInWord(behind) && before !== undefined && before !== "\n";
      if (isInWord(before) && isInWord(old.text[from])) this.#put(start - 1, FOREIGN);
      if (isInWord(behind) && (isInWord(old.text[to - 1]) || joins)) this.#put(end, FOREIGN);
    }

    /**
     * The lines in which its user has typed since they were last told of: `{ text, marks, before }`. A mark is
     * `[characters, at]`, `at` being when they were typed, in seconds since 1970: negative for what was told before, and
     * 0 for what is not theirs. With `all` false only those lines that the page has taken away.
     */
    take(all) {
      const told = this.#vanished.flatMap(({ text, marks, before }) => this.#newLines(text, marks, before));
      this.#vanished = [];
      if (!all) return told;
      told.push(...this.#newLines(this.#text, this.#marks, ""));
      this.#told = FIRST + this.#moments.length;
      return told.slice(-MAX_LINES);
    }

    #newLines(text, marks, before) {
      const found = [];
      let at = 0;
      for (const line of linesOf(text)) {
        const runs = this.#runs(marks.slice(at, at + line.length));
        if (runs.some(([, atS]) => atS > 0)) {
          const context = (before + text.slice(Math.max(0, at - CONTEXT_CHARS), at)).slice(-CONTEXT_CHARS);
          found.push({ text: line.toWellFormed(), marks: runs, before: context.toWellFormed() });
        }
        at += line.length;
      }
      return found;
    }

    #runs(marks) {
      const found = [];
      for (let at = 0, end; at < marks.length; at = end) {
        for (end = at + 1; marks[end] === marks[at]; end++);
        const code = marks.charCodeAt(at);
        const atS = code < FIRST ? 0 : this.#moments[code - FIRST] / 1000;
        found.push([end - at, code < this.#told ? -atS : atS]);
      }
      return found;
    }
  }

  /** Marks beside a text that has changed by these regions: what is new in it is nobody's yet. */
  function moved(marks, regions) {
    let [result, at] = ["", 0];
    for (const { from, to, start, end } of regions) {
      result += marks.slice(at, from) + FOREIGN.repeat(end - start);
      at = to;
    }
    return result + marks.slice(at);
  }

  return { Authorship };
})();
