// Which elements of a page are fields to write prose in. In doubt an element is none.
if (!Object.hasOwn(globalThis, "idiolect")) globalThis.idiolect = {};

idiolect.fields ??= (() => {
  /** Values of `autocomplete` that say what a field holds which is nobody's prose. */
  const NEVER_AUTOCOMPLETE =
    /^(?:cc-|.*password$|one-time-code$|webauthn$|email$|username$|tel(?:-|$)|url$|impp$|bday|sex$|postal-code$|transaction-|photo$)/;
  /** The same by what a page calls its field: the words of its name, id and label. */
  const NEVER_NAME =
    /(?:^|[\W_])(?:pass(?:word|wd|code|phrase)?s?|pwd|passwort|kennwort|secret|token|api-?key|otp|totp|mfa|2fa|pin|tan|cvc2?|cvv2?|csc|card(?:-?(?:number|no|num))?|iban|bic|account-?(?:number|no)|routing|ssn|sin|tax-?id|nif|e-?mail|username|user-?name|login|phone|mobile|zip|postcode|search|query|captcha|q)(?:$|[\W_])/;
  /** Keys that type nothing by themselves. */
  const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"];
  const NAMES = ["name", "id", "aria-label", "placeholder"];
  const secrets = new WeakSet();
  const named = new WeakMap(); // element → what it was called when that was last looked at, and whether it is secret
  const MIN_CHARS = 20; // a field that takes fewer is for no sentence
  const MOST_CHARS = 500; // of what a page calls a field; `autocomplete` is sent, and the service takes 1,000

  /** "userPassword2" and the like as words. */
  const words = (name) => name.replace(/([a-z])([A-Z])/g, "$1-$2").replace(/\d+/g, "-").toLowerCase();

  /** Whether what a page calls a field says that nobody's prose is in it; looked at again once it is called otherwise. */
  function isSecretlyNamed(element) {
    const inLine = element instanceof HTMLInputElement;
    const called = (inLine ? NAMES : NAMES.slice(0, 2)).map((name) => element.getAttribute(name)?.slice(0, MOST_CHARS) ?? "");
    const labels = inLine ? [...(element.labels ?? [])].map((label) => (label.textContent ?? "").slice(0, 100)) : [];
    const names = [...called, ...labels].join("\n");
    const known = named.get(element);
    if (known?.names === names) return known.secret;
    const secret = NEVER_NAME.test(words(names));
    named.set(element, { names, secret });
    return secret;
  }

  function isRefused(element) {
    const complete = (element.getAttribute("autocomplete") ?? "").trim().toLowerCase();
    return (
      complete.length > MOST_CHARS ||
      (element.getAttribute("spellcheck")?.toLowerCase() === "false" && complete === "off") ||
      element.closest('[data-idiolect="off"], [role="search"], search') !== null ||
      complete.split(/\s+/).some((token) => NEVER_AUTOCOMPLETE.test(token)) ||
      ["email", "numeric", "decimal", "tel", "url", "search"].includes(element.inputMode) ||
      ["searchbox", "combobox", "spinbutton"].includes(element.getAttribute("role")) ||
      !["", "none"].includes(element.getAttribute("aria-autocomplete") ?? "") ||
      isSecretlyNamed(element)
    );
  }

  /** Whether characters are shown as dots, by a style that some pages give to what should be a password field. */
  const isMasked = (element) => !["none", "", undefined].includes(getComputedStyle(element).webkitTextSecurity);

  /** "plain" for a text area or an input, "rich" for an element that is edited; null for all that is none. */
  function kindOf(element) {
    if (element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement) {
      const typed = element instanceof HTMLTextAreaElement || element.type === "text";
      if (element.type === "password") secrets.add(element); // for good: pages turn it into text to show it
      const short = element.maxLength >= 0 && element.maxLength < MIN_CHARS;
      return typed && !short && !secrets.has(element) && !element.readOnly && !element.disabled && !element.list ? "plain" : null;
    }
    return element instanceof HTMLElement && element.isContentEditable ? "rich" : null;
  }

  /** The element that is edited as one: the outermost that is editable. */
  function editingHost(element) {
    let host = element;
    while (host.parentElement?.isContentEditable) host = host.parentElement;
    return host;
  }

  /** `{ element, kind, purpose }` for a field that may be looked at, else null. */
  function of(element) {
    const kind = element ? kindOf(element) : null;
    if (kind === null) return null;
    const field = kind === "rich" ? editingHost(element) : element;
    if (isRefused(field) || isMasked(field)) return null;
    return { element: field, kind, purpose: field.getAttribute("autocomplete") ?? "" };
  }

  const shadowOf = (element) =>
    globalThis.chrome?.dom?.openOrClosedShadowRoot?.(element) ?? element.openOrClosedShadowRoot ?? element.shadowRoot;

  /** The element that has the focus, in whatever shadow tree, and the roots on the way to it. */
  function focused() {
    const roots = [];
    let element = document.activeElement;
    for (;;) {
      const root = element instanceof HTMLElement ? shadowOf(element) : null;
      if (!root?.activeElement) return { element, roots };
      roots.push(root);
      element = root.activeElement;
    }
  }

  return { MODIFIERS, of, focused };
})();
