/** Elements, and their place in a node: the same in the canvas front end and in Nodes 2.0. */

import { app } from "../../scripts/app.js";

const STYLE = new URL("sketchgan.css", import.meta.url).href;
const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an HTML element.
 * @param {string} tag
 * @param {Object} [properties] such as `className` or `textContent`
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/**
 * Makes an SVG element.
 * @param {string} tag
 * @param {Object<string, string|number>} [attributes]
 * @param {...Node} children
 * @returns {SVGElement}
 */
export function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Shows an element in a node, below its other widgets. It is not saved with the workflow.
 * @param {LGraphNode} node
 * @param {string} name
 * @param {HTMLElement} root
 * @param {number} height the least it needs, in pixels
 * @param {{interactive?: boolean}} [options] an interactive element takes the mouse and the node's free height;
 *   any other lets the mouse through to the node, and keeps its height
 */
export function showInNode(node, name, root, height, { interactive = false } = {}) {
  loadStyle();
  // Nodes 2.0 knows a widget that takes the spare height by the class "widget-expands".
  root.classList.add("sketchgan-widget", interactive ? "widget-expands" : "sketchgan-still");
  root.style.minHeight = `${height}px`; // Nodes 2.0 asks the element, the canvas asks the options
  const options = { serialize: false, hideOnZoom: false, getMinHeight: () => height };
  if (interactive) keepEvents(root);
  else options.getMaxHeight = () => height;
  const widget = node.addDOMWidget(name, `sketchgan.${name}`, root, options);
  widget.serialize = false; // the option keeps it out of the prompt, this out of the workflow
  const [width, needed] = node.computeSize();
  node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], needed)]);
}

/** Keeps a drag inside the element from moving the node, and passes on to the canvas what is meant for it. */
function keepEvents(root) {
  const onCanvas = () => root.closest(".dom-widget") !== null;
  const pans = (event) => event.button === 1 || (event.buttons & 4) !== 0;
  const forward = { pointerdown: "processMouseDown", pointermove: "processMouseMove", pointerup: "processMouseUp" };
  for (const [type, process] of Object.entries(forward)) {
    root.addEventListener(type, (event) => {
      if (!pans(event)) event.stopPropagation();
      else if (onCanvas()) app.canvas[process](event);
    });
  }
  root.addEventListener("keydown", (event) => event.stopPropagation());
  root.addEventListener("wheel", (event) => {
    if (!onCanvas()) return;
    event.preventDefault();
    app.canvas.processMouseWheel(event);
  });
}

function loadStyle() {
  if (document.querySelector(`link[href="${STYLE}"]`)) return;
  document.head.append(element("link", { rel: "stylesheet", href: STYLE }));
}
