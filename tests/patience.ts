// How long tests wait for what has to come: on a busy machine it takes long, and where it comes, nothing is waited for.
import { vi } from "vitest";

const timeout = 20_000;
const { waitFor, waitUntil } = vi;

vi.waitFor = (callback, options) => waitFor(callback, typeof options === "number" ? options : { timeout, ...options });
vi.waitUntil = (callback, options) =>
  waitUntil(callback, typeof options === "number" ? options : { timeout, ...options });
