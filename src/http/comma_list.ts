/** Splits a text by commas and trims the items; without a text, the list is empty. */
export function commaList(text: string | undefined): string[] {
  return (text ?? "").split(",").map((item) => item.trim()).filter((item) => item !== "");
}
