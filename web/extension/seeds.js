/** Seeds of new nodes start fixed, so that moving a slider does not draw another take as well. */

import { app } from "../../scripts/app.js";
import { widgetOf } from "./watch.js";

app.registerExtension({
  name: "sketchgan.seeds",
  nodeCreated(node) {
    if (!["SketchGANGenerate", "SketchGANComposite"].includes(node.comfyClass)) return;
    // Only new hosts let the schema say so; all of them let the page. A workflow's own choice is loaded later.
    const [control] = widgetOf(node, "seed")?.linkedWidgets ?? [];
    if (control) control.value = "fixed";
  },
});
