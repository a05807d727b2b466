// What all parts know of the present moment.
idiolect.now ??= {
  field: null, // the one that has the focus and may be looked at, as `fields.of` tells of it
  mode: "off", // what may be done on this site: "off", "suggest" or "learn"
  // What its user has chosen: which key does what.
  keys: { grey: "Tab", next: "Ctrl+Right", word: "Alt+1", hide: "Escape", ask: "Alt+-", quiet: "Ctrl+Alt+Q" },
  composing: false, // an input method composes a character
  isChromium: "chrome" in globalThis && navigator.userAgent.includes("Chrome/"),
  keyed: "", // what its user's last keys have typed, up to the cursor
  typedAt: -Infinity, // when its user last changed the field, by `performance.now()`
};
