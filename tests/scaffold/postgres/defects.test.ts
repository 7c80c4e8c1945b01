import { describe, expect, it } from "vitest";
import { defects, roughDefects } from "./defects.ts";
import { type Chapter, RoughStory } from "./rough-story.ts";
import { serverOfFile } from "./server.ts";
import { Story } from "./story.ts";

// Without it, what was committed with synchronous_commit = off is on disk soon after.
const server = serverOfFile("wal_writer_delay=10s");
const chapters: readonly Chapter[] = ["trim", "foreign writer", "older copy", "crash", "copy"];

describe("a story with everything that may go wrong with a journal", () => {
  it("goes well", async () => {
    expect(await Story.tell(server, () => Promise.resolve())).toEqual([]);
  });

  it.each(defects)("finds out where $name", async ({ patch, shows }) => {
    const violations = await Story.tell(server, patch);
    expect(violations.filter((violation) => shows.test(violation))).not.toEqual([]);
  });
});

describe("a story of what is done to databases", () => {
  it.each(chapters)("goes well: %s", async (chapter) => {
    expect(await RoughStory.tell(server, chapter, () => Promise.resolve())).toEqual([]);
  });

  it.each(roughDefects)("finds out where $name", async ({ chapter, patch, shows }) => {
    const violations = await RoughStory.tell(server, chapter, patch);
    expect(violations.filter((violation) => shows.test(violation))).not.toEqual([]);
  });
});
