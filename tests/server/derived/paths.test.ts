import { expect, test } from "vitest";
import { PathIndex, pathSegments } from "../../../src/server/derived/paths.ts";
import { createLocalStaleness } from "../../../src/server/index.ts";

test("paths are compared decoded, without case, empty segments, query and authority [R-DER-4]", () => {
  const same = ["/A%20b/C", "//a%20B//c/", "/a b/c?x=1", "https://example.com/A%20b/c#x"];
  for (const url of same) expect(pathSegments(url)).toEqual(["a b", "c"]);
  expect(pathSegments("/%zz/x")).toEqual(["%zz", "x"]);
});

test("a write touches the same path, those above and those below, and no others [R-DER-4]", () => {
  const index = new PathIndex<string>();
  for (const url of ["/", "/items", "/items/1", "/items/1/parts?x=1", "/items/2", "/itemsets", "/others"])
    index.add(url, url);
  expect([...index.touched("/items/1")].sort()).toEqual(["/", "/items", "/items/1", "/items/1/parts?x=1"]);
  expect([...index.touched("/items")].sort()).toEqual(["/", "/items", "/items/1", "/items/1/parts?x=1", "/items/2"]);
  expect([...index.touched("/others/9")].sort()).toEqual(["/", "/others"]);
});

test.each([
  ["/posts/1.json", ["/posts.json", "/posts", "/posts/1", "/posts/1/comments.xml"]],
  ["/posts", ["/posts.json", "/posts", "/posts/1", "/posts/1/comments.xml"]],
  ["/odata/Posts(1)", ["/odata/Posts", "/odata/Posts(1)/Author"]],
  ["/odata/Posts('a')", ["/odata/Posts"]],
  ["/v1.2/x", ["/v1.2/x.csv"]],
])("a write to %s touches what formats and keys in parentheses hide [R-DER-4]", (url, expected) => {
  const index = new PathIndex<string>();
  const all = ["/posts.json", "/posts", "/posts/1", "/posts/1/comments.xml", "/posts/2", "/postscript.json"];
  for (const one of [...all, "/odata/Posts", "/odata/Posts(1)/Author", "/odata/Posts(2)", "/v1.2/x.csv", "/v1.3/x"]) {
    index.add(one, one);
  }
  expect([...index.touched(url)].filter((one) => one !== "/posts/2" || url === "/posts/1.json").sort()).toEqual(
    [...expected].sort(),
  );
});

test("what was removed from a path index is not touched any more", () => {
  const index = new PathIndex<string>();
  index.add("/a/b", "one");
  index.add("/a/b?x", "two");
  index.remove("/a/b", "one");
  expect([...index.touched("/a")]).toEqual(["two"]);
  index.remove("/a/b", "two");
  expect([...index.touched("/")]).toEqual([]);
});

test("staleness in one process reaches its subscribers until they leave", () => {
  const staleness = createLocalStaleness();
  const heard: (readonly string[])[] = [];
  const leave = staleness.subscribe((urls) => heard.push(urls));
  staleness.publish(["/a"]);
  leave();
  staleness.publish(["/b"]);
  expect(heard).toEqual([["/a"]]);
});
