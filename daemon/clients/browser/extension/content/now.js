// What all parts know of the present moment.
idiolect.now ??= {
  field: null, // the one that has the focus and may be looked at, as `fields.of` tells of it
  mode: "off", // what may be done on this site: "off", "suggest" or "learn"
  composing: false, // an input method composes a character
  isChromium: "chrome" in globalThis && navigator.userAgent.includes("Chrome/"),
  keyed: "", // what its user's last keys have typed, up to the cursor
  speed: new idiolect.TypingSpeed(), // of its user
  slips: new idiolect.SlipWatch(), // of its user's hand
  stretch: undefined, // of writing in the field, for a trial: null where none runs, undefined before its first letter
  trial: false, // whether one runs
  typedAt: -Infinity, // when its user last changed the field, by `performance.now()`
};
