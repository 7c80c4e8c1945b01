import { describe, expect, it } from "vitest";
import { defects } from "./defects.ts";
import { serverOfFile } from "./server.ts";
import { Story } from "./story.ts";

const server = serverOfFile();

describe("a story with everything that may go wrong with a journal", () => {
  it("goes well", async () => {
    expect(await Story.tell(server, () => Promise.resolve())).toEqual([]);
  });

  it.each(defects)("finds out where $name", async ({ patch, shows }) => {
    const violations = await Story.tell(server, patch);
    expect(violations.filter((violation) => shows.test(violation))).not.toEqual([]);
  });
});
