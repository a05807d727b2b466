// A stretch of writing in the trial of one, for the extension and the service's page: a field until it is left.
if (!Object.hasOwn(globalThis, "idiolect")) globalThis.idiolect = {};

idiolect.WritingStretch ??= (() => {
  const WITHOUT = 0.25; // of the stretches go without suggestions
  const MAX_PAUSE_MS = 3000; // a longer one is no typing

  /** Whether it goes without suggestions, drawn at its first letter, and what is typed there, as counts. */
  class WritingStretch {
    without = Math.random() < WITHOUT;
    #characters = 0;
    #keys = 0;
    #ms = 0;
    #atMs = null;

    /** A key was pressed at a time in milliseconds; a clock that went back counts as a pause. */
    key(key, atMs) {
      const tookMs = this.#atMs === null ? -1 : atMs - this.#atMs;
      if (tookMs >= 0 && tookMs <= MAX_PAUSE_MS) this.#ms += tookMs;
      this.#atMs = atMs;
      this.#keys++;
      if (key.length === 1) this.#characters++;
      else if (key === "Backspace") this.#characters--;
    }

    /** So many characters came by a suggestion. */
    take(characters) {
      this.#characters += characters;
    }

    /** What the service is told of it. */
    get summary() {
      const characters = Math.max(this.#characters, 0);
      return { suggestions: !this.without, characters, seconds: Math.round(this.#ms / 100) / 10, keys: this.#keys };
    }
  }

  return WritingStretch;
})();
