// "Why these?": which part each suggestion comes from, and the words that are never to be suggested again.

import { $, ask, make, on, percent, say } from "./common.js";

const PART = { base: "any English text", adapter: "your style", memory: "what you wrote" };
const STEP = { base: "English", adapter: "+ your style", memory: "+ what you wrote" };

function steps(origin) {
  return [["base", origin.base], ["adapter", origin.adapter], ["memory", origin.p]]
    .filter(([, p]) => p !== null)
    .flatMap(([name, p]) => [
      make("dt", {}, STEP[name]),
      make("meter", { className: name, value: p, "aria-hidden": "true" }),
      make("dd", {}, percent(p)),
    ]);
}

function never(word) {
  const button = make("button", { type: "button", className: "plain", "aria-label": `Never suggest ${word}` }, "Never suggest");
  on(button, "click", async () => {
    await ask("/v1/words/add", { kind: "never", text: word });
    document.dispatchEvent(new CustomEvent("words-changed"));
    say(`“${word}” is never suggested now. Undo it under Your words.`);
  });
  return button;
}

export const reasons = {
  clear() { $("reasons").replaceChildren(); },

  /** Shows an answer of `/v1/explain` beside the suggestions that it is about. */
  show(found, shown, typed) {
    const ghost = found.ghost && shown.ghost.trimStart().startsWith(found.ghost.text) ? [found.ghost] : [];
    const same = found.words.filter((origin) => shown.words.some((word) => word.text === origin.text));
    const whole = (origin) => {
      const next = /^\s/.test(origin.text) || (ghost[0] === origin && /^\s/.test(shown.ghost));
      return next ? origin.text.trim() : typed + origin.text;
    };
    const known = new Map([...same, ...ghost].map((origin) => [whole(origin), origin]).toReversed());
    $("reasons").replaceChildren(...[...known].toReversed().map(([word, origin]) => make("li", {},
      make("strong", {}, word),
      make("span", { className: `part ${origin.part}` }, `from ${PART[origin.part]}`),
      make("dl", { className: "parts" }, ...steps(origin)),
      never(word))));
  },
};
