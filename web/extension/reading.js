/** What a node read in the picture, and why, as the last run said it. */

import { app } from "../../scripts/app.js";
import { element, showInNode } from "./elements.js";
import { text } from "./text.js";
import { resultOf, watch } from "./watch.js";

const HEIGHT = 38;

app.registerExtension({
  name: "sketchgan.reading",
  nodeCreated(node) {
    if (!["SketchGANGenerate", "SketchGANExtractLines"].includes(node.comfyClass)) return;
    const root = element("div", { className: "sketchgan-reading" });
    root.setAttribute("role", "status");
    showInNode(node, "reading", root, HEIGHT);
    watch(
      node,
      () => resultOf(node)?.text?.[0] ?? "",
      (said) => {
        root.classList.toggle("sketchgan-unread", !said);
        root.textContent = root.title = said || text("reading_empty");
      },
    );
  },
});
