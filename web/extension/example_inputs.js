/** Gives the host the pictures of an example workflow when the example is opened, so that it runs at once. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

/** Only pictures that come with the examples are named like this. */
const EXAMPLE = /^sketchgan-[a-z-]+\.(png|jpg|webp|mp4)$/;
/** Folders in the host's input folder that an example begins with, and what is in them. */
const FOLDERS = { "sketchgan-pictures": ["sketchgan-astronaut.jpg", "sketchgan-cat.jpg", "sketchgan-coffee.jpg"] };
/** The nodes that load what is in the host's input folder, and which input of theirs names it; not every host has all. */
const LOADERS = { LoadImage: "image", LoadVideo: "file", LoadImageDataSetFromFolder: "folder" };
const PACKAGE = new URL(import.meta.url).pathname.split("/").at(-2);

app.registerExtension({
  name: "sketchgan.example_inputs",
  async beforeConfigureGraph(graph) {
    for (const [type, input] of Object.entries(LOADERS)) {
      const loaders = (graph?.nodes ?? []).filter((node) => node.type === type);
      const names = new Set(loaders.map((node) => node.widgets_values?.[0]).filter(isOurs));
      if (!names.size || !LiteGraph.registered_node_types[type]) continue;
      const there = filesThere(type, input);
      for (const name of names) if (!there.includes(name) && (await bring(name))) there.push(name);
    }
  },
});

/** The list that nodes of a type offer; what is added to it is offered by nodes made afterwards. */
function filesThere(type, input) {
  const [options, settings] = LiteGraph.registered_node_types[type].nodeData.input.required[input];
  return Array.isArray(options) ? options : settings.options;
}

function isOurs(name) {
  return EXAMPLE.test(name) || Object.hasOwn(FOLDERS, name);
}

/** Gives the host a picture, or a folder with all that is in it. */
async function bring(name) {
  if (!Object.hasOwn(FOLDERS, name)) return upload(name);
  return (await Promise.all(FOLDERS[name].map((picture) => upload(picture, name)))).every(Boolean);
}

/** Copies a file from example_workflows/inputs to a folder in the host's input folder, as its upload button would. */
async function upload(name, folder = "") {
  const picture = await api.fetchApi(`/workflow_templates/${PACKAGE}/inputs/${name}`);
  if (!picture.ok) return false;
  const form = new FormData();
  form.append("image", await picture.blob(), name);
  form.append("subfolder", folder);
  return (await api.fetchApi("/upload/image", { method: "POST", body: form })).ok;
}
