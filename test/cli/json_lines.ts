export interface Line {
  file: string;
  labels?: { label: string; score: number }[];
  error?: string;
}

export function jsonLines(text: string): Line[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}
