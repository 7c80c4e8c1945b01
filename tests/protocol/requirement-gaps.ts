const byHub = "cited by the hub's tests once they are there";
const byClients = "cited by the tests of clients (tail, the convergence's readers) once they are there";

function all(reason: string, ids: string): Record<string, string> {
  return Object.fromEntries(ids.split(" ").map((id) => [id, reason]));
}

/** Requirements that no test cites, and why that must be so. One that is cited after all must leave this list. */
export const gaps: Readonly<Record<string, string>> = {};

/** Requirements whose tests are being written. This list must be empty before a release. */
export const waiting: Readonly<Record<string, string>> = {
  ...all(byHub, "R-L0-1 R-L0-3 R-L0-4 R-L0-5 R-L0-6 R-L0-7 R-L1-4 R-L1-5 R-L1-6"),
  ...all(byHub, "R-POS-3 R-POS-4 R-POS-6 R-POS-7 R-FLD-1 R-FLD-7 R-FLD-8"),
  ...all(byHub, "R-SUB-1 R-SUB-2 R-SUB-3 R-SUB-4 R-SUB-5 R-SUB-6 R-SUB-7 R-SUB-9 R-SUB-10 R-SUB-12 R-SUB-13"),
  ...all(byHub, "R-RES-1 R-RES-2 R-RES-3 R-RES-4 R-RES-6"),
  ...all(byHub, "R-BAND-1 R-BAND-2 R-BAND-3 R-BAND-4 R-BAND-5 R-BAND-6"),
  ...all(byHub, "R-BAND-7 R-BAND-8 R-BAND-9 R-BAND-10 R-BAND-11 R-BAND-12 R-WK-1 R-WK-2 R-WK-3"),
  ...all(byHub, "R-HB-1 R-HB-2 R-HB-4 R-CLOSE-4 R-SEC-1 R-SEC-2 R-SEC-3 R-SEC-4 R-SEC-5 R-SEC-6"),
  ...all(byClients, "R-L1-3 R-POS-5 R-SUB-14 R-RES-5 R-HB-3 R-CLOSE-5"),
};
