import { accessSync, constants, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { sqliteCode } from "./sqlite-error.ts";

/** The file at a path; `undefined` where there is none that can be reached. */
function fileAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** What tells the file at a path from another one that takes its place; `undefined` where there is none. */
export function inodeOf(path: string): string | undefined {
  const file = fileAt(path);
  return file && `${file.dev}:${file.ino}`;
}

/** Whether a folder on the way to a file lets nobody through. */
export function isOutOfReach(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
}

function allows(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function reasonOf(path: string, error: unknown): string {
  const code = sqliteCode(error);
  if (code === 26) return "is not a SQLite database";
  if (code === 11) return "is a damaged SQLite database";
  const file = fileAt(path);
  if (file?.isDirectory()) return "is a folder, not a database";
  if (file || isOutOfReach(path))
    return allows(path, constants.R_OK) ? "can't be opened" : "can't be read: permission denied";
  const folder = dirname(path);
  if (!fileAt(folder)) return `can't be made: there is no folder ${JSON.stringify(folder)}`;
  return allows(folder, constants.W_OK) ? "can't be made" : "can't be made: permission denied";
}

/** Whether there is a file with nothing in it. SQLite takes one for a database without tables. */
export function isEmptyFile(path: string): boolean {
  const file = fileAt(path);
  return file?.isFile() === true && file.size === 0;
}

/** Why a file could not be opened as a database, in a sentence for a person. */
export function openFailure(path: string, error: unknown): string {
  const reason = reasonOf(path, error);
  const isClear = /^is |: /.test(reason) || !(error instanceof Error);
  return `${JSON.stringify(path)} ${reason}${isClear ? "" : `: ${error.message.replace(/\.$/, "")}`}.`;
}
