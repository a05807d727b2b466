// The nodes of a page as the browser knows them. A form has its controls as properties, and a document its forms: one that
// is named `parentNode` would stand in the way, so prototypes' own properties are asked.
idiolect.nodes ??= (() => {
  const { prototype: nodes } = Node;
  const { prototype: elements } = Element;
  const of = (prototype, name) => {
    const { get } = Object.getOwnPropertyDescriptor(prototype, name);
    return (node) => get.call(node);
  };
  const call = (name) => (element, ...about) => elements[name].call(element, ...about);
  const typeOf = of(nodes, "nodeType");
  const parentOf = of(nodes, "parentNode");

  /** Whether a node is in a closed shadow tree, or in one within such a tree. */
  function isInClosed(node) {
    const root = nodes.getRootNode.call(node);
    return root instanceof ShadowRoot && (root.mode === "closed" || isInClosed(root.host));
  }

  /** What is around a node, out of shadow trees, too; null at the document's end. */
  function around(node) {
    const parent = parentOf(node);
    return parent instanceof ShadowRoot ? parent.host : parent;
  }

  return {
    parentOf,
    around,
    isInClosed,
    isText: (node) => typeOf(node) === Node.TEXT_NODE,
    isElement: (node) => node !== null && typeOf(node) === Node.ELEMENT_NODE,
    isRoot: (element) => parentOf(element) === document,
    nameOf: of(elements, "localName"),
    shadowOf: of(elements, "shadowRoot"), // an open one: of a closed one nothing is told
    before: of(nodes, "previousSibling"),
    behind: of(nodes, "nextSibling"),
    first: of(nodes, "firstChild"),
    last: of(nodes, "lastChild"),
    elementBefore: of(elements, "previousElementSibling"),
    elementBehind: of(elements, "nextElementSibling"),
    scroll: Object.fromEntries(
      ["scrollLeft", "scrollTop", "scrollWidth", "scrollHeight", "clientWidth", "clientHeight"].map((name) => [name, of(elements, name)]),
    ),
    matches: call("matches"),
    closest: call("closest"),
    attribute: call("getAttribute"),
    boxOf: call("getBoundingClientRect"),
    isVisible: call("checkVisibility"),
  };
})();
