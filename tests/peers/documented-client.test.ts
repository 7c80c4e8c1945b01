import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Command } from "../cli/command.ts";
import { documentedBlock, replaced } from "./documented.ts";
import { pythonWith } from "./piped-peers.ts";
import { serveInProcess } from "./places.ts";

const python = pythonWith("websockets");
if (python === undefined)
  console.log("The test of docs/other-clients.md is skipped: no Python has the module websockets.");

describe.skipIf(python === undefined)("the Python client of docs/other-clients.md", () => {
  it("prints what there is and what follows, over a cut and a killed server, nothing missing or twice [R-RES-5]", async () => {
    const place = await serveInProcess();
    const folder = mkdtempSync(join(tmpdir(), "rocket-python-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const script = join(folder, "follow.py");
    const code = documentedBlock("other-clients.md", "In Python");
    writeFileSync(script, replaced(code, [["127.0.0.1:8080", `127.0.0.1:${place.line.port}`]]));
    const command = new Command(python ?? "", [script]);
    const until = (line: string) => command.until(({ stdout }) => stdout.includes(`${line}\n`));
    await until("304  3 artists");
    await place.add("Faust");
    await until("201 /artists/4 4 artists");
    place.line.cut();
    await place.rename("/artists/1", "CAN");
    await until("202 /artists/1 4 artists");
    await place.restart();
    await place.remove("/artists/2");
    await until("204 /artists/2 3 artists");
    const told = command.stdout.split("\n").filter((line) => line !== "" && !line.startsWith("304"));
    const expected = [
      "200  3 artists",
      "201 /artists/4 4 artists",
      "202 /artists/1 4 artists",
      "204 /artists/2 3 artists",
    ];
    expect(told).toEqual(expected);
  });
});
