import type { Patch } from "../../convergence/patched-system.ts";

/** A fault that would show somebody what is not for it. */
export interface Leak extends Patch {
  /** What is wrong, in words. */
  readonly name: string;
  /** What is followed, for a leak that few runs show. Default: everything. */
  readonly targets?: readonly string[];
}

const countsAll = "fieldLines(documentRequestFields(fields)), address";

function without(name: string): string {
  return `fieldLines(documentRequestFields(fields), (name) => name !== "${name}"), address`;
}

/** Leaks that the test must see. */
export const leaks: readonly Leak[] = [
  ...["cookie", "x-api-key", "user-agent", "x-forwarded-for"].map((name) => {
    return {
      name: `${name} does not tell viewers apart`,
      in: "viewerKeyOf",
      find: countsAll,
      replace: without(name),
      targets: ["/inert", "/private"],
    };
  }),
  {
    name: "addresses do not tell viewers apart",
    in: "viewerKeyOf",
    find: "address, certificate]",
    replace: "null, certificate]",
    targets: ["/address"],
  },
  {
    name: "Vary is ignored",
    in: "sharingOf",
    find: 'const vary = new Set(itemsOf(answer, "vary"));',
    replace: "const vary = new Set();",
    targets: ["/language", "/flux"],
  },
  {
    name: "Vary: * is ignored",
    in: "wordOf",
    find: 'itemsOf(answer, "vary").includes("*") ||',
    replace: "",
  },
  {
    name: "Set-Cookie is ignored",
    in: "wordOf",
    find: 'fieldValue(answer, "set-cookie") !== undefined ||',
    replace: "",
    targets: ["/flux"],
  },
  {
    name: "every answer is taken for a public one",
    in: "wordOf",
    find: 'return isPublic ? "public" : "nothing";',
    replace: 'return "public";',
  },
  {
    name: "what is private for somebody unknown belongs to all who are",
    in: "sharingOf",
    find: 'if (word === "private" && isAnonymous)',
    replace: "if (false)",
    targets: ["/guest"],
  },
  {
    name: "who may share is decided at the opening only",
    in: "askAs",
    find: "if (!parts.belongs(member, said)) {",
    replace: "if (false) {",
  },
  {
    name: "a 304 is not judged",
    in: "askAs",
    find: "if (status === 304 && !parts.belongs(member, said)) {",
    replace:
      'if (status === 304 && view.standing.document === document) { view.members.checked(member, now); return { kind: "same", member, response, askedAt }; } if (false) {',
    targets: ["/tenant"],
  },
  {
    name: "documents are not compared before viewers join",
    in: "DerivedViews.#viewFor",
    find: "(view) => view.canOpen(response, askedAt)",
    replace: "() => true",
  },
  {
    name: "a declared view shows the fields of one member to the others",
    in: "readStanding",
    find: "(!isShared || sharedFields.has(field[0].toLowerCase()))",
    replace: "true",
  },
  {
    name: "one member's refusal is everybody's",
    in: "askAs",
    find: "for (const follower of [...member.followers]) follower.refuse(response);",
    replace: "for (const follower of view.members.all) follower.refuse(response);",
  },
  {
    name: "a subscription with other credentials stays in its view",
    in: "Subscription.renew",
    find: "if (start.isOfViewer && ",
    replace: "if (false && ",
  },
  {
    name: "members whose own GETs fail go on without them",
    in: "DerivedView.#adopt",
    find: "this.#held.holdOverdue();",
    replace: "",
  },
  {
    name: "slow readers are shown a document that their own GET did not return in time",
    in: "DerivedFollowing.advance",
    find: "if (!this.#view.checkRight(this))",
    replace: "if (false)",
    targets: ["/tenant", "/public", "/csrf"],
  },
];
