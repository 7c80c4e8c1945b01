import type { Patch } from "../../convergence/patched-system.ts";

/** A fault that would show somebody what is not for it. */
export interface Leak extends Patch {
  /** What is wrong, in words. */
  readonly name: string;
  /** Where to begin, for a leak that few runs show. Default 1. */
  readonly firstSeed?: number;
}

const sharing = "server/derived/sharing.js";
const views = "server/derived/views.js";
const view = "server/derived/view.js";

/** Leaks that the test must see. */
export const leaks: readonly Leak[] = [
  {
    name: "cookies do not tell viewers apart",
    file: sharing,
    find: "    return inertNames.has(name) ||",
    replace: '    return name === "cookie" || inertNames.has(name) ||',
  },
  {
    name: "keys in odd fields do not tell viewers apart",
    file: sharing,
    find: "    return inertNames.has(name) ||",
    replace: '    return name === "x-api-key" || inertNames.has(name) ||',
  },
  {
    name: "Vary is ignored",
    file: sharing,
    find: 'const vary = listOf(response.fields, "vary");',
    replace: "const vary = [];",
  },
  {
    name: "documents are not compared before viewers join",
    file: views,
    find: "if (!view.isEqual(response)) {",
    replace: "if (false) {",
  },
  {
    name: "whoever renews a view is taken for the same viewer",
    file: views,
    find: "return isRenewed && view.isOnlyFor(viewerKey);",
    replace: "return isRenewed;",
  },
  {
    name: "one member's answer is everybody's before a second one got it",
    file: view,
    find: "if (isAgreed || this.members.size === 1) {",
    replace: "if (true) {",
  },
  {
    name: "a joined view shows the fields of one member to the others",
    file: "server/derived/shown.js",
    find: "if (this.isOf(viewerKey))",
    replace: "if (true)",
  },
  {
    name: "who has credentials is given what anonymous ones get",
    file: views,
    find: "if (!this.#isAnonymous(viewer))\n            return undefined;\n        const key = this.#keyOf(target, viewer);",
    replace: 'const key = this.#keyOf(target, { fields: [["Host", "example.com"]] });',
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
    find: "        this.#holdOthers(",
    replace: "        if (false)\n            this.#holdOthers(",
  },
  {
    name: "slow readers are shown a document that their own GET did not return in time",
    file: "server/catch-up.js",
    find: "if (derived && !derived.shows(subscription))",
    replace: "if (false)",
    firstSeed: 14,
  },
];
