/** Gives the host the pictures of an example workflow when the example is opened, so that it runs at once. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

/** Only pictures that come with the examples are named like this. */
const EXAMPLE = /^sketchgan-[a-z-]+\.(png|jpg|webp)$/;
const PACKAGE = new URL(import.meta.url).pathname.split("/").at(-2);

app.registerExtension({
  name: "sketchgan.example_inputs",
  async beforeConfigureGraph(graph) {
    const loaders = (graph?.nodes ?? []).filter(({ type }) => type === "LoadImage");
    const names = new Set(loaders.map((node) => node.widgets_values?.[0]).filter((name) => EXAMPLE.test(name)));
    const there = imagesThere();
    for (const name of names) if (!there.includes(name) && (await upload(name))) there.push(name);
  },
});

/** The list that LoadImage nodes offer; what is added to it is offered by nodes made afterwards. */
function imagesThere() {
  const [options, settings] = LiteGraph.registered_node_types.LoadImage.nodeData.input.required.image;
  return Array.isArray(options) ? options : settings.options;
}

/** Copies a picture from example_workflows/inputs to the host's input folder, as its upload button would. */
async function upload(name) {
  const picture = await api.fetchApi(`/workflow_templates/${PACKAGE}/inputs/${name}`);
  if (!picture.ok) return false;
  const form = new FormData();
  form.append("image", await picture.blob(), name);
  return (await api.fetchApi("/upload/image", { method: "POST", body: form })).ok;
}
