// How fast its user types: the median time between two letters of a word, for the page's playground.
if (!Object.hasOwn(globalThis, "idiolect")) globalThis.idiolect = {};

idiolect.LetterIntervals ??= (() => {
  const MAX_MS = 1500; // a longer pause is for thought
  const MIN_MEDIAN_MS = 40; // of a hand, 300 words a minute: what is faster is a program that types
  const MIN_INTERVALS = 20; // fewer tell nothing
  const MIN_STEP = 0.02; // so far the median moves with each interval, once it has settled

  /** A running median of which no times are kept, since they could tell persons apart: itself alone, and of how many. */
  class LetterIntervals {
    #letter = ""; // what the last key typed; "" where that was no letter
    #atMs = 0;
    #medianMs = 0;
    #intervals = 0;

    /** A key was pressed at a time in milliseconds: the character that it typed, or "". */
    key(typed, atMs) {
      const letter = /^\p{L}$/u.test(typed) ? typed : "";
      const tookMs = atMs - this.#atMs;
      const isPair = letter && this.#letter && letter !== this.#letter; // the same once more may be a key held down
      if (isPair && tookMs > 0 && tookMs <= MAX_MS) this.#learn(tookMs);
      this.#letter = letter;
      this.#atMs = atMs;
    }

    /** The median in whole milliseconds; undefined until enough was typed, and where no hand types. */
    get medianMs() {
      const known = this.#intervals >= MIN_INTERVALS && this.#medianMs >= MIN_MEDIAN_MS;
      return known ? Math.round(this.#medianMs) : undefined;
    }

    /** A stochastic median (Tierney 1983): each interval moves it by a step, the first ones by larger ones. */
    #learn(tookMs) {
      const step = 1 + Math.max(1 / ++this.#intervals, MIN_STEP);
      if (this.#intervals === 1) this.#medianMs = tookMs;
      else if (tookMs > this.#medianMs) this.#medianMs = Math.min(this.#medianMs * step, tookMs);
      else this.#medianMs = Math.max(this.#medianMs / step, tookMs);
    }
  }

  return LetterIntervals;
})();
