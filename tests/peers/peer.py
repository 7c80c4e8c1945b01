"""A WebSocket client that is driven by lines of JSON: peer.py LIBRARY, with LIBRARY websockets or websocket-client.

The first line of stdin is {"url", "protocols", "fields"}; further ones are {"text"}, {"binary"} (base64), {"ping"} and
{"close": code, "reason"}. Each line of stdout is {"opened": subprotocol}, {"text"}, {"binary"}, {"ponged"} or the last
one, {"ended": {"code", "reason"}} or {"ended": {"status"}}.
"""

import base64
import json
import sys
import threading


def tell(**event):
    print(json.dumps(event), flush=True)


def tell_message(data):
    if isinstance(data, str):
        tell(text=data)
    else:
        tell(binary=base64.b64encode(data).decode())


def run_websockets(opening):
    import asyncio
    import inspect

    import websockets

    def connect():
        # Its name was another one before version 14.
        known = inspect.signature(websockets.connect.__init__).parameters
        fields = "additional_headers" if "additional_headers" in known else "extra_headers"
        options = {fields: opening["fields"], "ping_interval": None, "max_size": None}
        return websockets.connect(opening["url"], subprotocols=opening["protocols"] or None, **options)

    async def obey(socket, order):
        if "ping" in order:
            await (await socket.ping(order["ping"]))
            tell(ponged=order["ping"])
        elif "close" in order:
            await socket.close(order["close"], order["reason"])
        else:
            await socket.send(order["text"] if "text" in order else base64.b64decode(order["binary"]))

    async def run():
        loop = asyncio.get_running_loop()
        try:
            socket = await connect()
        except Exception as error:
            response = getattr(error, "response", None)
            tell(ended={"status": getattr(error, "status_code", None) or getattr(response, "status_code", 0)})
            return
        tell(opened=socket.subprotocol or "")

        def read_orders():
            for line in sys.stdin:
                asyncio.run_coroutine_threadsafe(obey(socket, json.loads(line)), loop)

        threading.Thread(target=read_orders, daemon=True).start()
        try:
            while True:
                tell_message(await socket.recv())
        except websockets.ConnectionClosed:
            tell(ended={"code": socket.close_code, "reason": socket.close_reason})

    asyncio.run(run())


def run_websocket_client(opening):
    import struct

    import websocket

    socket = websocket.WebSocket(enable_multithread=True)
    try:
        fields = [f"{name}: {value}" for name, value in opening["fields"].items()]
        socket.connect(opening["url"], subprotocols=opening["protocols"], header=fields)
    except websocket.WebSocketBadStatusException as error:
        tell(ended={"status": error.status_code})
        return
    tell(opened=socket.getsubprotocol() or "")

    def obey(order):
        if "ping" in order:
            socket.ping(order["ping"])
        elif "close" in order:
            socket.send_close(order["close"], order["reason"].encode())
        elif "text" in order:
            socket.send(order["text"])
        else:
            socket.send_binary(base64.b64decode(order["binary"]))

    def read_orders():
        for line in sys.stdin:
            obey(json.loads(line))

    threading.Thread(target=read_orders, daemon=True).start()
    code, reason = 1006, ""
    try:
        while True:
            opcode, data = socket.recv_data(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                # A close without a code is 1005, as everywhere.
                code, reason = (struct.unpack("!H", data[:2])[0], data[2:].decode()) if data else (1005, "")
                break
            if opcode == websocket.ABNF.OPCODE_PONG:
                tell(ponged=data.decode())
            elif opcode != websocket.ABNF.OPCODE_PING:
                tell_message(data.decode() if opcode == websocket.ABNF.OPCODE_TEXT else data)
    except websocket.WebSocketProtocolException:
        code = 1002
    except (websocket.WebSocketConnectionClosedException, OSError):
        pass
    tell(ended={"code": code, "reason": reason})


libraries = {"websockets": run_websockets, "websocket-client": run_websocket_client}
libraries[sys.argv[1]](json.loads(sys.stdin.readline()))
