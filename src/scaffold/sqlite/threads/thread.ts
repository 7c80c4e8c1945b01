// What runs in a reader's thread.
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { importFunctions } from "../functions-module.ts";
import { leave, type ReadReply, type ReadTask, ready, type ThreadSettings } from "./messages.ts";
import { TaskReader } from "./task-reader.ts";

/** On Linux's scale, from 0 as usual to 19. */
const niceness = 10;

/** Where there are too few cores for all, who reads long comes last. On Linux alone a thread can say so for itself. */
function standBack(): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(0, niceness);
  } catch {
    // It is a favour to others, no more.
  }
}

const settings = workerData as ThreadSettings;
const { functionsModule } = settings;
const functions = functionsModule === undefined ? {} : await importFunctions(functionsModule);
const reader = new TaskReader(settings, functions);

parentPort?.on("message", (message: ReadTask | typeof leave) => {
  if (message === leave) {
    reader.close();
    parentPort?.close();
    return;
  }
  const started = performance.now();
  const outcome = reader.answer(message);
  const body = outcome.kind === "answer" ? outcome.response.body : "";
  const reply: ReadReply = { id: message.id, ms: performance.now() - started, outcome };
  parentPort?.postMessage(reply, typeof body === "string" ? [] : [body.buffer as ArrayBuffer]);
});
standBack();
parentPort?.postMessage(ready);
