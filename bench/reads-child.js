import { createServer } from "../dist/node/index.js";
import { createScaffold } from "../dist/scaffold/index.js";

const [path, readThreads, mainReadMs] = process.argv.slice(2);
const scaffold = await createScaffold({ path, readThreads: Number(readThreads), mainReadMs: Number(mainReadMs) });
const server = createServer({ ...scaffold });
const { port } = await server.listen({ port: 0 });
process.send({ port });
process.on("disconnect", async () => {
  await server.close();
  await scaffold.close();
});
