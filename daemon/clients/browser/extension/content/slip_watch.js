// Slips of the hand: letters that were deleted and typed anew within three seconds, told as a pair of letters.
if (!Object.hasOwn(globalThis, "idiolect")) globalThis.idiolect = {};

idiolect.SlipWatch ??= (() => {
  const MAX_MS = 3000; // from the first letter deleted to the letter behind those typed anew
  const KEPT = 16; // characters before the cursor

  /** Hears the keys of a field. It holds the last letters alone, and tells a slip as a pair of letters. */
  class SlipWatch {
    #before = ""; // letters and spaces, typed in a row
    #gone = ""; // deleted behind them
    #anew = ""; // typed since
    #deletedMs = 0;

    /**
     * A key was pressed at a time in milliseconds: its character, "Backspace", or another name. Of a slip that is told by it, what was
     * `meant` and what was `typed`; else null.
     */
    key(key, atMs) {
      if (key === "Backspace") return this.#delete(atMs);
      const letter = key.length === 1 ? key.toLowerCase().replace("’", "'") : "";
      let found = null;
      const goesOn = /^[\p{L}' ]$/u.test(letter);
      this.#anew += letter;
      if (this.#anew.length > this.#gone.length || !goesOn) {
        const inTime = this.#gone && atMs - this.#deletedMs <= MAX_MS;
        if (inTime) found = findSlip(this.#before, this.#gone, this.#anew);
        this.#keepAnew();
      }
      if (!goesOn) this.#before = this.#gone = this.#anew = "";
      return found && { meant: found[0], typed: found[1] };
    }

    #keepAnew() {
      this.#before = (this.#before + this.#anew).slice(-KEPT);
      this.#gone = this.#anew = "";
    }

    #delete(atMs) {
      if (this.#anew) this.#keepAnew(); // typed anew, and deleted once more
      if (!this.#gone) this.#deletedMs = atMs;
      this.#gone = this.#before ? this.#before.slice(-1) + this.#gone : "";
      this.#before = this.#before.slice(0, -1);
      return null;
    }
  }

  /** The one slip that made what is `gone` of what came `anew`, which may have a character more; null where there is none. */
  function findSlip(before, gone, anew) {
    let same = 0;
    while (same < gone.length && gone[same] === anew[same]) same++;
    const last = (before + gone.slice(0, same)).slice(-1);
    [gone, anew] = [gone.slice(same), anew.slice(same)];
    const size = gone.length;
    if (!size) return null;
    const swapped = size > 1 && gone[1] + gone[0];
    if (anew.slice(0, 2) === swapped && anew.slice(2, size) === gone.slice(2)) return [swapped, gone.slice(0, 2)];
    if (last && anew.slice(1) === gone) return [last + anew[0], last];
    if (last && gone.slice(1) === anew.slice(0, size - 1) && (size > 1 || gone === last)) return [last, last + gone[0]];
    return anew && gone.slice(1) === anew.slice(1, size) ? [anew[0], gone[0]] : null;
  }

  return SlipWatch;
})();
