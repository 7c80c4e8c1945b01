/** What a message without `Request-ID` is to its subscription. */
export type NotificationKind = "snapshot" | "enter" | "change" | "leave" | "bookmark" | "problem";

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  424: "Failed Dependency",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  507: "Insufficient Storage",
  508: "Loop Detected",
  511: "Network Authentication Required",
};

/** The status' reason phrase of the HTTP status code registry; empty for one that is not in it. */
export function reasonPhrase(status: number): string {
  return reasons[status] ?? "";
}

const kinds: Readonly<Record<number, NotificationKind>> = {
  200: "snapshot",
  201: "enter",
  202: "change",
  204: "leave",
  304: "bookmark",
};

/** True for a notification about one record: it entered, changed or left [R-SUB-8]. */
export function isChange({ status }: { readonly status: number }): boolean {
  return status === 201 || status === 202 || status === 204;
}

/** True for a notification that the subscription is refused, or over [R-SUB-8]. */
export function isProblem({ status }: { readonly status: number }): boolean {
  return status >= 300 && status !== 304;
}

/** What a notification of that status means; `undefined` for one that is not used as a notification [R-SUB-8]. */
export function notificationKind(status: number): NotificationKind | undefined {
  return kinds[status] ?? (status >= 300 && status <= 599 ? "problem" : undefined);
}
