declare module "faye-websocket" {
  interface Events {
    open: object;
    message: { readonly data: string | Buffer };
    error: { readonly message: string };
    close: { readonly code: number; readonly reason: string };
  }

  class Client {
    readonly protocol: string;
    constructor(url: string, protocols: string[], options: object);
    on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): void;
    send(data: string | Buffer): boolean;
    ping(data: string, callback: () => void): boolean;
    close(code: number, reason: string): boolean;
  }

  const exported: { readonly Client: typeof Client };
  export = exported;
}
