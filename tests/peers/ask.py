"""One HTTP request by Python's urllib: {"url", "method", "headers", "body"} on stdin, {"status", "headers", "body"} (base64) on stdout."""

import base64
import json
import sys
import urllib.error
import urllib.request

asked = json.load(sys.stdin)
body = asked["body"].encode() if "body" in asked else None
request = urllib.request.Request(asked["url"], body, asked["headers"], method=asked["method"])
try:
    response = urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    response = error
content = base64.b64encode(response.read()).decode()
json.dump({"status": response.status, "headers": response.headers.items(), "body": content}, sys.stdout)
