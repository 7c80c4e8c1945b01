const byClients = "cited by the tests of clients (tail, the convergence's readers) once they are there";

function all(reason: string, ids: string): Record<string, string> {
  return Object.fromEntries(ids.split(" ").map((id) => [id, reason]));
}

/** Requirements that no test cites, and why that must be so. One that is cited after all must leave this list. */
export const gaps: Readonly<Record<string, string>> = {};

/** Requirements whose tests are being written. This list must be empty before a release. */
export const waiting: Readonly<Record<string, string>> = {
  ...all(byClients, "R-L1-3 R-RES-5 R-HB-3"),
};
