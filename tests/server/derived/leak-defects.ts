import type { Patch } from "../../convergence/patched-system.ts";

/** A fault that would show somebody what is not for it. */
export interface Leak extends Patch {
  /** What is wrong, in words. */
  readonly name: string;
  /** What is followed, for a leak that few runs show. Default: everything. */
  readonly targets?: readonly string[];
}

const asking = "server/derived/asking.js";
const sharing = "server/derived/sharing.js";
const viewer = "server/viewer.js";
const views = "server/derived/views.js";
const view = "server/derived/view.js";
const countsAll = "fieldLines(documentRequestFields(fields)), address";

function without(name: string): string {
  return `fieldLines(documentRequestFields(fields), (name) => name !== "${name}"), address`;
}

/** Leaks that the test must see. */
export const leaks: readonly Leak[] = [
  ...["cookie", "x-api-key", "user-agent", "x-forwarded-for"].map((name) => {
    return {
      name: `${name} does not tell viewers apart`,
      file: viewer,
      find: countsAll,
      replace: without(name),
      targets: ["/inert", "/private"],
    };
  }),
  {
    name: "addresses do not tell viewers apart",
    file: viewer,
    find: "address, certificate]",
    replace: "null, certificate]",
    targets: ["/address"],
  },
  {
    name: "Vary is ignored",
    file: sharing,
    find: 'const vary = new Set(itemsOf(answer, "vary"));',
    replace: "const vary = new Set();",
    targets: ["/language", "/flux"],
  },
  {
    name: "Vary: * is ignored",
    file: sharing,
    find: 'itemsOf(answer, "vary").includes("*") ||',
    replace: "",
  },
  {
    name: "Set-Cookie is ignored",
    file: sharing,
    find: 'fieldValue(answer, "set-cookie") !== undefined ||',
    replace: "",
    targets: ["/flux"],
  },
  {
    name: "every answer is taken for a public one",
    file: sharing,
    find: 'return isPublic ? "public" : "nothing";',
    replace: 'return "public";',
  },
  {
    name: "what is private for somebody unknown belongs to all who are",
    file: sharing,
    find: 'if (word === "private" && isAnonymous)',
    replace: "if (false)",
    targets: ["/guest"],
  },
  {
    name: "who may share is decided at the opening only",
    file: asking,
    find: "if (!host.belongs(member, said)) {",
    replace: "if (false) {",
  },
  {
    name: "a 304 is not judged",
    file: asking,
    find: "if (status === 304 && !host.belongs(member, said)) {",
    replace:
      'if (status === 304 && view.standing.document === document) { view.members.checked(member, now); return { kind: "same", member, response, askedAt }; } if (false) {',
    targets: ["/tenant"],
  },
  {
    name: "documents are not compared before viewers join",
    file: views,
    find: "(view) => view.hasShown(response, arming.since)",
    replace: "() => true",
  },
  {
    name: "a declared view shows the fields of one member to the others",
    file: "server/derived/standing.js",
    find: "(!isShared || sharedFields.has(field[0].toLowerCase()))",
    replace: "true",
  },
  {
    name: "one member's refusal is everybody's",
    file: asking,
    find: "host.refuse([...member.followers], response);",
    replace: "host.refuse(view.members.all, response);",
  },
  {
    name: "a subscription with other credentials stays in its view",
    file: "server/request-reader.js",
    find: 'if (start.kind === "derived" && existing.state !== "opening") {',
    replace: "if (false) {",
  },
  {
    name: "members whose own GETs fail go on without them",
    file: view,
    find: "        this.#holdOverdue();\n        const",
    replace: "        const",
  },
  {
    name: "slow readers are shown a document that their own GET did not return in time",
    file: "server/catch-up.js",
    find: "if (derived && !derived.shows(subscription))",
    replace: "if (false)",
    targets: ["/tenant", "/public", "/csrf"],
  },
];
