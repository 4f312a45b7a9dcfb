import { isMissingFile } from "./file_error_code.ts";
import { fileSystem, hasFileSystem } from "./file_system.ts";
import { type HubName, parseHubName } from "./hub_name.ts";

/**
 * Parses an argument as a hub model's name.
 *
 * @returns `undefined` if it is a path: it exists, or it has the extension of a model file.
 */
export async function findHubName(argument: string): Promise<HubName | undefined> {
  if (/\.(onnx|safetensors|bin|pth|pth\.tar)$/.test(argument)) return undefined;
  const name = parseHubName(argument);
  return name && !(hasFileSystem() && await exists(argument)) ? name : undefined;
}

async function exists(path: string): Promise<boolean> {
  try {
    await fileSystem().lstat(path);
    return true;
  } catch (error) {
    if (isMissingFile(error)) return false;
    throw error;
  }
}
