// What other layers of the project share with this one, and users of the package don't see.
export { smallBytes } from "./byte-budget.ts";
export { type AnswerChoice, chooseAnswer, refuseSubscribe } from "./http/answer-choice.ts";
export { type AnswerHead, isNoStream, isUnchanged, keptFields, unchangedFields } from "./http/beside.ts";
export { type LongPoll, preferenceApplied, readLongPoll } from "./http/long-poll.ts";
export {
  recordPlace,
  refuseOneMore,
  refuseStream,
  streamFields,
  streamHandshake,
  streamStart,
} from "./http/stream-head.ts";
export { createStreamTransport } from "./http/stream-transport.ts";
export { errorReporter, inRange } from "./option-checks.ts";
export { noRevocations } from "./ports/revocations.ts";
