/** The slider of the Compare node: a line that can be dragged, the image before to its left, the image after to its right. */

import { app } from "../../scripts/app.js";
import { element, showInNode } from "./elements.js";
import { addressOf } from "./images.js";
import { text } from "./text.js";
import { resultOf, watch } from "./watch.js";

const HEIGHT = 200;
const FIRST_SIZE = [400, 440];

app.registerExtension({
  name: "sketchgan.compare",
  nodeCreated(node) {
    if (node.comfyClass !== "SketchGANCompare") return;
    const slider = new CompareSlider();
    showInNode(node, "compare", slider.root, HEIGHT, { interactive: true });
    node.setSize(FIRST_SIZE.map((length, side) => Math.max(length, node.size[side])));
    watch(
      node,
      () => ({ before: resultOf(node)?.before_images ?? [], after: resultOf(node)?.after_images ?? [] }),
      ({ before, after }) => slider.show(before, after),
    );
  },
});

class CompareSlider {
  #before = [];
  #after = [];
  #index = 0;

  constructor() {
    this.beforeImage = element("img", { alt: text("before"), draggable: false, className: "sketchgan-before" });
    this.afterImage = element("img", { alt: text("after"), draggable: false });
    this.afterImage.addEventListener("load", () => this.#fit());
    this.beforeImage.addEventListener("load", () => this.#fit());
    // A range input brings dragging, touch, the arrow keys and a name for screen readers; it lies invisible over the images.
    this.range = element("input", { type: "range", min: 0, max: 100, step: "any", value: 50 });
    this.range.setAttribute("aria-label", text("slider"));
    this.range.addEventListener("input", () => this.#split());
    this.frame = element(
      "div",
      { className: "sketchgan-frame", hidden: true },
      this.afterImage,
      this.beforeImage,
      element("span", { className: "sketchgan-label sketchgan-left", textContent: text("before") }),
      element("span", { className: "sketchgan-label sketchgan-right", textContent: text("after") }),
      this.range,
      element("div", { className: "sketchgan-line" }),
    );
    this.empty = element("p", { className: "sketchgan-empty", textContent: text("compare_empty") });
    this.place = element("span");
    this.pages = element(
      "div",
      { className: "sketchgan-pages", hidden: true },
      this.#arrow("‹", text("previous"), -1),
      this.place,
      this.#arrow("›", text("next"), 1),
    );
    const stage = element("div", { className: "sketchgan-stage" }, this.frame, this.empty);
    this.root = element("div", { className: "sketchgan-compare" }, stage, this.pages);
    this.#split();
  }

  /**
   * Shows the images of a run; where one side has fewer, its last one stays.
   * @param {Object[]} before
   * @param {Object[]} after
   */
  show(before, after) {
    [this.#before, this.#after] = [before, after];
    const count = Math.max(before.length, after.length);
    this.#index = Math.min(this.#index, Math.max(count - 1, 0));
    this.frame.hidden = !before.length || !after.length;
    this.empty.hidden = !this.frame.hidden;
    this.pages.hidden = count < 2;
    if (!this.frame.hidden) this.#turn(0);
  }

  #turn(by) {
    const count = Math.max(this.#before.length, this.#after.length);
    this.#index = (this.#index + by + count) % count;
    this.beforeImage.src = addressOf(this.#before[Math.min(this.#index, this.#before.length - 1)]);
    this.afterImage.src = addressOf(this.#after[Math.min(this.#index, this.#after.length - 1)]);
    this.place.textContent = `${this.#index + 1} / ${count}`;
  }

  #arrow(sign, title, by) {
    const button = element("button", { type: "button", textContent: sign, title });
    button.addEventListener("click", () => this.#turn(by));
    return button;
  }

  #split() {
    this.frame.style.setProperty("--split", `${this.range.value}%`);
    this.range.setAttribute("aria-valuetext", `${Math.round(this.range.value)} %`);
  }

  /** Both images take the aspect ratio of the one after: a sketch may differ in size, but not in shape. */
  #fit() {
    const { naturalWidth: width, naturalHeight: height } = this.afterImage;
    if (width && height) this.frame.style.setProperty("--ratio", width / height);
  }
}
