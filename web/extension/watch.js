/**
 * One way to notice a change, whatever made it.
 *
 * A value in a node changes by mouse, by undo, by loading a workflow, by a run or by rewiring, and the two front
 * ends report that with different events or none. Looking five times a second at a handful of values costs nothing and
 * misses nothing.
 */

import { app } from "../../scripts/app.js";

const EVERY_MS = 200;

/** @type {WeakMap<LGraphNode, {read: function(): *, changed: function(*): void, last?: string}[]>} */
const watched = new WeakMap();
let timer;

/**
 * Calls `changed` with what `read` returns: soon after the call, and whenever it has changed.
 * @template T
 * @param {LGraphNode} node may be watched for several things
 * @param {function(): T} read cheap, without side effects; returns something JSON can hold
 * @param {function(T): void} changed
 */
export function watch(node, read, changed) {
  if (!watched.has(node)) watched.set(node, []);
  watched.get(node).push({ read, changed });
  timer ??= setInterval(look, EVERY_MS);
}

function look() {
  // Only the graph in sight: what is out of sight is looked at when it comes back.
  for (const node of app.canvas?.graph?.nodes ?? []) {
    for (const entry of watched.get(node) ?? []) {
      const value = entry.read();
      const now = JSON.stringify(value) ?? "";
      if (now === entry.last) continue;
      entry.last = now;
      entry.changed(value);
    }
  }
}

/**
 * What the last run showed in a node: the `ui` of its output.
 * @param {LGraphNode} node
 * @returns {Object|undefined}
 */
export function resultOf(node) {
  const inSubgraph = node.graph.isRootGraph === false;
  return app.nodeOutputs[inSubgraph ? `${node.graph.id}:${node.id}` : `${node.id}`];
}

/**
 * A node's widget, if it has one of that name.
 * @param {LGraphNode} node
 * @param {string} name
 */
export function widgetOf(node, name) {
  return node.widgets?.find((widget) => widget.name === name);
}

/**
 * The value of a node's widget, if it has one of that name.
 * @param {LGraphNode} node
 * @param {string} name
 */
export function valueOf(node, name) {
  return widgetOf(node, name)?.value;
}
