const wellKnown = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"rocket":{"promises":[]}}';

/** A WebSocket to a server in memory, which answers SUBSCRIBE with the given messages; the rest is given by hand. */
export function memorySocket(answers) {
  return class MemorySocket {
    static last;
    readyState = 0;
    constructor() {
      MemorySocket.last = this;
      queueMicrotask(() => {
        this.readyState = 1;
        this.onopen();
        this.onmessage({ data: wellKnown });
      });
    }
    send(text) {
      if (text.startsWith("SUBSCRIBE")) for (const data of answers) this.onmessage({ data });
    }
    close() {}
  };
}
