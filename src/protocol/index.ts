export {
  acceptedRanges,
  acceptWeight,
  isAcceptedByName,
  type MediaRange,
  parseAccept,
} from "./accept.ts";
export { isRequestId, isToken, isValue, trimBlanks, trimEndOf, utf8Length } from "./characters.ts";
export {
  type CloseCode,
  closeCodeForStatus,
  closeCodes,
  truncateReason,
} from "./close-codes.ts";
export { decodeRequest, decodeResponse } from "./decode.ts";
export { applyDelta } from "./delta-apply.ts";
export { chooseDeltas, type DeltaChoice, mergePatchType } from "./delta-choice.ts";
export { encodeRequest, encodeResponse, type RequestToEncode, type ResponseToEncode } from "./encode.ts";
export { codedEntityTag, matchesEntityTag, plainEntityTags } from "./entity-tag.ts";
export { type ErrorCode, errorCodes, RocketError } from "./errors.ts";
export { type EventId, formatEventId, isAtOrAfter, isEventId, parseEventId } from "./event-id.ts";
export { decodeEvent } from "./event-message.ts";
export { commentEvent, encodeEvent, encodeRetry } from "./event-stream.ts";
export { EventStreamDecoder, type StreamEvent } from "./event-stream-decoder.ts";
export { formatItems } from "./format-items.ts";
export { formatPointer } from "./format-pointer.ts";
export { isBannedField } from "./head.ts";
export { encodeHttpPart } from "./http-stream.ts";
export { HttpStreamDecoder } from "./http-stream-decoder.ts";
export { compareByItemOrder, formatItemOrder, type ItemOrder, parseItemOrder } from "./item-order.ts";
export { type Items, itemUrl, parseAnyItems, parseItems } from "./items.ts";
export { arrayPlace, parsePointer, resolvePointer } from "./json-pointer.ts";
export { type LinkValue, parseLinks } from "./link-field.ts";
export { makeMergePatch, makeMergePatchText } from "./merge-patch.ts";
export { applyMergePatch } from "./merge-patch-apply.ts";
export { type Body, type Field, fieldValue, type HttpRequest, type HttpResponse } from "./message.ts";
export { clientLimits, type MessageLimits, serverLimits } from "./message-limits.ts";
export { type MessageMark, messageMark } from "./message-mark.ts";
export { isNextLink, nextLink } from "./next-link.ts";
export { isChange, isProblem, type NotificationKind, notificationKind, reasonPhrase } from "./notification.ts";
export { encodePatchEvent, encodePatchLine, PatchCollector, type PatchStep } from "./patch-stream.ts";
export { parsePreferences, preferredWaitSeconds, prefersStrict } from "./preferences.ts";
export { createProblem, type Problem, problemResponse } from "./problem.ts";
export { ProtocolError, protocolError } from "./protocol-error.ts";
export { holdsRecord, lookAgainMs } from "./record-look.ts";
export {
  bestRule,
  emptyListRule,
  fragmentUrl,
  guessRule,
  itemsOfRule,
  likelyRules,
  listName,
  type RecordRule,
  recordUrl,
  tellingRows,
  UrlCandidates,
} from "./record-rule.ts";
export { type RetryClass, retryClass } from "./retry-class.ts";
export { retryWaitMs, triesAfter } from "./retry-wait.ts";
export { chooseStream, type StreamChoice, type StreamKind } from "./stream-choice.ts";
export {
  bearerSubprotocol,
  chooseSubprotocol,
  offeredSubprotocols,
  type SubprotocolChoice,
  subprotocolName,
} from "./subprotocol.ts";
export { tokenExpiry } from "./token-expiry.ts";
export { decodeUrlPart, encodeUrlPart, expandUrlTemplate, urlTemplateExpression } from "./url-template.ts";
export { varyBy } from "./vary.ts";
export { heartbeatMs, silenceMs, wellKnownPath } from "./well-known.ts";
