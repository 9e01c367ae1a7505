/** Seeds of new nodes start fixed, so that a slider that is moved does not draw another take as well. */

import { app } from "../../scripts/app.js";
import { widgetOf } from "./watch.js";

app.registerExtension({
  name: "sketchgan.seeds",
  nodeCreated(node) {
    if (!["SketchGANGenerate", "SketchGANComposite"].includes(node.comfyClass)) return;
    // Hosts that can say so in the schema are new; all of them let the page say it. A workflow's own choice comes after.
    const [control] = widgetOf(node, "seed")?.linkedWidgets ?? [];
    if (control) control.value = "fixed";
  },
});
