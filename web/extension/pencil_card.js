/** What a pencil is, on the Load and the Info node: its title, author, architecture, controls and a picture. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { element, showInNode } from "./elements.js";
import { figure, text } from "./text.js";
import { resultOf, watch } from "./watch.js";

const HEIGHT = 132;

app.registerExtension({
  name: "sketchgan.pencil_card",
  nodeCreated(node) {
    if (node.comfyClass === "SketchGANLoadModel") showChosen(node);
    if (node.comfyClass === "SketchGANModelInfo") showGiven(node);
  },
});

/** The card of the pencil that is chosen in the node, without running anything. */
function showChosen(node) {
  const root = cardIn(node);
  const choice = node.widgets.find(({ name }) => name === "pencil");
  const chosen = () => ({ name: choice.value, listed: choice.options.values.includes(choice.value) });
  watch(node, chosen, async ({ name, listed }) => {
    const answer = listed ? await api.fetchApi(`/sketchgan/pencil?name=${encodeURIComponent(name)}`) : null;
    const card = answer?.ok ? await answer.json() : null;
    // Somebody scrolling through the list is faster than the answers.
    if (choice.value === name) fill(root, card, text("card_missing"));
  });
}

/** The card of the pencil that came in with the last run. */
function showGiven(node) {
  const root = cardIn(node);
  watch(
    node,
    () => resultOf(node)?.card?.[0],
    (json) => fill(root, json ? JSON.parse(json) : null, text("card_empty")),
  );
}

function cardIn(node) {
  const root = element("div", { className: "sketchgan-card" });
  showInNode(node, "card", root, HEIGHT);
  return root;
}

/**
 * @param {HTMLElement} root
 * @param {Object|null} card
 * @param {string} otherwise the text shown where there is no card
 */
function fill(root, card, otherwise) {
  if (!card) {
    root.replaceChildren(element("p", { className: "sketchgan-empty", textContent: otherwise }));
    return;
  }
  const weights = card.parameters && text("card_weights", { millions: figure(card.parameters / 1e6) });
  const built = [card.architecture, weights, card.author, card.licence].filter(Boolean).join(" · ");
  const about = card.description || card.usage_hint || "";
  const facts = element(
    "div",
    { className: "sketchgan-facts" },
    element("strong", { textContent: card.title, title: card.title }),
    element("div", { textContent: built }),
    element("div", { className: "sketchgan-controls" }, ...Object.entries(card.controls ?? {}).flatMap(control)),
    element("p", { textContent: about, title: about }),
  );
  // A stranger's file must not make the page ask a server for anything.
  const safe = card.thumbnail?.startsWith("data:image/");
  const picture = safe ? [element("img", { src: card.thumbnail, alt: "" })] : [];
  root.replaceChildren(...picture, facts);
}

function control([name, value]) {
  const level = element("div");
  level.style.width = `${100 * value}%`;
  return [element("span", { textContent: text(`control_${name}`) }), element("div", { className: "sketchgan-level" }, level)];
}
