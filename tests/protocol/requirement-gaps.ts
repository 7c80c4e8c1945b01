/** Requirements that no test cites, and why that must be so. One that is cited after all must leave this list. */
export const gaps: Readonly<Record<string, string>> = {};

/** Requirements whose tests are being written. This list must be empty before a release. */
export const waiting: Readonly<Record<string, string>> = {};
