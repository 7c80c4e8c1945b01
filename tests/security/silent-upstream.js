// An API that answers only what good clients ask for: `node silent-upstream.js`, with an IPC channel. It is a process of
// its own: one that also pours what attackers send answers nobody in time.
import { createServer } from "node:http";

const upstream = createServer((request, response) => {
  if (request.url === "/small") response.end("{}");
});
upstream.listen(0, "127.0.0.1", () => process.send({ port: upstream.address().port }));
