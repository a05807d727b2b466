// "Your words": what is never suggested and what always is; added, removed, undone.

import { $, ask, make, on, say } from "./common.js";

const MEANS = {
  never: "is never suggested", mine: "is suggested, however rare",
  never_correct: "is never corrected", always_correct: "is always corrected",
};

const meaning = (rule) => rule.replacement ? `${MEANS[rule.kind]} to “${rule.replacement}”` : MEANS[rule.kind];

export async function words() {
  const { rules } = await ask("/v1/words");
  $("decided").replaceChildren(...rules.toReversed().map((rule) => {
    const button = make("button", { type: "button", className: "plain", "aria-label": `Remove ${rule.text}` }, "Remove");
    on(button, "click", () => change("remove", { text: rule.text, kind: rule.kind }));
    return make("li", {},
      make("span", {}, make("strong", {}, rule.text), ` ${meaning(rule)}`),
      make("small", {}, rule.source === "hand" ? "you said so" : "learned from what you did"),
      make("div", {}, button));
  }));
  $("decided-none").hidden = rules.length > 0;
}

async function change(what, body) {
  const { added, removed } = await ask(`/v1/words/${what}`, body);
  const sentences = [
    ...removed.map((rule) => `No longer: “${rule.text}” ${meaning(rule)}.`),
    ...added.map((rule) => `“${rule.text}” ${meaning(rule)}.`),
  ];
  document.dispatchEvent(new CustomEvent("words-changed"));
  say(sentences.join(" ") || "That was so already.");
}

export async function start() {
  on($("decide"), "submit", async () => {
    await change("add", { text: $("decide-text").value, kind: $("decide-kind").value });
    $("decide").reset();
  });
  on($("words-undo"), "click", () => change("undo", {}));
  document.addEventListener("words-changed", () => words().catch((error) => say(error.message)));
  await words();
}
