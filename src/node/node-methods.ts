import { ServerResponse } from "node:http";
import { Http2ServerResponse } from "node:http2";

/**
 * Node's own methods of a response, of HTTP/1.1 or of HTTP/2, to be applied to it: whatever an application or a framework
 * has put in their places on the object, or on a class of its own.
 */
export function nodeMethodsOf(response: ServerResponse): ServerResponse {
  return "stream" in response ? (Http2ServerResponse.prototype as unknown as ServerResponse) : ServerResponse.prototype;
}

/** The fields that were set on a response, as Node has them. */
export function fieldsOn(response: ServerResponse): ReturnType<ServerResponse["getHeaders"]> {
  return nodeMethodsOf(response).getHeaders.call(response);
}

/** Whether a response is as Node has made it: of HTTP/1.1, no field was set on it, and its head is written in Node's own way. */
export function isUntouched(response: ServerResponse): boolean {
  const { writeHead, getHeaderNames } = ServerResponse.prototype;
  if ("stream" in response || response.writeHead !== writeHead) return false;
  return getHeaderNames.call(response).length === 0;
}

/** Whether a field was set on a response. */
export function hasField(response: ServerResponse, name: string): boolean {
  return nodeMethodsOf(response).hasHeader.call(response, name);
}

/** Sets a field, in the place of those of its name. */
export function setField(response: ServerResponse, name: string, value: string): void {
  nodeMethodsOf(response).setHeader.call(response, name, value);
}

/** As Node's `appendHeader`, which calls whatever is `setHeader` on the object. */
export function appendField(response: ServerResponse, name: string, value: string): void {
  const own = nodeMethodsOf(response);
  const before = own.getHeader.call(response, name);
  own.setHeader.call(response, name, before === undefined ? value : [...[before].flat().map(String), value]);
}

/** Takes all fields from a response. */
export function clearFields(response: ServerResponse): void {
  const own = nodeMethodsOf(response);
  for (const name of own.getHeaderNames.call(response)) own.removeHeader.call(response, name);
}
