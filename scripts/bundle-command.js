// Bundles the command from dist into a few files of dist/bin: Node takes a millisecond for each of its several hundred modules.
import { chmodSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const dist = new URL("../dist/", import.meta.url);
const target = fileURLToPath(new URL("bin/", dist));
const built = (path) => fileURLToPath(new URL(path, dist));

const bundle = await rolldown({
  input: { rocket: built("cli/main.js"), thread: built("scaffold/sqlite/threads/thread.js") },
  platform: "node",
  // Packages, and what package.json says for each platform.
  external: (id) => !/^[./]/.test(id),
});
rmSync(target, { recursive: true, force: true });
await bundle.write({ dir: target, format: "esm" });
await bundle.close();
chmodSync(`${target}rocket.js`, 0o755);
