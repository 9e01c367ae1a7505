/** What patch size, model size and tile mean for the image at hand, as a small picture in the Generate node. */

import { app } from "../../scripts/app.js";
import { element, shape, showInNode } from "./elements.js";
import { imageInto } from "./images.js";
import "./reading.js"; // first: what was read stands above the scale
import { figure, text } from "./text.js";
import { resultOf, valueOf, watch } from "./watch.js";

const HEIGHT = 168;
const VIEW = { width: 270, height: 104 };
/** Where the image goes, and the lens beside it, in the view's units. */
const IMAGE = { left: 2, width: 146, height: 100 };
const LENS = { left: 178, top: 7, side: 90 };
/** Tiles are multiples of the pencil's stride; another stride moves their edges by a few pixels. */
const STRIDE = 8;
/** A pencil line in drawn pixels; thicker than a real one, which would not show in a picture this small. */
const STROKE = 7;
const HATCHES = 7;
/** Where no image is known, the picture shows one that is three patches wide. */
const UNKNOWN = 3;

app.registerExtension({
  name: "sketchgan.drawing_scale",
  nodeCreated(node) {
    if (node.comfyClass !== "SketchGANGenerate") return;
    const root = element("div", { className: "sketchgan-scale" });
    showInNode(node, "drawing_scale", root, HEIGHT);
    watch(
      node,
      () => ({
        patch: valueOf(node, "patch_size"),
        model: valueOf(node, "model_size"),
        tile: valueOf(node, "tile"),
        output: valueOf(node, "output"),
        drawn: resultOf(node)?.drawn_at,
        ...imageInto(node, "image"),
      }),
      (state) => root.replaceChildren(picture(resolved(state)), ...captions(resolved(state))),
    );
  },
});

/**
 * @typedef {Object} State
 * @property {number} patch 0: chosen by what is in the image
 * @property {number} model
 * @property {number} tile in drawn pixels, 0: chosen by the memory there is
 * @property {string} output
 * @property {[number, number]} [drawn] the size that the last run drew at
 * @property {[number, number]} [size]
 * @property {string} [address]
 */

/**
 * The state with its patch size filled in: the one that the last run chose, or the model size before any run.
 * @param {State} state
 */
function resolved(state) {
  if (state.patch) return state;
  const { model, size, drawn } = state;
  const known = size && drawn;
  return { ...state, auto: true, known, patch: known ? Math.round((model * size[0]) / drawn[0]) : model };
}

/** @param {State} state */
function picture({ patch, model, tile, size, address }) {
  const [width, height] = size ?? [UNKNOWN * patch, (UNKNOWN - 1) * patch];
  const zoom = Math.min(IMAGE.width / width, IMAGE.height / height);
  const [wide, high] = [width * zoom, height * zoom];
  const left = IMAGE.left + (IMAGE.width - wide) / 2;
  const top = (VIEW.height - high) / 2;
  const frame = { x: left, y: top, width: wide, height: high };
  const view = shape("svg", { viewBox: `0 0 ${VIEW.width} ${VIEW.height}`, "aria-hidden": "true" });

  view.append(shape("rect", { ...frame, class: "sketchgan-sheet" }));
  if (address) view.append(shape("image", { ...frame, href: address, preserveAspectRatio: "none", opacity: 0.5 }));
  if (size && tile) view.append(grid(frame, size, tile, patch / model));

  const side = Math.min(patch * zoom, wide, high);
  const patchBox = { x: left + (wide - side) / 2, y: top + (high - side) / 2, width: side, height: side };
  view.append(
    shape("rect", { ...patchBox, class: "sketchgan-patch" }),
    ray(patchBox.x + side, patchBox.y, LENS.left, LENS.top),
    ray(patchBox.x + side, patchBox.y + side, LENS.left, LENS.top + LENS.side),
    ...lens(model),
  );
  return view;
}

/** The edges of the tiles that the drawn image is cut into. */
function grid(frame, size, tile, patchPerModel) {
  const [across, down] = tilesOf(size, tile, patchPerModel);
  const lines = shape("g", { class: "sketchgan-grid" });
  for (let edge = across.size; edge < across.length; edge += across.size) {
    const x = frame.x + (edge / across.length) * frame.width;
    lines.append(shape("line", { x1: x, x2: x, y1: frame.y, y2: frame.y + frame.height }));
  }
  for (let edge = down.size; edge < down.length; edge += down.size) {
    const y = frame.y + (edge / down.length) * frame.height;
    lines.append(shape("line", { x1: frame.x, x2: frame.x + frame.width, y1: y, y2: y }));
  }
  return lines;
}

/** One patch as the pencil draws it: the fewer pixels it has, the thicker the strokes look. */
function lens(model) {
  const { left, top, side } = LENS;
  const box = { x: left, y: top, width: side, height: side };
  const stroke = (STROKE * side) / model;
  const strokes = shape("g", { class: "sketchgan-strokes", "stroke-width": stroke });
  const pitch = Math.max(side / HATCHES, 2.5 * stroke);
  for (let offset = pitch; offset < 2 * side; offset += pitch) {
    const [from, to] = [Math.max(0, offset - side), Math.min(side, offset)];
    strokes.append(
      shape("line", { x1: left + from, y1: top + offset - from, x2: left + to, y2: top + offset - to }),
    );
  }
  return [
    shape("rect", { ...box, class: "sketchgan-sheet" }),
    shape("svg", { ...box, viewBox: `${left} ${top} ${side} ${side}` }, strokes),
    shape("rect", { ...box, class: "sketchgan-patch" }),
  ];
}

function ray(x1, y1, x2, y2) {
  return shape("line", { x1, y1, x2, y2, class: "sketchgan-ray" });
}

/** The lines of text, in the colours of what they describe. @param {State} state */
function captions({ patch, model, tile, output, size, drawn: run, auto, known }) {
  const percent = figure((100 * model) / patch);
  const lines = [caption("patch", text(auto ? "scale_auto" : "scale_patch", { patch, model, percent }))];
  if (size && (known || !auto)) {
    const drawn = auto ? run : size.map((length) => scaled(length, patch, model));
    const result = output === "model size" ? drawn : size;
    const sizes = { given: times(size), drawn: times(drawn), result: times(result) };
    lines.push(caption("sizes", text(sizes.given === sizes.drawn ? "scale_own_size" : "scale_sizes", sizes)));
  }
  if (!tile) lines.push(caption("sizes", text("scale_auto_tile")));
  else if (size) {
    const [across, down] = tilesOf(size, tile, patch / model);
    const count = across.count * down.count;
    const each = times([across.size, down.size]);
    lines.push(caption("tiles", text(count === 1 ? "scale_one_tile" : "scale_tiles", { count, tile: each })));
  }
  return lines;
}

function caption(about, line) {
  return element("div", { textContent: line, className: `sketchgan-about-${about}` });
}

/** How `draw_tiled` cuts an image: equal tiles, none larger than `tile` by more than the stride. */
function tilesOf(size, tile, patchPerModel) {
  return size.map((given) => {
    const length = scaled(given, patchPerModel, 1);
    const wanted = Math.ceil(length / Math.max(tile, STRIDE));
    const side = Math.ceil(length / wanted / STRIDE) * STRIDE;
    return { length, size: side, count: Math.ceil(length / side) };
  });
}

function scaled(length, patch, model) {
  return Math.max(1, Math.round((length * model) / patch));
}

function times([width, height]) {
  return `${width} × ${height}`;
}
