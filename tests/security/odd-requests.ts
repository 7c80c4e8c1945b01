/** A part of a request: what it is called in a test's title, and its lines or text. */
export type Named<Value> = readonly [title: string, value: Value];

const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", key];

/** How a request comes: its method, its own fields, its body. */
export interface Kind {
  readonly method: string;
  readonly fields: readonly string[];
  readonly body: string;
}

export const kinds: readonly Named<Kind>[] = [
  ["GET", { method: "GET", fields: [], body: "" }],
  ["HEAD", { method: "HEAD", fields: [], body: "" }],
  ["DELETE", { method: "DELETE", fields: [], body: "" }],
  ["PUT with a body", { method: "PUT", fields: ["Content-Length: 2"], body: "{}" }],
  ["POST in chunks", { method: "POST", fields: ["Transfer-Encoding: chunked"], body: "2\r\n{}\r\n0\r\nX: y\r\n\r\n" }],
  ["rocket.v1", { method: "GET", fields: [...upgrade, "Sec-WebSocket-Protocol: rocket.v1"], body: "" }],
  ["a WebSocket without subprotocol", { method: "GET", fields: upgrade, body: "" }],
  ["another subprotocol", { method: "GET", fields: [...upgrade, "Sec-WebSocket-Protocol: chat"], body: "" }],
  ["another protocol", { method: "GET", fields: ["Connection: upgrade", "Upgrade: foo/1, bar"], body: "" }],
  [
    "h2c",
    {
      method: "GET",
      fields: ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMA"],
      body: "",
    },
  ],
  ["a WebSocket by POST", { method: "POST", fields: [...upgrade, "Content-Length: 2"], body: "{}" }],
];

export const oddFields: readonly Named<readonly string[]>[] = [
  ["nothing odd", []],
  ["Trailer", ["Trailer: X"]],
  ["an empty Trailer", ["Trailer:"]],
  ["Trailer that names framing", ["Trailer: Content-Length, Transfer-Encoding, Host"]],
  ["Trailer twice", ["Trailer: X", "Trailer: Y"]],
  ["Expect", ["Expect: 100-continue"]],
  ["an unknown Expect", ["Expect: the-unexpected"]],
  ["an empty Expect", ["Expect:"]],
  ["Expect and Trailer", ["Expect: 100-continue", "Trailer: X"]],
  ["Expect twice", ["Expect: 100-continue", "Expect: 100-continue"]],
  ["TE", ["TE: trailers, gzip;q=0.5"]],
  ["an empty TE", ["TE:"]],
  ["fields named by Connection", ["Connection: close, X, Authorization, Content-Type, Host", "X: y"]],
  ["framing named by Connection", ["Connection: close, Content-Length, Transfer-Encoding, Trailer, Upgrade, TE"]],
  ["odd tokens in Connection", ["Connection: ,,@, close, \xe9, __proto__,"]],
  ["Keep-Alive", ["Keep-Alive: timeout=-1, max=x"]],
  ["Proxy-Connection", ["Proxy-Connection: keep-alive"]],
  ["fields twice", ["Content-Type: a/b", "Content-Type: c/d", "Cookie: a", "Cookie: b", "If-Match: x", "If-Match: y"]],
  ["Authorization twice", ["Authorization: Basic eA==", "Authorization: Bearer x"]],
  ["Upgrade without Connection", ["Upgrade: websocket"]],
  ["names that objects have", ["__proto__: x", "constructor: x", "toString: x", "hasOwnProperty: x"]],
  ["raw bytes in a value", ["X: \xff\xfe\x80", "Cookie: \xe9", "Accept: \xe9"]],
  ["empty values", ["Origin:", "Accept:", "Content-Type:", "If-None-Match:", "Sec-WebSocket-Extensions:"]],
  ["odd conditions", ['If-None-Match: "', "If-Match: W/", "If-Modified-Since: never", "Range: bytes=9-1,-"]],
  ["odd weights", ["Accept: */*;q=NaN, ;;q=, text/html;q=1e999", "Accept-Encoding: ;q=-1,*;q=2"]],
  ["odd forwarding", ['Forwarded: for="[::', "X-Forwarded-For: \xe9,,", "Via: 1.1", "Max-Forwards: -1"]],
  ["odd positions", ["Last-Event-ID: \xe9", "Prefer: handling=", 'Idempotency-Key: "', "Request-ID:"]],
  ["odd charsets", ["Content-Type: application/json; charset=\xe9", "Content-Encoding: gzip, nothing"]],
  ["a wrong version", ["Sec-WebSocket-Version: 99", "Sec-WebSocket-Protocol: ,,"]],
  ["odd extensions", ['Sec-WebSocket-Extensions: permessage-deflate; x="']],
  ["CORS", ["Origin: null", "Access-Control-Request-Method: \xe9", "Access-Control-Request-Headers: \xe9"]],
  ["two lengths", ["Content-Length: 2", "Content-Length: 3"]],
  ["a length and chunks", ["Content-Length: 2", "Transfer-Encoding: chunked"]],
  ["an unknown coding", ["Transfer-Encoding: gzip, chunked"]],
  ["folding", ["X: y", " folded"]],
  ["many fields", Array.from({ length: 500 }, (_, at) => `X-${at}: y`)],
];

const long = "x".repeat(7_000);

/** First lines; `{host}` is the server's host and port. */
export const startLines: readonly string[] = [
  "OPTIONS * HTTP/1.1",
  "GET * HTTP/1.1",
  "HEAD * HTTP/1.1",
  "PRI * HTTP/2.0",
  "CONNECT {host} HTTP/1.1",
  "CONNECT / HTTP/1.1",
  "CONNECT :0 HTTP/1.1",
  "GET http://{host}/a HTTP/1.1",
  "GET HTTP://{host} HTTP/1.1",
  "GET http://{host}?x HTTP/1.1",
  "GET http://other.invalid/a HTTP/1.1",
  "GET http:// HTTP/1.1",
  "GET http://[ HTTP/1.1",
  "GET http://user@{host}/ HTTP/1.1",
  "GET ftp://{host}/a HTTP/1.1",
  "GET ws://{host}/a HTTP/1.1",
  "OPTIONS http://{host} HTTP/1.1",
  "GET //a//b HTTP/1.1",
  "GET //[ HTTP/1.1",
  "GET /\\\\a HTTP/1.1",
  "GET /% HTTP/1.1",
  "GET /%00 HTTP/1.1",
  "GET /a/%E0%A4%A HTTP/1.1",
  "GET /a?%=%&=&& HTTP/1.1",
  "GET /a#b HTTP/1.1",
  "GET /a/../../b HTTP/1.1",
  "GET /\xe9 HTTP/1.1",
  "GET /a|b{} HTTP/1.1",
  `GET /${long} HTTP/1.1`,
  `GET /?${long} HTTP/1.1`,
  "GET ? HTTP/1.1",
  "GET a HTTP/1.1",
  "GET /a HTTP/1.0",
  "GET /a HTTP/3.7",
  "GET /a",
  "get /a HTTP/1.1",
  "TRACE /a HTTP/1.1",
  "PROPFIND /a HTTP/1.1",
  "M-SEARCH * HTTP/1.1",
  "QUERY /a HTTP/1.1",
  "PURGE /a HTTP/1.1",
  "LINK /a HTTP/1.1",
  "SOURCE /a HTTP/1.1",
  "SUBSCRIBE /a HTTP/1.1",
  "NONSENSE /a HTTP/1.1",
  " / HTTP/1.1",
  "\x16\x03\x01",
];
