/**
 * The sliders of the Generate node: a preset sets them, moving one makes the preset "custom", and connecting
 * a pencil moves those that nobody has touched to where it draws best.
 */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { linkedNode } from "./images.js";
import { valueOf, watch, widgetOf } from "./watch.js";

/** Saved with the workflow: the defaults that untouched sliders stand at. */
const DEFAULTS = "sketchgan_defaults";
const STEP = 0.01;

app.registerExtension({
  name: "sketchgan.presets",
  nodeCreated(node) {
    const generates = node.comfyClass === "SketchGANGenerate";
    // A subgraph may show the preset and its sliders on its outside, as our blueprint does.
    if (!generates && !node.isSubgraphNode?.()) return;
    const { required, optional } = LiteGraph.registered_node_types.SketchGANGenerate.nodeData.input;
    const inputs = { ...required, ...optional };
    const { presets, custom } = inputs.preset[1];
    const names = [...new Set(Object.values(presets).flatMap(Object.keys))];
    const bundled = Object.fromEntries(names.map((name) => [name, inputs[name][1].default]));
    followPreset(node, presets, custom, names);
    if (generates) followPencil(node, bundled, custom);
  },
});

function followPreset(node, presets, custom, names) {
  let chosen;
  watch(
    node,
    () => [valueOf(node, "preset"), ...names.map((name) => valueOf(node, name))],
    ([preset]) => {
      const values = names.every((name) => widgetOf(node, name)) && presets[preset];
      const moved = values && Object.entries(values).some(([name, value]) => !same(valueOf(node, name), value));
      if (moved && preset === chosen) setValue(node, "preset", custom);
      else if (moved) for (const [name, value] of Object.entries(values)) setValue(node, name, value);
      chosen = valueOf(node, "preset");
    },
  );
}

function followPencil(node, bundled, custom) {
  const connected = () => {
    const loader = linkedNode(node, ({ name }) => name === "model");
    return loader?.comfyClass === "SketchGANLoadModel" ? valueOf(loader, "pencil") : null;
  };
  watch(node, connected, async (pencil) => {
    const answer = pencil && (await api.fetchApi(`/sketchgan/pencil?name=${encodeURIComponent(pencil)}`));
    // Somebody scrolling through the list is faster than the answers.
    if ((answer && !answer.ok) || connected() !== pencil) return;
    const before = node.properties[DEFAULTS] ?? bundled;
    const now = { ...bundled, ...(answer ? (await answer.json()).controls : {}) };
    for (const name of Object.keys(bundled)) {
      const untouched = valueOf(node, "preset") === custom && same(valueOf(node, name), before[name]);
      if (untouched && !same(before[name], now[name])) setValue(node, name, now[name]);
    }
    if (Object.keys(bundled).every((name) => same(now[name], bundled[name]))) delete node.properties[DEFAULTS];
    else node.properties[DEFAULTS] = now;
  });
}

function same(one, other) {
  return Math.abs(one - other) < STEP / 2;
}

/** Nodes 2.0 learns of a new value from the callback, the canvas by reading it. */
function setValue(node, name, value) {
  const widget = widgetOf(node, name);
  if (!widget) return;
  widget.value = value;
  widget.callback?.(value, app.canvas, node);
  app.canvas.setDirty(true);
}
