/** What the widgets say, in the language of the page. The words are in locales/<language>/main.json. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

const languages = await api.getCustomNodesI18n().catch(() => ({}));

/**
 * A text of `sketchgan` in locales/<language>/main.json.
 * @param {string} key
 * @param {Object<string, string|number>} [values] for the {names} in the text
 * @returns {string}
 */
export function text(key, values = {}) {
  const language = app.extensionManager.setting.get("Comfy.Locale");
  const found = languages[language]?.sketchgan?.[key] ?? languages.en?.sketchgan?.[key] ?? key;
  return found.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/**
 * A number as people of that language write it, rounded to one digit after the point.
 * @param {number} number
 */
export function figure(number) {
  const language = app.extensionManager.setting.get("Comfy.Locale");
  return number.toLocaleString(language, { maximumFractionDigits: 1, useGrouping: false });
}
