import { escape } from "@std/html/entities";

/** A warning as an HTML paragraph, with a capital and a full stop; empty without a warning. */
export function warningHtml(warning: string | undefined): string {
  return warning ? `<p class="warning">${escape(sentence(warning))}</p>` : "";
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}
