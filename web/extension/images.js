/** Where the page finds the images that nodes work on. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { resultOf, valueOf } from "./watch.js";

/** Nodes that change the size of an image in a way their widgets do not show. */
const RESIZES = /scale|resize|crop|pad|rotate|stitch/i;
const MOST_STEPS = 20;

/** @type {Map<string, Known>} */
const measured = new Map();

/** @typedef {{size?: [number, number], address?: string}} Known width and height in pixels, and where the image can be seen */

/**
 * The address of an image that a run showed.
 * @param {{filename: string, subfolder: string, type: string}} image
 */
export function addressOf(image) {
  return api.apiURL(`/view?${new URLSearchParams(image)}${app.getRandParam()}`);
}

/**
 * What can be known before a run about the image that comes into a node.
 * @param {LGraphNode} node
 * @param {string} input its name
 * @returns {Known} empty where nothing is known, or not yet
 */
export function imageInto(node, input) {
  let origin = linkedNode(node, ({ name }) => name === input);
  for (let step = 0; origin && step < MOST_STEPS; step++) {
    const shown = resultOf(origin)?.images?.[0];
    if (shown) return measure(shown);
    const size = [valueOf(origin, "width"), valueOf(origin, "height")];
    if (size.every((length) => length > 0)) return { size };
    if (RESIZES.test(origin.type)) return {};
    origin = linkedNode(origin, ({ type, link }) => link != null && /IMAGE|LATENT|\*/.test(type));
  }
  return {};
}

/**
 * The node that is connected to an input.
 * @param {LGraphNode} node
 * @param {function({name: string, type: string, link: ?number}): boolean} isMeant which input
 * @returns {LGraphNode|null}
 */
export function linkedNode(node, isMeant) {
  const slot = node.inputs?.findIndex(isMeant) ?? -1;
  return slot < 0 ? null : node.getInputNode(slot);
}

function measure(image) {
  const key = JSON.stringify(image);
  if (!measured.has(key)) {
    measured.set(key, {});
    const loading = new Image();
    loading.onload = () =>
      measured.set(key, { size: [loading.naturalWidth, loading.naturalHeight], address: loading.src });
    loading.src = addressOf(image);
  }
  return measured.get(key);
}
