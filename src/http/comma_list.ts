/** The items of a text with commas between them, without spaces around them; of no text, none. */
export function commaList(text: string | undefined): string[] {
  return (text ?? "").split(",").map((item) => item.trim()).filter((item) => item !== "");
}
