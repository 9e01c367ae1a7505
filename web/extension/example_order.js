/** Lists the examples in the order in which they teach; the host lists them as the disk happens to hold them. */

import { api } from "../../scripts/api.js";

const PACKAGE = new URL(import.meta.url).pathname.split("/").at(-2);

const listed = api.getWorkflowTemplates?.bind(api);
if (listed) {
  api.getWorkflowTemplates = async () => {
    const templates = await listed();
    templates?.[PACKAGE]?.sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
    return templates;
  };
}
