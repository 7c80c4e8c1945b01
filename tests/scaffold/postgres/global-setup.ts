import type { TestProject } from "vitest/node";
import { TestServer } from "./server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder with the socket of the PostgreSQL that the tests of a project share; empty where there is none. */
    postgresFolder: string;
  }
}

/** Starts a PostgreSQL for all tests of a project. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = new TestServer([]);
  await server.make();
  await server.start();
  project.provide("postgresFolder", server.folder);
  return async () => {
    await server.stop();
    server.remove();
  };
}
