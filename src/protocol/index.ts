export { type ErrorCode, errorCodes, RocketError } from "./errors.ts";
export { type Body, type Field, fieldValue, type HttpRequest, type HttpResponse } from "./message.ts";
