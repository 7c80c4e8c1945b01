import { expect, it } from "vitest";
import { ProblemError, problemOf } from "../../src/client/problem.ts";
import type { Field } from "../../src/protocol/index.ts";

function answer(type: string, body: string, status = 422, ...fields: Field[]) {
  return { status, reason: "", fields: [["Content-Type", type], ...fields] as Field[], body };
}

it.each([
  [
    "a problem without a detail",
    { type: "https://example.com/full", title: "The room is full.", instance: "/rooms/7", seats: 12 },
    { type: "https://example.com/full", title: "The room is full.", instance: "/rooms/7", seats: 12 },
    "The room is full.",
  ],
  [
    "a problem without a title",
    { detail: "At most 12." },
    { type: "about:blank", title: "At most 12." },
    "At most 12.",
  ],
  [
    "a problem with neither",
    { type: "https://example.com/full", seats: 12 },
    { type: "https://example.com/full", title: "The server answered 422.", seats: 12 },
    "The server answered 422.",
  ],
  [
    "a problem whose members are of other types",
    { type: 7, title: ["x"], detail: {}, status: "200", seats: 12 },
    { type: "about:blank", title: "The server answered 422.", seats: 12 },
    "The server answered 422.",
  ],
])("%s is kept with all its members (RFC 9457)", (_name, said, members, detail) => {
  const problem = problemOf(answer("application/problem+json; charset=utf-8", JSON.stringify(said)));
  expect(problem).toEqual({ ...members, status: 422, detail });
  expect(new ProblemError(problem).message).toBe(detail);
});

it("A problem that is said to be plain JSON is one where it has a detail", () => {
  const problem = problemOf(answer("application/json", '{"detail":"At most 12.","seats":12}', 409));
  expect(problem).toEqual({ type: "about:blank", title: "At most 12.", status: 409, detail: "At most 12.", seats: 12 });
});

it.each([
  [{ error: "Taken" }, "Taken"],
  [{ message: "Not so", errors: { text: "short" } }, "Not so"],
  [{ error: { code: 17, message: "No room" } }, "No room"],
  [{ title: "Sign in first" }, "Sign in first"],
  [{ errors: [{ message: "Too short", path: ["text"] }] }, "Too short"],
  [{ errors: { text: ["is short"] } }, "The server answered 422."],
  [["is short"], "The server answered 422."],
  ["is short", "is short"],
  [{ message: "x".repeat(301) }, "The server answered 422."],
])("Other JSON, %j, is kept as the body, and its sentence is the detail", (body, detail) => {
  const problem = problemOf(answer("application/json", JSON.stringify(body)));
  expect(problem).toEqual({ type: "about:blank", title: detail, status: 422, detail, body });
});

it("A plain text is kept as the body, and is the detail where it is short; a page for people is not", () => {
  expect(problemOf(answer("text/plain", "Too long"))).toMatchObject({ detail: "Too long", body: "Too long" });
  const long = `${"x".repeat(300)}.`;
  expect(problemOf(answer("text/plain; charset=utf-8", long))).toMatchObject({
    detail: "The server answered 422.",
    body: long,
  });
  const page = problemOf(answer("text/html", "<h1>Too long</h1>"));
  expect(page).toEqual({
    type: "about:blank",
    title: "The server answered 422.",
    status: 422,
    detail: "The server answered 422.",
  });
});

it("A body of more than 16,384 characters is not kept", () => {
  const bodyOf = (length: number): string => JSON.stringify({ error: "Taken", rest: "x".repeat(length) });
  const rest = 16_384 - bodyOf(0).length;
  expect(problemOf(answer("application/json", bodyOf(rest))).detail).toBe("Taken");
  expect(problemOf(answer("application/json", bodyOf(rest + 1)))).toEqual(problemOf(answer("text/html", "")));
});

it("A redirect is kept beside what else was said", () => {
  const problem = problemOf(answer("application/problem+json", '{"title":"Moved"}', 307, ["Location", "/b"]));
  expect(problem).toMatchObject({ title: "Moved", detail: "Moved", location: "/b", status: 307 });
});
