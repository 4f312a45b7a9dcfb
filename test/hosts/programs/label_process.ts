// Prints the label of a photo. Argument: the photo.

import { readFile } from "node:fs/promises";
import process from "node:process";
import { EMBEDDED_MODEL } from "@vit-msn/edge/model";
import { firstLabel } from "./first_label.ts";

console.log(await firstLabel(await readFile(process.argv[2]!), await readFile(EMBEDDED_MODEL)));
