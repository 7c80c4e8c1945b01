export { hasFailed, type Outcome, type Report, type Result } from "./case.ts";
export { type CheckClientOptions, type ClientCheck, startClientCheck } from "./client/check-client.ts";
export { reportJson } from "./report-json.ts";
export { formatReport } from "./report-text.ts";
export { Requirements } from "./requirements.ts";
export { type CheckServerOptions, checkServer } from "./server/check-server.ts";
export type { WritePlan } from "./server/writer.ts";
